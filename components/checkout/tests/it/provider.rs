//! The provider by itself: what it does once, what it keeps apart, and what orders has it undo.

use sdk::Role;
use sdk::testing::{TestApp, TestRequest, TestResponse};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{Shop, money, uuid};

/// The simulator alone, by the name that the saga knows it by.
async fn provider() -> (TestApp, sdk::Client) {
    let client = sdk::Client::from_routers(Vec::<(String, _)>::new());
    let app = TestApp::of(&checkout::SERVICE).client(client.clone()).build().await;
    client.connect("payments", app.router());
    (app, client)
}

fn path(id: Uuid) -> String {
    format!("/simulator/v1/payments/{id}")
}

fn authorize(app: &TestApp, id: Uuid, amount: i64, token: &str) -> TestRequest {
    app.put(path(id)).as_role(Role::Service).json(&json!({"amount": money(amount), "token": token}))
}

fn post(app: &TestApp, id: Uuid, verb: &str) -> TestRequest {
    app.post(format!("{}/{verb}", path(id))).as_role(Role::Service)
}

fn refund(app: &TestApp, id: Uuid, refund: u128, amount: i64) -> TestRequest {
    let put = app.put(format!("/internal/v1/payments/{id}/refunds/{}", Uuid::from_u128(refund)));
    put.as_role(Role::Service).json(&json!({"amount": money(amount)}))
}

async fn status(app: &TestApp, id: Uuid) -> String {
    let body: Value = app.get(path(id)).as_role(Role::Service).send().await.expect_status(200).json();
    body["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_id_is_the_same_payment() {
    let (app, _) = provider().await;
    let id = Uuid::now_v7();
    for _ in 0..2 {
        let body: Value = authorize(&app, id, 100, "tok_ok").send().await.expect_status(200).json();
        assert_eq!((&body["status"], &body["amount"]), (&json!("authorized"), &money(100)));
    }
    authorize(&app, id, 101, "tok_ok").send().await.expect_problem(422, "payment-differs");
    authorize(&app, id, 100, "tok_slow").send().await.expect_problem(422, "payment-differs");
    for _ in 0..2 {
        let _ = post(&app, id, "capture").send().await.expect_status(200);
    }
    let captured: Value = authorize(&app, id, 100, "tok_ok").send().await.expect_status(200).json();
    assert_eq!(captured["status"], "captured");
}

#[tokio::test]
async fn what_it_does_not_know_and_does_not_take() {
    let (app, _) = provider().await;
    let id = Uuid::now_v7();
    app.get(path(id)).as_role(Role::Service).send().await.expect_problem(404, "payment-not-found");
    post(&app, id, "capture").send().await.expect_problem(404, "payment-not-found");
    authorize(&app, id, 100, "tok_of_somebody").send().await.expect_problem(422, "validation-failed");
    authorize(&app, id, -1, "tok_ok").send().await.expect_problem(422, "validation-failed");
    let declined: Value = authorize(&app, id, 100, "tok_insufficient").send().await.expect_status(402).json();
    assert_eq!((&declined["status"], &declined["reason"]), (&json!("declined"), &json!("insufficient-funds")));
    let _ = post(&app, id, "capture").send().await.expect_status(402);
    let _ = post(&app, id, "void").send().await.expect_status(200);
    assert_eq!(status(&app, id).await, "declined");
}

/// Whoever voids may be faster than whoever authorizes.
#[tokio::test]
async fn what_is_voided_before_it_is_authorized_never_is() {
    let (app, _) = provider().await;
    let id = Uuid::now_v7();
    for _ in 0..2 {
        post(&app, id, "void").send().await.expect_problem(404, "payment-not-found");
    }
    let late: Value = authorize(&app, id, 100, "tok_ok").send().await.expect_status(409).json();
    assert_eq!((&late["status"], &late["amount"]), (&json!("voided"), &Value::Null));
    let _ = post(&app, id, "capture").send().await.expect_status(409);
    // By the way that orders takes.
    let void = app.post(format!("/internal/v1/payments/{id}/void")).as_role(Role::Service);
    void.send().await.expect_problem(404, "payment-not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_void_and_a_capture_at_once_end_in_one_of_them() {
    let (app, _) = provider().await;
    app.warm_up().await;
    for _ in 0..20 {
        let id = Uuid::now_v7();
        let _ = authorize(&app, id, 100, "tok_ok").send().await.expect_status(200);
        let void = app.post(format!("/internal/v1/payments/{id}/void")).as_role(Role::Service);
        let sent: [JoinHandle<TestResponse>; 2] = [post(&app, id, "capture"), void].map(|r| tokio::spawn(r.send()));
        let [capture, void] = sent;
        let (capture, void) = (capture.await.unwrap(), void.await.unwrap());
        match (capture.status.as_u16(), void.status.as_u16()) {
            (200, 409) => assert_eq!(void.expect_problem(409, "payment-captured")["state"], "captured"),
            (409, 204) => assert_eq!(status(&app, id).await, "voided"),
            other => panic!("{other:?}"),
        }
    }
}

/// Invariant 10.
#[tokio::test]
async fn refunds_are_once_each_and_within_what_was_captured() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
    let (app, id) = (&shop.checkout, uuid(&body["payment_id"]));
    for _ in 0..2 {
        let paid: Value = refund(app, id, 1, 1_000).send().await.expect_status(200).json();
        assert_eq!(paid["amount"], money(1_000));
    }
    refund(app, id, 1, 999).send().await.expect_problem(422, "refund-differs");
    refund(app, id, 2, 119).send().await.expect_problem(409, "refund-above-captured");
    refund(app, id, 2, 0).send().await.expect_problem(422, "validation-failed");
    let _ = refund(app, id, 3, 118).send().await.expect_status(200);
    refund(app, id, 4, 1).send().await.expect_problem(409, "refund-above-captured");
    refund(app, Uuid::now_v7(), 1, 1).send().await.expect_problem(404, "payment-not-found");
    let authorized = Uuid::now_v7();
    let _ = authorize(app, authorized, 100, "tok_ok").send().await.expect_status(200);
    refund(app, authorized, 1, 1).send().await.expect_problem(409, "payment-not-captured");
    let _ = post(app, authorized, "void").send().await.expect_status(200);
    assert_eq!(shop.books(uuid(&body["id"])).await.refunded, 1_118);
    assert!(shop.checkout.violations().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refunds_at_once_never_sum_to_more_than_was_captured() {
    let (app, _) = provider().await;
    app.warm_up().await;
    let id = Uuid::now_v7();
    let _ = authorize(&app, id, 100, "tok_ok").send().await.expect_status(200);
    let _ = post(&app, id, "capture").send().await.expect_status(200);
    // Each twice, and together more than there is.
    let sent: Vec<_> = (0..16).map(|n| tokio::spawn(refund(&app, id, n / 2, 30).send())).collect();
    let mut paid = 0;
    for answer in sent {
        match answer.await.unwrap() {
            answer if answer.status == 200 => paid += 1,
            answer => drop(answer.expect_problem(409, "refund-above-captured")),
        }
    }
    assert_eq!(paid, 6, "three, each of them told twice");
}
