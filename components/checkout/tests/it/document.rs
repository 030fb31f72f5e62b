//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use checkout::api::document::document;
use checkout::simulator::tokens::TOKENS;
use sdk::testing::assert_openapi;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&checkout::SERVICE, &document(), 14).await;
}

#[test]
fn who_may_ask_and_every_token_is_described() {
    let document = serde_json::to_value(document()).unwrap();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let buy = operation("/api/v1/checkouts", "post");
    for status in ["201", "202", "400", "401", "402", "403", "409", "422", "503"] {
        assert!(buy["responses"].get(status).is_some(), "{status}");
    }
    assert_eq!(buy["security"], serde_json::json!([{"token": []}]));
    let read = operation("/api/v1/checkouts/{id}", "get");
    assert_eq!(read["security"], serde_json::json!([{"token": []}, {"key": []}]));
    let token = document["components"]["schemas"]["Payment"]["properties"]["token"].to_string();
    for (name, _) in TOKENS {
        assert!(token.contains(name), "{name}");
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        if path.starts_with("/internal") || path.starts_with("/simulator") {
            for (method, operation) in operations.as_object().unwrap() {
                assert_eq!(operation["security"], serde_json::json!([{"service": []}]), "{method} {path}");
            }
        }
    }
}
