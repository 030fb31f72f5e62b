//! An inventory with a clock that stands still, and the requests that tests make.

use jiff::{SignedDuration, Timestamp};
use sdk::testing::{TestApp, TestRequest, TestResponse};
use sdk::{Clock, Executor, FromRow, Role, params};
use serde_json::{Value, json};
use uuid::Uuid;

pub const MONTREAL: i64 = 1;
pub const QUEBEC: i64 = 2;
pub const WAREHOUSE: i64 = 100;
/// Products of the seed.
pub const COKE: i64 = 1;
/// Products that nobody has any of until a test says so.
pub const NEW: i64 = 5_000;
pub const NEWER: i64 = 5_001;

/// A line: location, product, units.
pub type Units = (i64, i64, i64);

pub struct Depot {
    pub app: TestApp,
    pub clock: Clock,
}

impl Depot {
    /// At the present, because the audit compares with the database's clock.
    pub async fn open() -> Depot {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let clock = Clock::fixed(now);
        let app = TestApp::of(&inventory::SERVICE).clock(clock.clone()).build().await;
        Depot { app, clock }
    }

    /// For many at once: with its connections open.
    pub async fn crowded() -> Depot {
        let depot = Depot::open().await;
        depot.app.warm_up().await;
        depot
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// So many units come to a location.
    pub async fn deliver(&self, location: i64, product: i64, units: i64) {
        let _ = adjust(&self.app, &[(location, product, units)]).send().await.expect_status(201);
    }

    pub async fn stock(&self, location: i64, product: i64) -> Value {
        let request = self.app.get(stock_path(location, product)).as_role(Role::Pos);
        request.send().await.expect_status(200).json()
    }

    /// On hand, reserved, in transit.
    pub async fn held(&self, location: i64, product: i64) -> (i64, i64, i64) {
        let row = self.stock(location, product).await;
        (int(&row["on_hand"]), int(&row["reserved"]), int(&row["in_transit"]))
    }

    pub async fn etag(&self, location: i64, product: i64) -> String {
        let request = self.app.get(stock_path(location, product)).as_role(Role::Pos);
        request.send().await.expect_status(200).header("etag").to_owned()
    }

    pub async fn reserve(&self, id: u128, lines: &[Units]) -> Value {
        reserve(&self.app, id, lines, 60).send().await.expect_status(201).json()
    }

    pub async fn turn(&self, id: u128, verb: &str) -> Value {
        turn(&self.app, id, verb).send().await.expect_status(200).json()
    }

    /// Units of each movement with that reference, by line.
    pub async fn movements(&self, reference: &str) -> Vec<i64> {
        let found = list(&self.app, &format!("/api/v1/movements?reference={reference}"), 200).await;
        found.iter().rev().map(|movement| int(&movement["delta"])).collect()
    }

    pub async fn expire(&self) {
        inventory::tasks::expire_reservations(self.app.context().clone()).await.unwrap();
    }

    /// That every rule is kept, and that the service had not one failure to report.
    pub async fn audited(&self) {
        assert_eq!(violations(&self.app).await, [] as [Value; 0]);
    }

    /// What PostgreSQL says, past the service.
    pub async fn ask<T: FromRow>(&self, sql: &str) -> Vec<T> {
        self.app.db().query(sql, params![]).await.unwrap()
    }
}

pub async fn violations(app: &TestApp) -> Vec<Value> {
    app.violations().await.into_iter().map(|violation| json!(violation)).collect()
}

pub fn uuid(id: u128) -> Uuid {
    Uuid::from_u128(0x0193_5b6e_0000_7000_8000_0000_0000_0000 + id)
}

pub fn stock_path(location: i64, product: i64) -> String {
    format!("/api/v1/stock/{location}/{product}")
}

fn quantities(lines: &[Units]) -> Value {
    let line = |(location, product, quantity): &Units| json!({"location_id": location, "product_id": product, "quantity": quantity});
    lines.iter().map(line).collect()
}

pub fn reserve(app: &TestApp, id: u128, lines: &[Units], ttl_s: i64) -> TestRequest {
    let request = app.put(format!("/internal/v1/reservations/{}", uuid(id))).as_role(Role::Service);
    request.json(&json!({"lines": quantities(lines), "ttl_s": ttl_s}))
}

pub fn turn(app: &TestApp, id: u128, verb: &str) -> TestRequest {
    app.post(format!("/internal/v1/reservations/{}/{verb}", uuid(id))).as_role(Role::Service)
}

pub fn issue(app: &TestApp, reference: &str, lines: &[Units], on_shortage: &str) -> TestRequest {
    let request = app.put(format!("/internal/v1/issues/{reference}")).as_role(Role::Service);
    request.json(&json!({"lines": quantities(lines), "on_shortage": on_shortage}))
}

pub fn receipt(app: &TestApp, reference: &str, lines: &[Units]) -> TestRequest {
    let request = app.put(format!("/internal/v1/receipts/{reference}")).as_role(Role::Service);
    request.json(&json!({"lines": quantities(lines)}))
}

pub fn adjust(app: &TestApp, lines: &[Units]) -> TestRequest {
    let line =
        |(location, product, delta): &Units| json!({"location_id": location, "product_id": product, "delta": delta});
    let lines: Value = lines.iter().map(line).collect();
    let request = app.post("/api/v1/adjustments").as_role(Role::Manager);
    request.json(&json!({"reason": "delivery", "lines": lines}))
}

pub fn count(app: &TestApp, location: i64, product: i64, on_hand: i64, if_match: &str) -> TestRequest {
    let request = app.put(stock_path(location, product)).as_role(Role::Manager).header("if-match", if_match);
    request.json(&json!({"on_hand": on_hand}))
}

/// Every item of a list, page by page, read by head office. Each page but the last is full.
pub async fn list(app: &TestApp, path: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let join = if path.contains('?') { '&' } else { '?' };
    let mut next = format!("{path}{join}limit={limit}");
    loop {
        let response = app.get(&next).as_role(Role::Hq).send().await.expect_status(200);
        let page: Value = response.json();
        let data = page["data"].as_array().unwrap();
        items.extend(data.iter().cloned());
        if page["next_cursor"].is_null() {
            assert_eq!(response.header("link"), "", "no link to a page that does not exist");
            return items;
        }
        assert_eq!(data.len(), limit, "only the last page may be short");
        next = response.header("link").trim_start_matches('<').split_once(">; rel=\"next\"").unwrap().0.to_owned();
    }
}

pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no integer"))
}

/// Status and code, for a request that may have one of several ends.
pub fn outcome(response: &TestResponse) -> (u16, String) {
    let code = match response.status.is_success() {
        true => String::new(),
        false => response.problem()["code"].as_str().unwrap().to_owned(),
    };
    (response.status.as_u16(), code)
}

/// Pointer (or parameter) and code of each error of a problem.
pub fn errors(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let error = |error: &Value| (text(error.get("pointer").unwrap_or(&error["parameter"])), text(&error["code"]));
    problem["errors"].as_array().unwrap().iter().map(error).collect()
}
