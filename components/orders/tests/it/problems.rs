//! Problem documents as a whole: what a client is told, word for word.

use sdk::Role;
use serde_json::json;

use crate::support::Shop;

#[tokio::test]
async fn a_step_that_is_none() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let problem = shop.step(&made, Role::Pos, "completed").await.send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:transition-not-allowed",
            "title": "Transition not allowed",
            "status": 409,
            "detail": "an order that is confirmed cannot become completed now",
            "instance": format!("{}/transitions", made.path()),
            "code": "transition-not-allowed",
            "request_id": "<request-id>",
            "state": "confirmed",
            "allowed": ["processing", "cancelled"],
        })
    );
}

#[tokio::test]
async fn an_order_that_is_not_there() {
    let shop = Shop::open().await;
    let path = "/api/v1/orders/00000000-0000-7000-8000-000000000000";
    let problem = shop.app.get(path).as_role(Role::Pos).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:order-not-found",
            "title": "Order not found",
            "status": 404,
            "detail": "order 00000000-0000-7000-8000-000000000000 does not exist",
            "instance": path,
            "code": "order-not-found",
            "request_id": "<request-id>",
        })
    );
    let problem = shop.app.get("/api/v1/orders/O-100001").as_role(Role::Pos).send().await;
    problem.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_code_that_is_wrong() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let problem = shop.pick_up(&made, "000").send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:pickup-code-wrong",
            "title": "Pickup code wrong",
            "status": 422,
            "instance": format!("{}/pickup", made.path()),
            "code": "pickup-code-wrong",
            "request_id": "<request-id>",
            "attempts_left": 4,
            "errors": [{
                "pointer": "/code",
                "code": "pickup-code-wrong",
                "detail": "this is not the code of this order",
            }],
        })
    );
}

#[tokio::test]
async fn more_than_was_sold() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let body = json!({"lines": [{"product_id": 3, "quantity": 2}]});
    let problem = shop.refund(&made, &body).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:validation-failed",
            "title": "Validation failed",
            "status": 422,
            "instance": format!("{}/refunds", made.path()),
            "code": "validation-failed",
            "request_id": "<request-id>",
            "errors": [{
                "pointer": "/lines/0/quantity",
                "code": "returned-more-than-sold",
                "detail": "at most 1 can still come back",
            }],
        })
    );
}

#[tokio::test]
async fn a_method_that_is_not_allowed() {
    let shop = Shop::open().await;
    let response = shop.app.delete("/api/v1/orders").as_role(Role::Hq).send().await;
    response.expect_problem(405, "method-not-allowed");
    assert_eq!(response.header("allow"), "GET,HEAD");
}
