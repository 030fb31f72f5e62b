//! The shop's.

use serde_json::json;

use super::Album;
use crate::support::browser::Browser;

pub async fn pictures(browser: &Browser, album: &Album) {
    album.add(browser, "shop-home", "/", ".product").await;
    album.add(browser, "shop-search", "/?q=pomme", ".product").await;
    album.add(browser, "shop-nothing", "/?q=zzzz", ".empty").await;
    album.add(browser, "shop-product", "/product/1", "h1").await;
    album.add(browser, "shop-cart-empty", "/cart", "h1").await;
    album.add(browser, "shop-sign-in", "/sign-in", "h1").await;
    album.add(browser, "shop-sign-up", "/sign-up", "h1").await;
    for (product, times) in [(1, 2), (3, 1), (4, 1)] {
        browser.goto(&format!("/product/{product}")).await;
        for name in ["Add : ", "One more: "].into_iter().take(times) {
            browser.press(name).await;
        }
        browser.says(".adder output", &times.to_string()).await;
    }
    album.add(browser, "shop-cart", "/cart", ".totals").await;
    album.add(browser, "shop-with-cart", "/?category=beverages", ".stepper").await;
    browser.goto("/sign-up?next=/checkout").await;
    browser.fill("Name", "Marie Tremblay").await;
    browser.fill("E-mail", "marie@example.com").await;
    browser.fill("Password", "quatre chats gris jouent").await;
    browser.click("main button", "Create an account").await;
    browser.arrives("/checkout").await;
    album.add(browser, "shop-checkout", "/checkout", ".totals").await;
    album.add(browser, "shop-orders-empty", "/orders", "h1").await;
    browser.goto("/checkout").await;
    browser.fill("Address", "1000, rue De La Gauchetière O").await;
    browser.fill("City", "Montréal").await;
    browser.fill("Postal code", "H3B 4W5").await;
    browser.press("Card accepted").await;
    browser.press("Pay ").await;
    browser.says("h1", "Thank you!").await;
    let order = browser.path().await;
    album.add(browser, "shop-order", &order, ".timeline").await;
    album.add(browser, "shop-orders", "/orders", ".order").await;
    album.add(browser, "shop-account", "/account", ".facts").await;
    album.add(browser, "shop-nowhere", "/product/999999", "h1").await;
    // What was remembered is gone with the browser's profile; nothing of it is left for whoever comes next.
    browser.script("localStorage.clear()", &json!([])).await;
}
