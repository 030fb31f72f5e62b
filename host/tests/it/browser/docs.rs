//! Each service's OpenAPI document as a page, behind the gateway and of a component alone.

use serde_json::{Value, json};

use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::database::Database;
use crate::support::eventually;
use crate::support::host::Serve;
use crate::support::platform::{Platform, SERVICES};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

#[tokio::test]
async fn every_service_can_be_read_about_and_tried() {
    let platform = Platform::start().await;
    let browser = Browser::start(&platform.url(""), DESKTOP).await;
    for service in SERVICES {
        let document = platform.get(&format!("/api/{service}/openapi.json")).await.expect_status(200).json();
        shows(&browser, &format!("/api/{service}/docs"), &document).await;
        browser.says(".nav [aria-current]", service).await;
    }
    a_request_can_be_made(&browser).await;
    a_phone_in_the_dark_is_enough(&platform).await;
    drop(browser);
    platform.stop().await;
}

/// Nothing of the page is another component's.
#[tokio::test]
async fn a_component_alone_shows_its_document() {
    let database = Database::new().await;
    let host = Serve::service("products").database(&database).start().await;
    let document = host.get("/openapi.json").await.expect_status(200).json();
    let browser = Browser::start(&host.url(""), DESKTOP).await;
    shows(&browser, "/docs", &document).await;
}

/// The page is well, and the console has nothing to say.
async fn is_well(browser: &Browser) {
    browser.is_accessible().await;
    browser.fits().await;
    assert_eq!(browser.complaints(&[]).await, Vec::<String>::new(), "on {}", browser.path().await);
}

/// All of the document's operations, each with its path.
async fn shows(browser: &Browser, path: &str, document: &Value) {
    browser.goto(path).await;
    browser.says("h1", document["info"]["title"].as_str().expect("a title")).await;
    let mut expected: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let of = item.as_object().expect("operations");
        expected
            .extend(METHODS.iter().filter(|method| of.contains_key(**method)).map(|method| format!("{method} {path}")));
    }
    expected.sort();
    let script = "return [...document.querySelectorAll('.opblock')].map((block) =>
        block.querySelector('.opblock-summary-method').textContent.toLowerCase() + ' ' +
        block.querySelector('.opblock-summary-path').dataset.path).sort()";
    eventually("every operation is shown", async || browser.script(script, &json!([])).await == json!(expected)).await;
    is_well(browser).await;
}

async fn a_request_can_be_made(browser: &Browser) {
    browser.goto("/api/products/docs").await;
    let block = "[id$=getProduct]";
    browser.click(&format!("{block} .opblock-summary-control"), "").await;
    browser.says(block, "Parameters").await;
    is_well(browser).await;
    browser.click(&format!("{block} button"), "Try it out").await;
    browser.fill("id", "1\u{e004}").await;
    browser.click(&format!("{block} button"), "Execute").await;
    browser.says(&format!("{block} .live-responses-table"), "200").await;
    browser.says(&format!("{block} .live-responses-table"), "Coke").await;
    is_well(browser).await;
}

async fn a_phone_in_the_dark_is_enough(platform: &Platform) {
    let look = Look { language: "fr-CA", scheme: "dark", ..PHONE };
    let browser = Browser::start(&platform.url(""), look).await;
    browser.goto("/api/cart/docs").await;
    browser.says("main", "Ce qui est essayé ici est fait").await;
    browser.click(".opblock-post .opblock-summary-control", "").await;
    browser.says(".opblock-post", "Request body").await;
    is_well(&browser).await;
}
