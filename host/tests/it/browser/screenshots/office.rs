//! The head office's.

use http::Method;
use serde_json::{Value, json};

use super::Album;
use crate::support::browser::Browser;
use crate::support::platform::Platform;

pub async fn pictures(platform: &Platform, browser: &Browser, album: &Album) {
    two_weeks(platform).await;
    album.add(browser, "office-sign-in", "/office/sign-in", "h1").await;
    browser.fill("Staff key", &platform.key("hq")).await;
    browser.press("Come in").await;
    browser.arrives("/office").await;
    album.add(browser, "office-dashboard", "/office?period=week", ".readout").await;
    album.add(browser, "office-sales", "/office/sales?period=week", ".readout").await;
    album.add(browser, "office-sales-by-store", "/office/sales?period=week&group_by=store", "table").await;
    album.add(browser, "office-taxes", "/office/taxes", "table").await;
    album.add(browser, "office-stock", "/office/stock", ".request").await;
    album.add(browser, "office-prices", "/office/prices", "table").await;
    album.add(browser, "office-price", "/office/prices/1", "form").await;
    album.add(browser, "office-checks", "/office/books", "table").await;
    browser.press("Leave").await;
    browser.arrives("/office/sign-in").await;
}

/// One in each of four stores, and none that the pictures of the till have opened.
const REGISTERS: [i64; 4] = [12, 21, 31, 51];

/// Sales of four stores on fifteen days, some more and some less; and a request that waits.
async fn two_weeks(platform: &Platform) {
    let send = async |group: &str, method: Method, path: &str, body: Value| {
        let (key, once) = (platform.key(group), uuid::Uuid::now_v7().to_string());
        let headers = [("x-api-key", key.as_str()), ("idempotency-key", once.as_str())];
        platform.send(method, path, &headers, &body).await.expect_status(201);
    };
    for register in REGISTERS {
        let path = format!("/api/v1/registers/{register}/sessions");
        let drawer = json!({"cashier": "Julie", "opening_float": {"amount": 10_000, "currency": "CAD"}});
        send("pos", Method::POST, &path, drawer).await;
    }
    let now = jiff::Timestamp::now();
    for day in 0..15_i64 {
        for (place, register) in (0_i64..).zip(REGISTERS) {
            let units = 2 + (day * 7 + place * 5) % 6 + 2 * (3 - place);
            let sold_at = now - jiff::SignedDuration::from_hours(24 * day + place);
            let line = |product: i64, quantity: i64, cents: i64| {
                let price = json!({"amount": cents, "currency": "CAD"});
                json!({"product_id": product, "quantity": quantity, "unit_price": price})
            };
            let sale = json!({
                "register_id": register, "lines": [line(1, units, 299), line(3, 1 + units / 2, 349), line(5, 1, 599)],
                "payments": [{"method": "cash", "amount": {"amount": 20_000, "currency": "CAD"}}],
                "offline": {"sold_at": sold_at, "cashier": "Julie"},
            });
            send("pos", Method::PUT, &format!("/api/v1/sales/{}", uuid::Uuid::now_v7()), sale).await;
        }
    }
    let lines = json!([{"product_id": 37, "quantity": 24}, {"product_id": 111, "quantity": 36}]);
    let request = json!({"location_id": 3, "note": "Fin de semaine de l’Action de grâce", "lines": lines});
    send("manager", Method::POST, "/api/v1/restock-requests", request).await;
}
