//! What others are told: who and what kind, and nothing that would have to be erased again.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Desk, address};

#[tokio::test]
async fn every_change_is_told_with_the_version_it_made() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "*");
    let body = json!({"email": "marie.roy@example.com", "name": "Marie Roy", "language": "fr"});
    let _ = patch.json(&body).send().await.expect_status(200);
    let added = desk.address(&marie, "1, rue A").await;
    let path = format!("{}/addresses/{}", marie.path(), added["id"]);
    let put = desk.app.put(&path).as_customer(marie.id).header("if-match", "*").json(&address("2, rue B"));
    let _ = put.send().await.expect_status(200);
    let _ = desk.app.delete(&path).as_customer(marie.id).header("if-match", "*").send().await.expect_status(204);
    let suspend = desk.app.patch(marie.path()).as_role(Role::Hq).header("if-match", "*");
    let _ = suspend.json(&json!({"status": "suspended"})).send().await.expect_status(200);
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    let _ = desk.points("order-2", marie.id, "burn", 30).send().await.expect_status(200);
    let delete = desk.app.delete(marie.path()).as_role(Role::Hq).header("if-match", "*");
    let _ = delete.send().await.expect_status(204);

    let told = |event: &Value| {
        assert!(event["traceparent"].is_string() && event["occurred_at"] == "2026-11-23T17:00:00Z");
        json!([event["type"], event["subject"], event["subject_version"], event["payload"]])
    };
    let (id, customer, loyalty) = (marie.id, format!("customer/{}", marie.id), format!("loyalty/{}", marie.id));
    let of = |status: &str| json!({"customer_id": id, "status": status});
    let with = |status: &str, changed: &[&str]| json!({"customer_id": id, "status": status, "changed": changed});
    let points = |reference: &str, kind: &str, points: i64, balance: i64| json!({"customer_id": id, "reference": reference, "kind": kind, "points": points, "balance": balance});
    let events: Vec<Value> = desk.events().await.iter().map(told).collect();
    assert_eq!(
        events,
        [
            json!(["customer.registered", customer, 1, of("active")]),
            json!(["customer.changed", customer, 2, with("active", &["email", "name"])]),
            json!(["customer.changed", customer, 3, with("active", &["addresses"])]),
            json!(["customer.changed", customer, 4, with("active", &["addresses"])]),
            json!(["customer.changed", customer, 5, with("active", &["addresses"])]),
            json!(["customer.changed", customer, 6, with("suspended", &["status"])]),
            json!(["loyalty.changed", loyalty, 1, points("order-1", "earn", 70, 70)]),
            json!(["loyalty.changed", loyalty, 2, points("order-2", "burn", 30, 40)]),
            json!(["customer.erased", customer, 7, of("erased")]),
        ]
    );
}

#[tokio::test]
async fn signing_in_and_what_is_refused_is_nobody_s_business() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.signed_in(&marie).await;
    desk.login(&marie.email, "another password altogether").send().await.expect_problem(401, "credentials-invalid");
    let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "\"9\"");
    patch.json(&json!({"name": "M"})).send().await.expect_problem(412, "precondition-failed");
    desk.points("order-1", marie.id, "burn", 1).send().await.expect_problem(409, "points-insufficient");
    assert_eq!(desk.events().await.len(), 1);
}
