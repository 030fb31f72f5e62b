//! What an operator does at the admin port of the whole platform.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::platform::Platform;
use crate::support::{eventually, guest};

const PRODUCTS: &str = "[data-key=products]";
const TOKEN: &str = "Admin token";
const FILE: &str = "Component (.wasm)";

#[tokio::test]
async fn an_operator_replaces_components() {
    let platform = Platform::start().await;
    let browser = Browser::start(&format!("http://{}", platform.admin_address()), DESKTOP).await;
    all_services_are_there(&platform, &browser).await;
    changes_need_the_token(&platform, &browser).await;
    what_is_no_component_is_refused(&platform, &browser).await;
    a_new_version_takes_over(&platform, &browser).await;
    the_version_before_comes_back(&platform, &browser).await;
    replicas_are_replaced_one_after_another(&platform, &browser).await;
    what_others_do_is_seen(&platform, &browser).await;
    the_token_is_forgotten(&browser).await;
    a_phone_and_a_keyboard_are_enough(&platform).await;
    drop(browser);
    platform.stop().await;
}

/// The page is well, and the console has nothing but what was to be expected.
async fn is_well(browser: &Browser, expected: &[&str]) {
    browser.is_accessible().await;
    browser.fits().await;
    assert_eq!(browser.complaints(expected).await, Vec::<String>::new());
}

async fn all_services_are_there(platform: &Platform, browser: &Browser) {
    browser.goto("/").await;
    browser.says("h1", "Components").await;
    browser.says(".overview", "Ready").await;
    let services = "return [...document.querySelectorAll('.lane h2')].map((heading) => heading.textContent)";
    let shown = browser.script(services, &json!([])).await;
    let expected = json!(["products", "inventory", "reports", "sales", "customers", "cart", "orders", "checkout"]);
    assert_eq!(shown, expected);
    browser.says("[data-key=cart]", "3 replicas").await;
    let products = component(platform, "products").await;
    let digest = products["current"]["digest"].as_str().expect("a digest");
    browser.says(PRODUCTS, &format!("generation 1 · {}", &digest[..12])).await;
    // What is asked of a service is counted, and what fails of it.
    for _ in 0..20 {
        platform.get("/api/v1/products/1").await.expect_status(200);
    }
    let peak = "const line = document.querySelector('[data-key=products] .line.rate').getAttribute('d') ?? '';
        return Math.min(...[...line.matchAll(/,([0-9.]+)/g)].map(([, y]) => Number(y)))";
    eventually("the line of requests leaves the ground", async || {
        browser.script(peak, &json!([])).await.as_f64().is_some_and(|y| y < 30.0)
    })
    .await;
    is_well(browser, &[]).await;
    browser.click(&format!("{PRODUCTS} summary"), "").await;
    browser.says(&format!("{PRODUCTS} tbody"), digest).await;
    is_well(browser, &[]).await;
}

async fn changes_need_the_token(platform: &Platform, browser: &Browser) {
    browser.click(&format!("{PRODUCTS} button"), "Replace").await;
    browser.says("dialog h2", "Allow changes").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Allow").await;
    browser.says("dialog .error", "Type or paste the token.").await;
    browser.fill(TOKEN, "not the one").await;
    browser.click("dialog button", "Allow").await;
    browser.says("dialog .error", "This is not the token of this host.").await;
    is_well(browser, &[]).await;
    browser.fill(TOKEN, &platform.secret("admin-token")).await;
    browser.click("dialog button", "Allow").await;
    // What was begun goes on.
    browser.says("dialog h2", "Replace products").await;
    browser.says(".lock", "Changes allowed").await;
    is_well(browser, &[]).await;
    // It is kept where no request takes it along by itself.
    let kept = "return [document.cookie, location.href.includes('token'), localStorage.length]";
    assert_eq!(browser.script(kept, &json!([])).await, json!(["", false, 0]));
}

async fn what_is_no_component_is_refused(platform: &Platform, browser: &Browser) {
    browser.click("dialog button", "Replace").await;
    browser.says("dialog .error", "Choose the .wasm file first.").await;
    browser.choose_file(FILE, &file(platform, "garbage.wasm", b"this is not a component")).await;
    browser.click("dialog button", "Replace").await;
    browser.says("dialog h2", "Refused at “read”").await;
    browser.says("dialog [role=alert]", "this is not WebAssembly").await;
    browser.says("dialog [role=alert]", "products goes on with the version that it had.").await;
    is_well(browser, &["422"]).await;
    browser.click("dialog button", "Close").await;
    browser.says(&format!("{PRODUCTS} .refusals"), "products: refused at “read”").await;
    browser.says("[role=log]", "products: refused at “read”: this is not WebAssembly").await;
    assert_eq!(component(platform, "products").await["current"]["generation"], 1);
    is_well(browser, &[]).await;
}

async fn a_new_version_takes_over(platform: &Platform, browser: &Browser) {
    let new = file(platform, "products-2.wasm", &another_version("products", 2));
    browser.click(&format!("{PRODUCTS} button"), "Replace").await;
    browser.choose_file(FILE, &new).await;
    browser.click("dialog button", "Replace").await;
    browser.says("dialog h2", "Replaced").await;
    browser.says("dialog", "products: generation 2 serves now.").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Close").await;
    browser.says(PRODUCTS, "generation 2 · ").await;
    browser.says(&format!("{PRODUCTS} .badges"), "on probation").await;
    browser.says("[role=log]", "products: generation 2 serves").await;
    // When it happened is in the charts.
    let marks = "return document.querySelectorAll('[data-key=products] .mark.switched').length";
    assert_eq!(browser.script(marks, &json!([])).await, 3, "a mark in each chart");
    assert_eq!(component(platform, "products").await["current"]["generation"], 2);
    is_well(browser, &[]).await;
}

async fn the_version_before_comes_back(platform: &Platform, browser: &Browser) {
    browser.click(&format!("{PRODUCTS} button"), "Roll back").await;
    browser.says("dialog", "from generation 2").await;
    browser.says("dialog", "back to generation 1").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Roll back").await;
    browser.says("dialog", "products: generation 1 serves again.").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Close").await;
    browser.says(PRODUCTS, "generation 1 · ").await;
    browser.says("[role=log]", "products: back to generation 1").await;
    assert_eq!(component(platform, "products").await["current"]["generation"], 1);
    is_well(browser, &[]).await;
}

async fn replicas_are_replaced_one_after_another(platform: &Platform, browser: &Browser) {
    let new = file(platform, "cart-2.wasm", &another_version("cart", 2));
    browser.click("[data-key=cart] button", "Replace").await;
    let alone = "const select = document.querySelector('dialog select');
        select.value = 'cart-2'; select.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.script(alone, &json!([])).await;
    browser.choose_file(FILE, &new).await;
    browser.click("dialog button", "Replace").await;
    browser.says("dialog", "cart-2: generation 2 serves now.").await;
    browser.click("dialog button", "Close").await;
    browser.says("[data-key=cart] summary", "cart-1 and cart-3: generation 1").await;
    browser.says("[data-key=cart] summary", "cart-2: generation 2").await;
    browser.click("[data-key=cart] button", "Replace").await;
    browser.choose_file(FILE, &new).await;
    browser.click("dialog button", "Replace").await;
    browser.says("dialog", "cart-1: generation 2 serves now.").await;
    browser.says("dialog", "cart-2: nothing to do, generation 2 is this very file.").await;
    browser.says("dialog", "cart-3: generation 2 serves now.").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Close").await;
    browser.says("[data-key=cart] summary", "generation 2 · ").await;
}

/// A file that is replaced, by whoever, is shown like what is done here.
async fn what_others_do_is_seen(platform: &Platform, browser: &Browser) {
    let new = file(platform, "orders-2.wasm", &another_version("orders", 2));
    std::fs::rename(new, platform.folder().join("components/orders.wasm")).expect("a rename");
    browser.says("[role=log]", "orders: generation 2 serves").await;
    // And in the other language, without asking the host anew.
    browser.press("Français").await;
    browser.says("h1", "Composants").await;
    browser.says("[role=log]", "orders : génération 2 en service").await;
    browser.says("[role=log]", "products : refusé à l’étape « lecture »").await;
    is_well(browser, &[]).await;
    browser.press("English").await;
    browser.says("h1", "Components").await;
}

async fn the_token_is_forgotten(browser: &Browser) {
    browser.goto("/").await;
    browser.says(".lock", "Changes allowed").await;
    browser.press("Lock").await;
    browser.says(".lock", "Allow changes…").await;
    assert_eq!(browser.script("return sessionStorage.length", &json!([])).await, 0);
    // One that is not the host's any more is asked for again.
    browser.script("sessionStorage.setItem('comptoir.admin-token', 'of yesterday')", &json!([])).await;
    browser.goto("/").await;
    browser.says(".lock", "Allow changes…").await;
    is_well(browser, &[]).await;
}

/// In French and in the dark, without a pointer.
async fn a_phone_and_a_keyboard_are_enough(platform: &Platform) {
    let look = Look { language: "fr-CA", scheme: "dark", ..PHONE };
    let browser = Browser::start(&format!("http://{}", platform.admin_address()), look).await;
    browser.goto("/").await;
    browser.says("h1", "Composants").await;
    browser.says("[data-key=checkout]", "en service").await;
    is_well(&browser, &[]).await;
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    const ESCAPE: &str = "\u{e00c}";
    let on_replace = "return document.activeElement.getAttribute('aria-label') === 'Remplacer products…'";
    let mut steps = 0;
    while browser.script(on_replace, &json!([])).await != json!(true) {
        steps += 1;
        assert!(steps < 30, "the keyboard never comes to the button");
        browser.keys(TAB).await;
    }
    browser.keys(ENTER).await;
    browser.says("dialog h2", "Permettre les changements").await;
    is_well(&browser, &[]).await;
    browser.keys(ESCAPE).await;
    let focused =
        "return document.querySelector('dialog') === null && document.activeElement.getAttribute('aria-label')";
    eventually("the focus is where it was", async || {
        browser.script(focused, &json!([])).await == "Remplacer products…"
    })
    .await;
}

async fn component(platform: &Platform, replica: &str) -> Value {
    let components = platform.components().await;
    components.into_iter().find(|component| component["replica"] == replica).expect("a replica")
}

/// A file for the operator to choose.
fn file(platform: &Platform, name: &str, bytes: &[u8]) -> PathBuf {
    let path = platform.folder().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// The same component with another digest: a custom section at its end.
fn another_version(service: &str, tag: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(guest::service(service)).expect("a component");
    bytes.extend_from_slice(&[0, 3, 1, b'v', tag]);
    bytes
}
