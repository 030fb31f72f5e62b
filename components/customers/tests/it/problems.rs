//! Problem documents as a whole: what a client is told, word for word.

use serde_json::json;

use crate::support::{Desk, newcomer};

#[tokio::test]
async fn a_password_that_is_wrong() {
    let desk = Desk::open().await;
    let problem = desk.login("marie@example.com", "another password altogether").send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:credentials-invalid",
            "title": "Credentials invalid",
            "status": 401,
            "detail": "the e-mail address or the password is wrong",
            "instance": "/api/v1/auth/login",
            "code": "credentials-invalid",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn an_account_that_is_locked() {
    let desk = Desk::open().await;
    for _ in 0..10 {
        desk.login("marie@example.com", "another password altogether").send().await;
    }
    let problem = desk.login("marie@example.com", "another password altogether").send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:account-locked",
            "title": "Account locked",
            "status": 429,
            "detail": "too many wrong passwords: wait as long as Retry-After says, in seconds",
            "instance": "/api/v1/auth/login",
            "code": "account-locked",
            "request_id": "<request-id>",
        })
    );
}

#[tokio::test]
async fn an_address_that_is_taken() {
    let desk = Desk::open().await;
    desk.register("marie").await;
    let problem = desk.app.post("/api/v1/customers").json(&newcomer("marie")).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:email-taken",
            "title": "Email taken",
            "status": 409,
            "detail": "another account has this e-mail address",
            "instance": "/api/v1/customers",
            "code": "email-taken",
            "request_id": "<request-id>",
            "errors": [{
                "pointer": "/email",
                "code": "email-taken",
                "detail": "sign in with it, or use another",
            }],
        })
    );
}

#[tokio::test]
async fn a_password_that_is_too_short() {
    let desk = Desk::open().await;
    let mut body = newcomer("marie");
    body["password"] = json!("hunter2");
    let problem = desk.app.post("/api/v1/customers").json(&body).send().await.problem();
    assert_eq!(
        problem["errors"],
        json!([{
            "pointer": "/password",
            "code": "password-too-short",
            "detail": "must have at least 12 characters; some words in a row are easy to remember",
        }])
    );
}

#[tokio::test]
async fn points_that_are_not_there() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let _ = desk.points("order-1", marie.id, "earn", 5).send().await.expect_status(200);
    let problem = desk.points("order-2", marie.id, "burn", 6).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:points-insufficient",
            "title": "Points insufficient",
            "status": 409,
            "detail": "the account has 5 points, which is less than what is to be burned",
            "instance": "/internal/v1/loyalty/order-2",
            "code": "points-insufficient",
            "request_id": "<request-id>",
            "balance": 5,
        })
    );
}
