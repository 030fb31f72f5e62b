//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use orders::api::document::{CHECKED_IN, document};
use sdk::testing::{TestApp, assert_openapi};
use serde_json::Value;

#[test]
fn the_document_is_what_the_code_says() {
    assert_openapi("openapi.json", &document());
}

#[tokio::test]
async fn the_document_is_served_and_names_every_route() {
    let app = TestApp::of(&orders::SERVICE).without_database();
    let served: Value = app.get("/openapi.json").send().await.expect_status(200).json();
    assert_eq!(served, serde_json::from_str::<Value>(CHECKED_IN).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
    let paths = served["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, 15);
}

#[test]
fn who_may_ask_and_what_a_step_demands_is_described() {
    let document = serde_json::to_value(document()).unwrap();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let step = operation("/api/v1/orders/{id}/transitions", "post");
    for status in ["403", "404", "409", "412", "422", "428"] {
        assert!(step["responses"].get(status).is_some(), "{status}");
    }
    assert_eq!(step["security"], serde_json::json!([{"key": []}]));
    let read = operation("/api/v1/orders/{id}", "get");
    assert_eq!(read["security"], serde_json::json!([{"token": []}, {"key": []}]));
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    let not_found = &document["components"]["responses"]["NotFound"]["content"]["application/problem+json"];
    assert_eq!(not_found["example"]["code"], "order-not-found");
}

#[tokio::test]
async fn no_number_in_the_document_is_fractional() {
    fn check(value: &Value) {
        match value {
            Value::Number(number) => assert!(!number.is_f64(), "{number}"),
            Value::Array(items) => items.iter().for_each(check),
            Value::Object(members) => members.values().for_each(check),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    check(&serde_json::from_str(CHECKED_IN).unwrap());
}
