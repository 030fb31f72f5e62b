//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use reports::api::document::document;
use sdk::testing::assert_openapi;
use serde_json::json;

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&reports::SERVICE, &document(), 10).await;
}

#[test]
fn what_a_report_may_be_asked_for_is_described() {
    let document = serde_json::to_value(document()).unwrap();
    let sales = &document["paths"]["/api/v1/reports/sales"]["get"];
    let content = sales["responses"]["200"]["content"].as_object().unwrap();
    assert_eq!(content.keys().collect::<Vec<_>>(), ["application/json", "text/csv"]);
    assert!(sales["responses"].get("406").is_some());
    assert_eq!(sales["security"], json!([{"key": []}]));
    let begin = &document["paths"]["/api/v1/reports/rebuilds"]["post"];
    for status in ["202", "403", "409"] {
        assert!(begin["responses"].get(status).is_some(), "{status}");
    }
    let not_found = &document["components"]["responses"]["NotFound"]["content"]["application/problem+json"];
    assert_eq!(not_found["example"]["code"], "rebuild-not-found");
}
