//! Who may do what: customer A never sees B, on any route.

use sdk::Role;
use sdk::testing::{TestApp, TestRequest};

use crate::support::Desk;

/// Every route about a customer, with bodies and headers that are wrong: who may not ask learns nothing
/// about them.
fn about(app: &TestApp, customer: &str) -> Vec<TestRequest> {
    let path = |rest: &str| format!("/api/v1/customers/{customer}{rest}");
    vec![
        app.get(path("")),
        app.patch(path("")),
        app.delete(path("")),
        app.put(path("/password")),
        app.get(path("/addresses")),
        app.post(path("/addresses")),
        app.get(path("/addresses/1")),
        app.put(path("/addresses/1")),
        app.delete(path("/addresses/1")),
        app.get(path("/loyalty")),
        app.get(path("/loyalty/entries")),
        app.get(path("/export")),
    ]
}

fn internal(app: &TestApp) -> Vec<TestRequest> {
    vec![
        app.get("/internal/v1/customers/1"),
        app.put("/internal/v1/loyalty/r1"),
        app.get("/internal/v1/events"),
        app.get("/internal/v1/audit"),
    ]
}

#[tokio::test]
async fn a_customer_never_sees_another() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    desk.address(&luc, "1, rue de Luc").await;
    // One that exists, and ones that do not: the answers are the same.
    for other in [luc.id.to_string(), "4711".to_owned(), "0".to_owned(), "-1".to_owned(), "x".to_owned()] {
        for request in about(&desk.app, &other) {
            let told = format!("{request:?}");
            let answer = request.as_customer(marie.id).header("if-match", "*").send().await;
            assert_eq!(answer.status, 404, "{told}");
            assert_eq!(answer.expect_problem(404, "customer-not-found")["detail"], "there is no such customer");
        }
    }
    // Nor by way of one's own path.
    let address = desk.app.get("/api/v1/customers/me/addresses/1").as_customer(marie.id).send().await;
    address.expect_problem(404, "address-not-found");
    let delete = desk.app.delete("/api/v1/customers/me/addresses/1").as_customer(marie.id).header("if-match", "*");
    let _ = delete.send().await.expect_status(204);
    assert_eq!(desk.count("addresses").await, 1, "what is another's is not there to be removed");
}

#[tokio::test]
async fn nobody_is_asked_to_sign_in() {
    let desk = Desk::open().await;
    for customer in ["me", "1"] {
        for request in about(&desk.app, customer) {
            let answer = request.send().await;
            answer.expect_problem(401, "authentication-required");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"comptoir\"");
        }
    }
    // A token counts with the gateway's word alone; and the gateway's word without a token is about nobody.
    let forged = desk.app.get("/api/v1/customers/1").header("authorization", "Bearer e30.eyJzdWIiOiIxIn0.c2ln");
    forged.send().await.expect_problem(401, "authentication-required");
    let nobody = desk.app.get("/api/v1/customers/1").as_role(Role::Customer);
    nobody.send().await.expect_problem(401, "token-invalid");
}

#[tokio::test]
async fn other_roles_may_not() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for role in [Role::Pos, Role::Logistics, Role::Service] {
        for request in about(&desk.app, &marie.id.to_string()) {
            request.as_role(role).send().await.expect_problem(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn what_is_internal_is_for_services_alone() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for request in internal(&desk.app) {
        request.send().await.expect_problem(401, "authentication-required");
    }
    for role in [Role::Pos, Role::Manager, Role::Logistics, Role::Hq] {
        for request in internal(&desk.app) {
            request.as_role(role).send().await.expect_problem(403, "forbidden");
        }
    }
    for request in internal(&desk.app) {
        request.as_customer(marie.id).send().await.expect_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn registering_and_signing_in_are_open_to_everybody() {
    let desk = Desk::open().await;
    for path in ["/api/v1/customers", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"] {
        for role in [Role::Anonymous, Role::Customer, Role::Pos, Role::Hq] {
            let answer = desk.app.post(path).as_role(role).json(&serde_json::json!({})).send().await;
            answer.expect_problem(422, "validation-failed");
        }
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_everywhere() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for rest in ["", "/addresses", "/loyalty", "/export"] {
        let request = desk.app.get(format!("{}{rest}?x=1", marie.path())).as_customer(marie.id);
        request.send().await.expect_problem(400, "invalid-query");
    }
    let buyer = desk.app.get(format!("/internal/v1/customers/{}?x=1", marie.id)).as_role(Role::Service);
    buyer.send().await.expect_problem(400, "invalid-query");
}
