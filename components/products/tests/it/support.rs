//! A shop whose time stands still, and the requests that tests have in common.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use products::SERVICE;
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Clock, Role};
use serde_json::{Value, json};

/// Noon on a Sunday in Montréal.
pub const NOON: &str = "2026-11-22T17:00:00Z";

/// A shop at [`NOON`].
pub async fn shop() -> TestApp {
    shop_at(NOON).await
}

pub async fn shop_at(instant: &str) -> TestApp {
    TestApp::of(&SERVICE).clock(Clock::fixed(instant.parse().unwrap())).build().await
}

/// Lets time go by in the shop; the time it is then.
pub fn later(shop: &TestApp, by: Duration) -> Timestamp {
    shop.context().clock.advance(SignedDuration::try_from(by).unwrap());
    shop.context().clock.now()
}

pub const SECOND: Duration = Duration::from_secs(1);
pub const DAY: Duration = Duration::from_secs(86_400);

/// A product that is complete, with that SKU.
pub fn lemonade(sku: &str) -> Value {
    json!({
        "sku": sku,
        "name": "Limonade",
        "name_en": "Lemonade, 355 ml can",
        "name_fr": "Limonade, canette 355 ml",
        "category": "soft-drinks",
        "tax_category": "standard",
        "deposit": cad(10),
        "price": cad(259),
    })
}

/// What a PUT takes: a product without its price.
pub fn without_price(mut product: Value) -> Value {
    product.as_object_mut().unwrap().remove("price");
    product
}

pub fn cad(cents: i64) -> Value {
    json!({ "amount": cents, "currency": "CAD" })
}

/// Creates a product; its id and its ETag.
pub async fn created(shop: &TestApp, product: &Value) -> (i64, String) {
    let answer = manager(shop.post("/api/v1/products")).json(product).send().await.expect_status(201);
    (id(&answer), answer.header("etag").to_owned())
}

pub fn manager(request: TestRequest) -> TestRequest {
    request.as_role(Role::Manager)
}

pub fn id(answer: &TestResponse) -> i64 {
    answer.json::<Value>()["id"].as_i64().unwrap()
}

pub async fn product(shop: &TestApp, id: i64) -> Value {
    shop.get(format!("/api/v1/products/{id}")).send().await.expect_status(200).json()
}

pub async fn etag(shop: &TestApp, id: i64) -> String {
    let answer = shop.get(format!("/api/v1/products/{id}")).send().await.expect_status(200);
    answer.header("etag").to_owned()
}

/// Adds a price to a product.
pub async fn add_price(shop: &TestApp, product: i64, price: Value) -> TestResponse {
    manager(shop.post(format!("/api/v1/products/{product}/prices"))).json(&price).send().await
}

/// Adds a price that must be accepted.
pub async fn priced(shop: &TestApp, product: i64, price: Value) {
    let answer = add_price(shop, product, price).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Changes a product as it is now.
pub async fn patched(shop: &TestApp, id: i64, patch: Value) {
    let request = manager(shop.patch(format!("/api/v1/products/{id}"))).header("if-match", etag(shop, id).await);
    let answer = request.json(&patch).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What a product costs, in cents, in a store or in general.
pub async fn price_of(shop: &TestApp, product: i64, store: Option<i64>) -> i64 {
    let query = store.map(|store| format!("?store={store}")).unwrap_or_default();
    let answer = shop.get(format!("/api/v1/products/{product}{query}")).send().await;
    answer.expect_status(200).json::<Value>()["price"]["amount"].as_i64().unwrap()
}

/// The answer to a GET, page by page, and every item on the way. Each page but the last is full.
pub async fn every_page(shop: &TestApp, path: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let join = if path.contains('?') { '&' } else { '?' };
    let mut next = format!("{path}{join}limit={limit}");
    loop {
        let answer = shop.get(&next).send().await.expect_status(200);
        let page: Value = answer.json();
        let data = page["data"].as_array().unwrap();
        items.extend(data.iter().cloned());
        if page["next_cursor"].is_null() {
            assert_eq!(answer.header("link"), "", "no link to a page that does not exist");
            return items;
        }
        assert_eq!(data.len(), limit, "only the last page may be short");
        let link = answer.header("link").to_owned();
        next = link.trim_start_matches('<').split_once(">; rel=\"next\"").unwrap().0.to_owned();
        assert!(next.ends_with(page["next_cursor"].as_str().unwrap()));
    }
}

pub fn ids(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

pub async fn listed(shop: &TestApp, query: &str) -> Vec<Value> {
    every_page(shop, &format!("/api/v1/products{query}"), 200).await
}
