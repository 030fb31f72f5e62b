//! Imports: a result for each line, and no line depends on another.

use sdk::testing::{TestApp, TestResponse};
use serde_json::{Value, json};

use crate::support::{
    SECOND, cad, every_page, ids, later, lemonade, listed, manager, priced, product, shop, without_price,
};

async fn import(shop: &TestApp, body: impl Into<String>) -> TestResponse {
    let post = manager(shop.post("/api/v1/products/import"));
    post.body("application/x-ndjson", body.into()).send().await
}

async fn results(shop: &TestApp, body: impl Into<String>) -> Vec<Value> {
    let answer = import(shop, body).await.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

fn lines(products: &[Value]) -> String {
    products.iter().map(|product| format!("{product}\n")).collect()
}

#[tokio::test]
async fn an_import_may_be_repeated() {
    let shop = shop().await;
    let body = lines(&[lemonade("IMP-1"), lemonade("IMP-2"), lemonade("IMP-3")]);
    let first = results(&shop, &body).await;
    assert_eq!(outcomes(&first), ["created"; 3]);
    let before = listed(&shop, "?q=imp&sort=id").await;
    later(&shop, SECOND);
    let second = results(&shop, &body).await;
    assert_eq!(outcomes(&second), ["unchanged"; 3]);
    assert_eq!(listed(&shop, "?q=imp&sort=id").await, before, "not even a version");
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((&first["id"], &first["line"]), (&second["id"], &second["line"]));
    }
}

#[tokio::test]
async fn a_line_replaces_what_has_its_sku() {
    let shop = shop().await;
    results(&shop, lemonade("IMP-1").to_string()).await;
    later(&shop, SECOND);
    let mut renamed = without_price(lemonade("IMP-1"));
    renamed["name"] = json!("Limonade rose");
    let mut dearer = renamed.clone();
    dearer["price"] = cad(279);
    let found = results(&shop, lines(&[renamed.clone(), dearer.clone()])).await;
    assert_eq!(outcomes(&found), ["updated"; 2]);
    let after = product(&shop, found[0]["id"].as_i64().unwrap()).await;
    assert_eq!((&after["name"], &after["price"]), (&json!("Limonade rose"), &cad(279)));
    assert_eq!(after["version"], 3);
    assert_eq!(outcomes(&results(&shop, lines(&[renamed, dearer])).await), ["unchanged"; 2]);
    let prices = every_page(&shop, &format!("/api/v1/products/{}/prices", after["id"]), 200).await;
    assert_eq!(prices.len(), 2);
}

#[tokio::test]
async fn a_line_that_is_wrong_says_where_and_stops_no_other() {
    let shop = shop().await;
    let mut unknown_category = lemonade("IMP-2");
    unknown_category["category"] = json!("unheard-of");
    let mut fraction = lemonade("IMP-3");
    fraction["price"]["amount"] = json!(2.5);
    let mut barcode_taken = lemonade("IMP-4");
    barcode_taken["barcode"] = json!("628501000376");
    let body = [
        lemonade("IMP-1").to_string(),
        "{\"sku\": \"IMP".to_owned(),
        String::new(),
        "  ".to_owned(),
        unknown_category.to_string(),
        fraction.to_string(),
        barcode_taken.to_string(),
        without_price(lemonade("IMP-5")).to_string(),
        json!({ "sku": "imp 6", "name": "", "category": "dairy", "tax_category": "standard" }).to_string(),
        format!("{{\"name\":\"{}\"}}", "x".repeat(70_000)),
        lemonade("IMP-9").to_string(),
    ]
    .join("\n");
    let found = results(&shop, body).await;
    let told: Vec<_> = found
        .iter()
        .map(|result| {
            let code = result["code"].as_str().unwrap_or_default();
            let pointers: Vec<&str> = result["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|error| error["pointer"].as_str().unwrap())
                .collect();
            (result["line"].as_i64().unwrap(), result["outcome"].as_str().unwrap(), code, pointers)
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, "created", "", vec![]),
            (2, "failed", "json-malformed", vec![]),
            (5, "failed", "validation-failed", vec!["/category"]),
            (6, "failed", "validation-failed", vec!["/price/amount"]),
            (7, "failed", "barcode-taken", vec!["/barcode"]),
            (8, "failed", "validation-failed", vec!["/price"]),
            (9, "failed", "validation-failed", vec!["/sku", "/name"]),
            (10, "failed", "content-too-large", vec![]),
            (11, "created", "", vec![]),
        ]
    );
    assert_eq!(ids(&listed(&shop, "?q=imp&sort=id").await).len(), 2);
}

#[tokio::test]
async fn a_price_that_is_announced_is_not_overruled() {
    let shop = shop().await;
    results(&shop, lemonade("IMP-1").to_string()).await;
    let id = ids(&listed(&shop, "?q=imp-1").await)[0];
    let announced = json!({ "kind": "regular", "amount": cad(300), "starts_at": "2026-12-01T05:00:00Z" });
    priced(&shop, id, announced).await;
    later(&shop, SECOND);
    let mut dearer = lemonade("IMP-1");
    dearer["price"] = cad(279);
    let found = results(&shop, lines(&[dearer, lemonade("IMP-1")])).await;
    assert_eq!(outcomes(&found), ["failed", "unchanged"]);
    assert_eq!(found[0]["code"], "price-overlap");
}

#[tokio::test]
async fn an_import_has_limits_and_a_media_type() {
    let shop = shop().await;
    let post = manager(shop.post("/api/v1/products/import"));
    let answer = post.body("application/json", lemonade("IMP-1").to_string()).send().await;
    answer.expect_problem(415, "unsupported-media-type");
    assert_eq!(results(&shop, "").await, [] as [Value; 0]);
    assert_eq!(results(&shop, "\n\n").await, [] as [Value; 0]);

    let found = results(&shop, "{}\n".repeat(2_005)).await;
    assert_eq!(found.len(), 2_001);
    assert_eq!(found[2_000], json!({ "line": 2_001, "outcome": "failed", "code": "too-many-lines" }));
}
