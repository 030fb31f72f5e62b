//! Problem documents as a whole: what a client is told, word for word.

use sdk::Role;
use serde_json::json;

use crate::support::{Shop, TILL, two_cokes_and_a_juice};

#[tokio::test]
async fn too_little_money() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let id = shop.id();
    let problem = shop.put(id, &two_cokes_and_a_juice(session, &[("cash", 1_000)])).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:validation-failed",
            "title": "Validation failed",
            "status": 422,
            "instance": format!("/api/v1/sales/{id}"),
            "code": "validation-failed",
            "request_id": "<request-id>",
            "payable": {"amount": 1_120, "currency": "CAD"},
            "missing": {"amount": 120, "currency": "CAD"},
            "errors": [{
                "pointer": "/payments",
                "code": "payment-insufficient",
                "detail": "1.20 of 11.20 are missing",
            }],
        })
    );
}

#[tokio::test]
async fn a_drawer_that_is_open() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let problem = shop.open_drawer(TILL).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:session-open",
            "title": "Session open",
            "status": 409,
            "detail": "a drawer is open at this register: close it first",
            "instance": "/api/v1/registers/12/sessions",
            "code": "session-open",
            "request_id": "<request-id>",
            "session_id": session,
        })
    );
}

#[tokio::test]
async fn a_sale_that_is_not_there() {
    let shop = Shop::open().await;
    let path = "/api/v1/sales/00000000-0000-7000-8000-000000000000";
    let problem = shop.app.get(path).as_role(Role::Pos).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:sale-not-found",
            "title": "Sale not found",
            "status": 404,
            "detail": "sale 00000000-0000-7000-8000-000000000000 does not exist",
            "instance": path,
            "code": "sale-not-found",
            "request_id": "<request-id>",
        })
    );
    let problem = shop.app.get("/api/v1/sales/1-2-000042").as_role(Role::Pos).send().await;
    problem.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_method_that_is_not_allowed() {
    let shop = Shop::open().await;
    let response = shop.app.delete("/api/v1/sales").as_role(Role::Hq).send().await;
    response.expect_problem(405, "method-not-allowed");
    assert_eq!(response.header("allow"), "GET,HEAD,POST");
}
