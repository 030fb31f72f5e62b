//! Problem documents, whole: what a client may rely on.

use serde_json::{Value, json};

use crate::support::{lemonade, manager, shop};

#[tokio::test]
async fn an_unknown_parameter() {
    let shop = shop().await;
    let answer = shop.get("/api/v1/products?colour=red").send().await;
    let expected = "unknown parameter `colour`, expected one of `q`, `category`, `ids`, `barcode`, \
        `status`, `updated_since`, `store`, `sort`, `limit`, `after`";
    assert_eq!(
        answer.problem(),
        json!({
            "type": "urn:comptoir:problem:invalid-query",
            "title": "Invalid query",
            "status": 400,
            "code": "invalid-query",
            "instance": "/api/v1/products",
            "request_id": "<request-id>",
            "errors": [{ "parameter": "colour", "code": "unknown-parameter", "detail": expected }],
        })
    );
}

#[tokio::test]
async fn a_product_that_is_not_there() {
    let shop = shop().await;
    assert_eq!(
        shop.get("/api/v1/products/999999").send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:product-not-found",
            "title": "Product not found",
            "status": 404,
            "detail": "there is no such product",
            "code": "product-not-found",
            "instance": "/api/v1/products/999999",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn a_product_that_is_wrong() {
    let shop = shop().await;
    let mut wrong = lemonade("lim");
    wrong["barcode"] = json!("123");
    assert_eq!(
        manager(shop.post("/api/v1/products")).json(&wrong).send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:validation-failed",
            "title": "Validation failed",
            "status": 422,
            "code": "validation-failed",
            "instance": "/api/v1/products",
            "request_id": "<request-id>",
            "errors": [
                {
                    "pointer": "/sku",
                    "code": "sku-invalid",
                    "detail": "must be upper-case letters and digits in groups joined by '-', '.' or '_', at most 40",
                },
                {
                    "pointer": "/barcode",
                    "code": "barcode-invalid",
                    "detail": "must be a GTIN of 8, 12, 13 or 14 digits with a valid check digit",
                },
            ],
        })
    );
}

#[tokio::test]
async fn a_sku_that_is_taken() {
    let shop = shop().await;
    assert_eq!(
        manager(shop.post("/api/v1/products")).json(&lemonade("COKE-355")).send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:sku-taken",
            "title": "Sku taken",
            "status": 409,
            "detail": "another product has this SKU",
            "code": "sku-taken",
            "instance": "/api/v1/products",
            "request_id": "<request-id>",
            "errors": [{ "pointer": "/sku", "code": "sku-taken", "detail": "another product has this SKU" }],
        })
    );
}

#[tokio::test]
async fn an_etag_that_is_stale() {
    let shop = shop().await;
    let delete = manager(shop.delete("/api/v1/products/1")).header("if-match", "\"0-0\"");
    assert_eq!(
        delete.send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:precondition-failed",
            "title": "Precondition failed",
            "status": 412,
            "detail": "it was changed in the meantime: read it again, and decide anew",
            "code": "precondition-failed",
            "instance": "/api/v1/products/1",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn a_price_that_overlaps() {
    let shop = shop().await;
    let promo = json!({
        "kind": "promo", "amount": { "amount": 1, "currency": "CAD" }, "ends_at": "2026-12-01T05:00:00Z",
    });
    let post = || manager(shop.post("/api/v1/products/1/prices")).json(&promo).send();
    assert_eq!(post().await.status, 201);
    assert_eq!(
        post().await.problem(),
        json!({
            "type": "urn:comptoir:problem:price-overlap",
            "title": "Price overlap",
            "status": 409,
            "detail": "another price of this kind and store is set for a part of this period",
            "code": "price-overlap",
            "instance": "/api/v1/products/1/prices",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn what_postgres_says_does_not_leak() {
    let shop = shop().await;
    shop.database().administer("alter table products rename to elsewhere").await;
    for path in ["/api/v1/products", "/api/v1/products/1"] {
        let problem = shop.get(path).send().await.expect_problem(500, "internal");
        let members: Vec<&String> = problem.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "instance", "request_id", "status", "title", "type"]);
        assert_eq!(problem["title"], Value::from("Internal"));
    }
}
