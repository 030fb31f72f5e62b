//! The till's.

use serde_json::json;

use super::Album;
use crate::support::browser::{Browser, DESKTOP};
use crate::support::eventually;
use crate::support::platform::Platform;
use crate::support::proxy::Proxy;

const ENTER: &str = "\u{e007}";

pub async fn pictures(platform: &Platform, album: &Album) {
    let mut network = Proxy::new(platform.url("").trim_start_matches("http://").to_owned());
    network.connect();
    let browser = &Browser::start(&format!("http://{}", network.address), DESKTOP).await;
    album.add(browser, "till-key", "/till/key", "h1").await;
    browser.goto("/till/key").await;
    browser.fill("Key", &format!("{}{ENTER}", platform.key("pos"))).await;
    browser.arrives("/till/open").await;
    album.add(browser, "till-open", "/till/open", "h1").await;
    browser.goto("/till/open").await;
    browser.fill("Name", "Julie").await;
    browser.fill("Float", &format!("100{ENTER}")).await;
    browser.arrives("/till").await;
    browser.says(".tiles", "Coke").await;
    album.add(browser, "till-empty", "/till", ".tiles").await;
    basket(browser).await;
    album.add(browser, "till-basket", "/till", ".totals").await;
    album.add(browser, "till-payment", "/till/payment", ".totals").await;
    browser.goto("/till/payment").await;
    browser.fill("Amount received", &format!("40{ENTER}")).await;
    browser.says(".paper", "Receipt 1-1-000001").await;
    let sale = browser.path().await;
    album.add(browser, "till-sale", &sale, ".paper").await;
    album.add(browser, "till-sales", "/till/sales", ".sale-row").await;
    album.add(browser, "till-return", &format!("{sale}/return"), ".return-line").await;
    album.add(browser, "till-void", &format!("{sale}/void"), "h1").await;
    album.add(browser, "till-drawer", "/till/drawer", ".paper").await;
    album.add(browser, "till-close", "/till/close", "h1").await;
    browser.goto("/till").await;
    let is_kept = "return caches.match('/till').then((page) => page && navigator.serviceWorker.controller !== null)";
    eventually("the page is kept", async || browser.script(is_kept, &json!([])).await == json!(true)).await;
    network.cut();
    basket(browser).await;
    browser.says(".condition", "Offline").await;
    browser.press("Pay ").await;
    browser.press("Card").await;
    browser.says(".condition", "1 sale to upload").await;
    let offline = "body:has(.condition.careful)";
    album.add(browser, "till-offline-sale", &browser.path().await, &format!("{offline} .paper")).await;
    album.add(browser, "till-offline", "/till/uploads", &format!("{offline} .sale-row")).await;
}

/// What everything is taxed like, and what it costs, are not the same.
async fn basket(browser: &Browser) {
    for typed in ["2*628501000376", "628501001113", "628501001854", "3*628501001489"] {
        browser.fill("Scan a code", &format!("{typed}{ENTER}")).await;
    }
    browser.says(".basket", "7 items").await;
}
