//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use cart::api::document::{CHECKED_IN, document};
use sdk::testing::{TestApp, assert_openapi};
use serde_json::Value;

#[test]
fn the_document_is_what_the_code_says() {
    assert_openapi("openapi.json", &document());
}

#[tokio::test]
async fn the_document_is_served_and_names_every_route() {
    let app = TestApp::of(&cart::SERVICE).without_database();
    let served: Value = app.get("/openapi.json").send().await.expect_status(200).json();
    assert_eq!(served, serde_json::from_str::<Value>(CHECKED_IN).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
    let paths = served["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, 11);
}

#[test]
fn a_cart_that_is_gone_is_described_and_a_version_that_is_optional_is_not_demanded() {
    let document = serde_json::to_value(document()).unwrap();
    let answers =
        |path: &str, method: &str, status: &str| document["paths"][path][method]["responses"].get(status).is_some();
    let (items, item) = ("/api/v1/carts/{id}/items", "/api/v1/carts/{id}/items/{product_id}");
    assert!(answers("/api/v1/carts/{id}", "get", "410") && !answers("/api/v1/carts", "post", "410"));
    for (path, method, demanded) in
        [(items, "post", false), (item, "patch", false), (item, "put", true), (item, "delete", true)]
    {
        assert!(answers(path, method, "412"), "{method} {path}");
        assert_eq!(answers(path, method, "428"), demanded, "{method} {path}");
    }
    let gone = &document["components"]["responses"]["Gone"]["content"]["application/problem+json"];
    assert_eq!(gone["example"]["title"], "Cart expired");
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
