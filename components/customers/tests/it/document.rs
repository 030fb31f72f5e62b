//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use customers::api::document::{CHECKED_IN, document};
use sdk::testing::{TestApp, assert_openapi};
use serde_json::Value;

#[test]
fn the_document_is_what_the_code_says() {
    assert_openapi("openapi.json", &document());
}

#[tokio::test]
async fn the_document_is_served_and_names_every_route() {
    let app = TestApp::of(&customers::SERVICE).without_database();
    let served: Value = app.get("/openapi.json").send().await.expect_status(200).json();
    assert_eq!(served, serde_json::from_str::<Value>(CHECKED_IN).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
    let paths = served["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, 20);
}

#[test]
fn what_is_demanded_and_who_may_ask_is_described() {
    let document = serde_json::to_value(document()).unwrap();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let (customers, customer) = ("/api/v1/customers", "/api/v1/customers/{id}");
    for method in ["patch", "delete"] {
        for status in ["401", "403", "404", "412", "428"] {
            assert!(operation(customer, method)["responses"].get(status).is_some(), "{method} {status}");
        }
        let schemes = &operation(customer, method)["security"];
        assert_eq!(schemes, &serde_json::json!([{"token": []}, {"key": []}]));
    }
    assert!(operation(customers, "post").get("security").is_none(), "registering is open");
    assert!(operation(customers, "post")["responses"].get("401").is_none());
    let tokens = &document["components"]["securitySchemes"]["token"];
    assert_eq!((&tokens["type"], &tokens["scheme"]), (&"http".into(), &"bearer".into()));
    assert_eq!(document["components"]["schemas"]["NewCustomer"]["properties"]["password"]["minLength"], 12);
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
