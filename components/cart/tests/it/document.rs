//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use cart::api::document::document;
use sdk::testing::assert_openapi;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&cart::SERVICE, &document(), 12).await;
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
