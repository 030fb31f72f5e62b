//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use customers::api::document::document;
use sdk::testing::assert_openapi;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&customers::SERVICE, &document(), 20).await;
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
