//! A purchase from the search to the order; what becomes of one that does not go well; the shop in its other language,
//! on a phone, with a keyboard alone, while the component that serves it is replaced.

use http::Method;
use serde_json::{Value, json};

use super::swap::Replaced;
use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::eventually;
use crate::support::platform::Platform;

/// What a shopper waits for at the first visit, compressed; the products themselves included.
const FIRST_VIEW_BYTES_MAX: u64 = 100_000;

const PASSWORD: &str = "quatre chats gris jouent";

/// One platform and one browser for all of it: their start takes longer than they do.
#[tokio::test]
async fn a_shopper_buys() {
    let platform = Platform::start().await;
    let browser = Browser::start(&platform.url(""), DESKTOP).await;
    the_first_view_is_light(&browser).await;
    amounts_are_read_and_written_to_the_cent(&browser).await;
    a_search_finds_while_one_types(&browser).await;
    a_cart_says_what_it_costs(&browser).await;
    somebody_signs_up_on_the_way(&browser).await;
    a_declined_card_costs_nothing(&browser).await;
    another_price_is_agreed_to_again(&platform, &browser).await;
    an_order_tells_what_happened(&browser).await;
    a_session_goes_on_until_it_is_over(&browser).await;
    what_is_not_there_is_said(&platform, &browser).await;
    the_other_language_is_remembered(&browser).await;
    two_windows_change_one_cart(&platform, &browser).await;
    nothing_is_left_for_whoever_comes_next(&browser).await;
    a_phone_and_a_keyboard_are_enough(&platform).await;
    a_page_of_another_version_is_loaded_again(&platform).await;
    let books = platform.books();
    books.at_rest().await;
    books.audited().await;
    drop(browser);
    platform.stop().await;
}

/// The page is well, and the console has nothing but what was to be expected.
async fn is_well(browser: &Browser, expected: &[&str]) {
    browser.is_accessible().await;
    browser.fits().await;
    assert_eq!(browser.complaints(expected).await, Vec::<String>::new(), "on {}", browser.path().await);
}

async fn the_first_view_is_light(browser: &Browser) {
    browser.goto("/").await;
    browser.says("h1", "What do you need today?").await;
    eventually("products are shown", async || {
        browser.script("return document.querySelectorAll('.product').length", &json!([])).await == json!(24)
    })
    .await;
    let bytes = browser.bytes_loaded().await;
    println!("the shop's first view is {bytes} bytes");
    assert!(bytes < FIRST_VIEW_BYTES_MAX, "{bytes} bytes");
    is_well(browser, &[]).await;
    // All but the page and what the services say of now is kept.
    browser.goto("/").await;
    browser.says("h1", "What do you need today?").await;
    let script = "return performance.getEntriesByType('resource')
        .filter(({ name, transferSize }) => name.includes('/assets/') && transferSize > 0).map(({ name }) => name)";
    assert_eq!(browser.script(script, &json!([])).await, json!([]), "asked for again");
}

/// As people write them, and never through a floating point.
async fn amounts_are_read_and_written_to_the_cent(browser: &Browser) {
    let script = "const place = document.querySelector('script[src$=\"/boot.js\"]').src.replace('boot.js', 'i18n.js');
        return import(place).then(({ cents, money }) => arguments[0].map((one) =>
            typeof one === 'string' ? cents(one) : money({ amount: one, currency: 'CAD' })))";
    for (given, expected) in [
        (json!(["12,50", "12.5", "7", "1 250,00 $", "$1.05", "-3.20"]), json!([1250, 1250, 700, 125_000, 105, -320])),
        (json!(["$1,250.00", "1,234,567.8"]), json!([125_000, 123_456_780])),
        (json!(["", "abc", "1,234", "1.2.3", "--1", "1e3", "12,"]), json!([null, null, null, null, null, null, null])),
        (json!(["12,34.5", "1234,567.00"]), json!([null, null])),
        (json!([299, -5, 0, 100_000_000_000_001_i64]), json!(["$2.99", "-$0.05", "$0.00", "$1,000,000,000,000.01"])),
    ] {
        assert_eq!(browser.script(script, &json!([given])).await, expected, "{given}");
    }
}

async fn a_search_finds_while_one_types(browser: &Browser) {
    browser.fill("Search for a product", "cafe").await;
    browser.says("h1", "Results for “cafe”").await;
    browser.says(".product", "Ground filter coffee").await;
    browser.fill("Search for a product", "coke").await;
    browser.says(".product", "Coke, 355 ml can").await;
    is_well(browser, &[]).await;
    browser.fill("Search for a product", "zzzz").await;
    browser.says("main", "Nothing matches “zzzz”.").await;
    is_well(browser, &[]).await;
    browser.press("See all products").await;
    browser.says("h1", "What do you need today?").await;
    browser.press("Beverages").await;
    browser.press("Juices and fruit drinks").await;
    browser.says("h1", "Juices and fruit drinks").await;
    browser.press("Apple juice, 300 ml bottle").await;
    browser.arrives("/product/3").await;
    browser.says("h1", "Apple juice, 300 ml bottle").await;
    browser.says(".price", "$3.49 + $0.10 deposit").await;
    browser.says(".availability", "Montréal Centre").await;
    is_well(browser, &[]).await;
    browser.press("Add : Apple juice").await;
    browser.says(".nav", "Cart 1").await;
    is_well(browser, &[]).await;
}

async fn a_cart_says_what_it_costs(browser: &Browser) {
    browser.goto("/?q=coke").await;
    browser.press("Add : Coke, 355 ml can").await;
    browser.press("One more: Coke, 355 ml can").await;
    browser.says(".nav", "Cart 3").await;
    browser.press("Cart 3 items").await;
    browser.arrives("/cart").await;
    // Two Coke and an apple juice: the worked example of the taxes.
    for line in ["Subtotal $9.47", "GST (5%) $0.47", "QST (9.975%) $0.94", "Deposits $0.30", "Total $11.18"] {
        browser.says(".totals", line).await;
    }
    is_well(browser, &[]).await;
    browser.press("One more: Coke").await;
    browser.says(".totals", "Total $14.72").await;
    browser.fill("Quantity: Coke", "2\u{e004}").await;
    browser.says(".totals", "Total $11.18").await;
    is_well(browser, &[]).await;
}

async fn somebody_signs_up_on_the_way(browser: &Browser) {
    browser.press("Check out").await;
    browser.arrives("/sign-in").await;
    browser.fill("E-mail", "marie@example.com").await;
    browser.fill("Password", "not the one").await;
    browser.click("main button", "Sign in").await;
    browser.says(".notice", "The e-mail or the password is not right.").await;
    is_well(browser, &["401"]).await;
    browser.press("Create an account").await;
    browser.arrives("/sign-up").await;
    browser.fill("Name", "Marie Tremblay").await;
    browser.fill("E-mail", "marie@example.com").await;
    browser.fill("Password", "aaaaaaaaaaaa").await;
    browser.click("main button", "Create an account").await;
    browser.says(".error", "The password repeats the same characters.").await;
    is_well(browser, &["422"]).await;
    browser.fill("Password", PASSWORD).await;
    browser.click("main button", "Create an account").await;
    browser.arrives("/checkout").await;
    browser.says("h1", "Checkout").await;
    is_well(browser, &[]).await;
}

async fn a_declined_card_costs_nothing(browser: &Browser) {
    browser.press("Pay $11.18").await;
    browser.says(".field .error", "This field is required.").await;
    is_well(browser, &[]).await;
    browser.fill("Address", "1000, rue De La Gauchetière O").await;
    browser.fill("City", "Montréal").await;
    browser.fill("Postal code", "h3b4w5").await;
    browser.press("Card declined").await;
    browser.press("Pay $11.18").await;
    browser.says(".notice", "The card was declined. Nothing was charged; try another one.").await;
    is_well(browser, &["402"]).await;
    browser.press("Insufficient funds").await;
    browser.press("Pay $11.18").await;
    browser.says(".notice", "There is not enough on this card.").await;
    is_well(browser, &["402"]).await;
}

async fn another_price_is_agreed_to_again(platform: &Platform, browser: &Browser) {
    put_price(platform, 3, 399).await;
    browser.press("Card accepted").await;
    browser.press("Pay $11.18").await;
    browser.says(".notice", "The price has changed: $11.76 instead of $11.18.").await;
    browser.says(".totals", "Total $11.76").await;
    is_well(browser, &["409"]).await;
    browser.press("Pay $11.76").await;
    browser.says("h1", "Thank you!").await;
}

/// A regular price for all stores, from now on.
async fn put_price(platform: &Platform, product: i64, cents: i64) {
    let key = platform.key("hq");
    let headers = [("x-api-key", key.as_str()), ("idempotency-key", "another-price")];
    let price = json!({"kind": "regular", "amount": {"amount": cents, "currency": "CAD"}});
    let path = format!("/api/v1/products/{product}/prices");
    platform.send(Method::POST, &path, &headers, &price).await.expect_status(201);
}

async fn an_order_tells_what_happened(browser: &Browser) {
    browser.says(".notice", "is paid").await;
    browser.says(".timeline", "Payment received").await;
    browser.says(".totals", "Total $11.76").await;
    browser.says("main address", "Marie Tremblay 1000, rue De La Gauchetière O Montréal (QC) H3B 4W5").await;
    is_well(browser, &[]).await;
    let count = "return document.querySelector('.count').hidden";
    eventually("the cart is empty", async || browser.script(count, &json!([])).await == json!(true)).await;
    browser.press("Orders").await;
    browser.says(".order", "3 items").await;
    browser.says(".order", "$11.76").await;
    is_well(browser, &[]).await;
    browser.click(".order", "").await;
    browser.press("Cancel the order").await;
    browser.says("dialog", "What was paid is refunded in full.").await;
    is_well(browser, &[]).await;
    browser.click("dialog button", "Cancel the order").await;
    browser.says(".badge", "Cancelled").await;
    browser.says("main", "Refunded $11.76").await;
    is_well(browser, &[]).await;
    browser.press("Account").await;
    browser.says(".facts", "marie@example.com").await;
    browser.says("address", "H3B 4W5").await;
    is_well(browser, &[]).await;
}

/// The access token ends every ten minutes, and is renewed; what cannot be renewed has to be begun anew.
async fn a_session_goes_on_until_it_is_over(browser: &Browser) {
    let ends = "const key = 'comptoir.session';
        const session = { ...JSON.parse(localStorage.getItem(key)), accessEnds: 0, ...arguments[0] };
        localStorage.setItem(key, JSON.stringify(session))";
    browser.script(ends, &json!([{}])).await;
    browser.goto("/orders").await;
    browser.says(".order", "$11.76").await;
    let left = "return JSON.parse(localStorage.getItem('comptoir.session')).accessEnds > Date.now()";
    assert_eq!(browser.script(left, &json!([])).await, json!(true));
    is_well(browser, &[]).await;
    browser.script(ends, &json!([{"refresh": "of somebody else"}])).await;
    browser.goto("/orders").await;
    browser.arrives("/sign-in").await;
    is_well(browser, &["401"]).await;
    browser.fill("E-mail", "marie@example.com").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("main button", "Sign in").await;
    browser.says(".order", "$11.76").await;
}

async fn what_is_not_there_is_said(platform: &Platform, browser: &Browser) {
    browser.goto("/product/999999").await;
    browser.says("h1", "The page could not be shown").await;
    is_well(browser, &["404"]).await;
    // Nothing is left of it by the time that it is paid.
    count(platform, 5, 1).await;
    browser.goto("/product/5").await;
    browser.says(".availability", "Only 1 left").await;
    browser.press("Add : ").await;
    browser.press("One more: ").await;
    browser.says(".nav", "Cart 2").await;
    browser.goto("/checkout").await;
    browser.press("Pay ").await;
    browser.says(".notice", "Not enough in stock:").await;
    browser.says(".notice", "(1 left)").await;
    is_well(browser, &["409"]).await;
}

/// A new count of what there is in the warehouse.
async fn count(platform: &Platform, product: i64, units: i64) {
    let key = platform.key("logistics");
    let path = format!("/api/v1/stock/100/{product}");
    let seen = platform.send(Method::GET, &path, &[("x-api-key", key.as_str())], &Value::Null).await.expect_status(200);
    let tag = seen.header("etag").expect("an ETag").to_owned();
    let headers = [("x-api-key", key.as_str()), ("if-match", &tag), ("idempotency-key", &tag)];
    platform.send(Method::PUT, &path, &headers, &json!({"on_hand": units})).await.expect_status(200);
}

async fn the_other_language_is_remembered(browser: &Browser) {
    browser.goto("/cart").await;
    browser.press("Français").await;
    browser.says("h1", "Panier").await;
    browser.says(".totals", "Total 11,98 $").await;
    let language = "return document.documentElement.lang";
    assert_eq!(browser.script(language, &json!([])).await, "fr");
    is_well(browser, &[]).await;
    browser.goto("/cart").await;
    browser.says("h1", "Panier").await;
    browser.press("English").await;
    browser.says("h1", "Cart").await;
}

/// What was typed is meant for the cart that was seen.
async fn two_windows_change_one_cart(platform: &Platform, browser: &Browser) {
    let cart = browser.script("return localStorage.getItem('comptoir.cart')", &json!([])).await;
    let items = format!("/api/v1/carts/{}/items", cart.as_str().expect("a cart"));
    platform.send(Method::POST, &items, &[], &json!({"product_id": 5, "quantity": 5})).await.expect_status(200);
    browser.fill("Quantity: ", "3\u{e004}").await;
    browser.says(".notice", "The cart was changed in another window.").await;
    let quantity = "return document.querySelector('.quantity').value";
    assert_eq!(browser.script(quantity, &json!([])).await, "7");
    is_well(browser, &["412"]).await;
}

async fn nothing_is_left_for_whoever_comes_next(browser: &Browser) {
    browser.press("Account").await;
    browser.press("Sign out").await;
    browser.says(".nav", "Sign in").await;
    let left =
        "return [localStorage.getItem('comptoir.session'), localStorage.getItem('comptoir.cart'), document.cookie]";
    assert_eq!(browser.script(left, &json!([])).await, json!([null, null, ""]));
}

/// In French and in the dark, without a pointer.
async fn a_phone_and_a_keyboard_are_enough(platform: &Platform) {
    let look = Look { language: "fr-CA", scheme: "dark", ..PHONE };
    let browser = Browser::start(&platform.url(""), look).await;
    browser.goto("/").await;
    browser.says("h1", "Que vous faut-il aujourd’hui ?").await;
    is_well(&browser, &[]).await;
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    let focused = "return document.activeElement.innerText";
    browser.keys(TAB).await;
    assert_eq!(browser.script(focused, &json!([])).await, "Aller au contenu");
    browser.keys(ENTER).await;
    assert_eq!(browser.script("return document.activeElement.id", &json!([])).await, "main");
    browser.goto("/product/1").await;
    browser.says("h1", "Coke, canette 355 ml").await;
    let on_add = "return document.activeElement.closest('.adder') !== null";
    let mut steps = 0;
    while browser.script(on_add, &json!([])).await != json!(true) {
        steps += 1;
        assert!(steps < 30, "the keyboard never comes to the button");
        browser.keys(TAB).await;
    }
    browser.keys(ENTER).await;
    browser.says(".adder output", "1").await;
    browser.says("[aria-live=polite]", "Coke, canette 355 ml : 1 dans le panier").await;
    is_well(&browser, &[]).await;
    for path in ["/cart", "/sign-in", "/sign-up"] {
        browser.goto(path).await;
        browser.text("h1").await;
        is_well(&browser, &[]).await;
    }
}

/// It was replaced between the page and its files.
async fn a_page_of_another_version_is_loaded_again(platform: &Platform) {
    let replaced = Replaced::start(platform.url("")).await;
    let browser = Browser::start(&format!("http://{}", replaced.address), DESKTOP).await;
    browser.goto("/").await;
    browser.says("h1", "What do you need today?").await;
    assert_eq!(replaced.pages(), 2);
}
