//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use orders::api::document::document;
use sdk::testing::assert_openapi;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&orders::SERVICE, &document(), 15).await;
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
