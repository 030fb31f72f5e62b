//! Who may read, and who may write.

use sdk::Role;
use sdk::testing::{TestApp, TestRequest};
use serde_json::json;

use crate::support::{lemonade, shop};

fn reads(shop: &TestApp) -> Vec<TestRequest> {
    vec![
        shop.get("/api/v1/products"),
        shop.get("/api/v1/products/1"),
        shop.get("/api/v1/products/1/prices"),
        shop.get("/api/v1/products/1/prices/1"),
        shop.get("/api/v1/categories"),
        shop.get("/api/v1/categories/dairy"),
        shop.get("/api/v1/tax-categories"),
        shop.get("/api/v1/tax-categories/standard"),
        shop.post("/api/v1/price-quotes").json(&json!({ "lines": [] })),
    ]
}

/// With bodies and headers that are wrong: who may not write learns nothing about them.
fn writes(shop: &TestApp) -> Vec<TestRequest> {
    vec![
        shop.post("/api/v1/products"),
        shop.put("/api/v1/products/1"),
        shop.patch("/api/v1/products/1"),
        shop.delete("/api/v1/products/1"),
        shop.post("/api/v1/products/import"),
        shop.post("/api/v1/products/1/prices"),
        shop.post("/api/v1/categories"),
        shop.post("/api/v1/tax-categories"),
        shop.post("/api/v1/tax-categories/standard/rates"),
    ]
}

#[tokio::test]
async fn everybody_reads_and_asks_for_quotes() {
    let shop = shop().await;
    for role in [Role::Anonymous, Role::Customer, Role::Pos, Role::Service] {
        for request in reads(&shop) {
            let answer = request.as_role(role).send().await;
            assert_eq!(answer.status, 200, "{role:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn nobody_writes_anonymously() {
    let shop = shop().await;
    for request in writes(&shop) {
        let answer = request.send().await;
        answer.expect_problem(401, "authentication-required");
        assert!(!answer.header("www-authenticate").is_empty());
    }
}

#[tokio::test]
async fn other_roles_do_not_write() {
    let shop = shop().await;
    for role in [Role::Customer, Role::Pos, Role::Logistics, Role::Service] {
        for request in writes(&shop) {
            request.as_role(role).send().await.expect_problem(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn manager_and_hq_write() {
    let shop = shop().await;
    for (role, sku) in [(Role::Manager, "LIM-1"), (Role::Hq, "LIM-2")] {
        let answer = shop.post("/api/v1/products").as_role(role).json(&lemonade(sku)).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        for request in writes(&shop) {
            let answer = request.as_role(role).send().await;
            assert!(![401, 403].contains(&answer.status.as_u16()), "{}", answer.text());
        }
    }
}
