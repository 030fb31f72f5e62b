//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use sales::api::document::document;
use sdk::testing::assert_openapi;

use crate::support::Shop;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&sales::SERVICE, &document(), 23).await;
}

#[tokio::test]
async fn every_operation_of_it_is_answered() {
    let shop = Shop::open().await;
    let document = serde_json::to_value(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let id = if path.contains("/registers/") { "12".to_owned() } else { shop.id().to_string() };
        let path = path.replace("{id}", &id).replace("{order_id}", &id);
        for method in operations.as_object().unwrap().keys() {
            let response = shop.app.request(method.to_uppercase().parse().unwrap(), &path).send().await;
            assert_eq!(response.status, 401, "{method} {path}");
        }
    }
}

#[test]
fn every_operation_says_who_and_what() {
    let document = serde_json::to_value(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("{method} {path}");
            let who = if path.starts_with("/internal") { "service" } else { "key" };
            assert_eq!(operation["security"], serde_json::json!([{who: []}]), "{at}");
            assert!(operation["summary"].is_string(), "{at}");
            for status in ["401", "403", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{at} {status}");
            }
        }
    }
    let receipt = &document["paths"]["/api/v1/sales/{id}/receipt"]["get"]["responses"]["200"]["content"];
    assert!(receipt.get("text/plain").is_some() && receipt.get("text/html").is_some());
}
