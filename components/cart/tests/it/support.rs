//! A cart service with a products service that a test can change, and the requests tests make.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Client, Clock, Role};
use serde_json::{Value, json};

pub const COKE: i64 = 1;
pub const SPRITE: i64 = 2;
pub const JUICE: i64 = 3;
/// A product that was withdrawn.
pub const ARCHIVED: i64 = 900;
/// No product at all.
pub const UNKNOWN: i64 = 5_000;

/// One cart service, its clock, and the products that it knows.
pub struct Shop {
    pub app: TestApp,
    pub clock: Clock,
    pub client: Client,
    pub catalogue: Catalogue,
}

/// A products service in the small: products 1 to 999 at 2.99 or what a test says.
#[derive(Clone, Default)]
pub struct Catalogue(Arc<Mutex<BTreeMap<i64, Value>>>);

impl Catalogue {
    pub fn set(&self, id: i64, member: &str, value: Value) {
        let mut products = self.0.lock().unwrap();
        products.entry(id).or_insert_with(|| product(id))[member] = value;
    }

    pub fn set_price(&self, id: i64, cents: i64) {
        self.set(id, "price", money(cents));
    }

    fn get(&self, id: i64) -> Option<Value> {
        let changed = self.0.lock().unwrap().get(&id).cloned();
        changed.or_else(|| (1..1_000).contains(&id).then(|| product(id)))
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/api/v1/products", get(list))
            .route("/api/v1/tax-categories", get(tax_categories))
            .with_state(self.clone())
    }
}

fn product(id: i64) -> Value {
    json!({
        "id": id, "sku": format!("P-{id}"), "name": format!("Product {id}"),
        "status": if id == ARCHIVED { "archived" } else { "active" },
        "price": money(299), "deposit": money(10), "tax_category": "standard",
    })
}

async fn list(State(catalogue): State<Catalogue>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let ids = query["ids"].split(',').map(|id| id.parse().unwrap());
    let data: Vec<Value> = ids.filter_map(|id| catalogue.get(id)).collect();
    Json(json!({"data": data, "next_cursor": null}))
}

async fn tax_categories() -> Json<Value> {
    Json(json!({
        "data": [{"code": "standard", "gst": "5.000", "qst": "9.975"}], "next_cursor": null,
    }))
}

impl Shop {
    /// At an instant that does not move by itself.
    pub async fn open() -> Shop {
        Shop::open_at(noon()).await
    }

    pub async fn open_at(now: Timestamp) -> Shop {
        let clock = Clock::fixed(now);
        let catalogue = Catalogue::default();
        let client = Client::from_routers([("products", catalogue.router())]);
        let app = TestApp::of(&cart::SERVICE).clock(clock.clone()).client(client.clone()).build().await;
        Shop { app, clock, client, catalogue }
    }

    /// Another replica over the same database.
    pub fn replica(&self) -> TestApp {
        TestApp::of(&cart::SERVICE).clock(self.clock.clone()).client(self.client.clone()).replica_of(&self.app)
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// An anonymous cart; its path.
    pub async fn cart(&self) -> String {
        self.cart_of(json!({})).await
    }

    pub async fn cart_of(&self, body: Value) -> String {
        let response = self.app.post("/api/v1/carts").json(&body).send().await.expect_status(201);
        response.header("location").to_owned()
    }

    /// The tag after it.
    pub async fn add(&self, cart: &str, product: i64, quantity: i64) -> String {
        let response = add(&self.app, cart, product, quantity).send().await.expect_status(200);
        response.header("etag").to_owned()
    }

    pub async fn read(&self, cart: &str) -> Value {
        self.app.get(cart).send().await.expect_status(200).json()
    }

    /// Product and quantity of each line.
    pub async fn lines(&self, cart: &str) -> Vec<(i64, i64)> {
        lines(&self.read(cart).await)
    }

    pub fn merge(&self, target: &str, source: &str) -> TestRequest {
        merge(&self.app, target, source)
    }

    pub fn consume(&self, cart: &str, checkout: u128, lines: &[(i64, i64)]) -> TestRequest {
        consume(&self.app, cart, checkout, lines)
    }
}

pub fn noon() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

pub fn add(app: &TestApp, cart: &str, product: i64, quantity: i64) -> TestRequest {
    let body = json!({"product_id": product, "quantity": quantity});
    app.post(format!("{cart}/items")).json(&body)
}

pub fn change(app: &TestApp, cart: &str, product: i64, delta: i64) -> TestRequest {
    app.patch(format!("{cart}/items/{product}")).json(&json!({"delta": delta}))
}

/// With `If-Match`, unless it is empty.
pub fn set(app: &TestApp, cart: &str, product: i64, quantity: i64, if_match: &str) -> TestRequest {
    let request = app.put(format!("{cart}/items/{product}"));
    conditional(request.json(&json!({"quantity": quantity})), if_match)
}

/// With `If-Match`, unless it is empty.
pub fn remove(app: &TestApp, cart: &str, product: i64, if_match: &str) -> TestRequest {
    conditional(app.delete(format!("{cart}/items/{product}")), if_match)
}

fn conditional(request: TestRequest, if_match: &str) -> TestRequest {
    match if_match.is_empty() {
        true => request,
        false => request.header("if-match", if_match),
    }
}

pub fn merge(app: &TestApp, target: &str, source: &str) -> TestRequest {
    app.post(format!("{target}/merge")).json(&json!({"from": id(source)}))
}

pub fn consume(app: &TestApp, cart: &str, checkout: u128, bought: &[(i64, i64)]) -> TestRequest {
    let lines: Vec<Value> =
        bought.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity})).collect();
    let body = json!({"checkout_id": uuid::Uuid::from_u128(checkout), "lines": lines});
    let path = format!("/internal/v1/carts/{}/consume", id(cart));
    app.post(path).as_role(Role::Service).json(&body)
}

/// The id in a cart's path.
pub fn id(cart: &str) -> &str {
    cart.rsplit('/').next().unwrap()
}

/// Product and quantity of each line of a body.
pub fn lines(body: &Value) -> Vec<(i64, i64)> {
    let line = |line: &Value| (int(&line["product_id"]), int(&line["quantity"]));
    body["lines"].as_array().unwrap().iter().map(line).collect()
}

pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

pub fn cents(value: &Value) -> i64 {
    int(&value["amount"])
}

/// Every problem with its status, for a request that may have one of several ends.
pub fn outcome(response: &TestResponse) -> (u16, String) {
    let code = match response.status.is_success() {
        true => String::new(),
        false => response.problem()["code"].as_str().unwrap().to_owned(),
    };
    (response.status.as_u16(), code)
}
