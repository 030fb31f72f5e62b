//! Everything about a person, as one document.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD, seconds};

#[tokio::test]
async fn everything_about_a_person_is_in_it_and_nothing_else() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    desk.address(&luc, "9, rue de Luc").await;
    let _ = desk.points("order-of-luc", luc.id, "earn", 5).send().await.expect_status(200);
    let first = desk.address(&marie, "1, rue A").await;
    let second = desk.address(&marie, "2, rue B").await;
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    let _ = desk.points("order-2", marie.id, "burn", 20).send().await.expect_status(200);
    let tokens = desk.signed_in(&marie).await;
    let _ = desk.logout(&tokens["refresh_token"]).send().await.expect_status(204);
    desk.pass(seconds(60));
    desk.signed_in(&marie).await;
    desk.login(&marie.email, "another password altogether").send().await.expect_problem(401, "credentials-invalid");

    let answer = desk.app.get("/api/v1/customers/me/export").as_customer(marie.id).send().await.expect_status(200);
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"customer-{}.json\"", marie.id));
    assert_eq!(answer.header("cache-control"), "no-store");
    let export: Value = answer.json();
    assert_eq!(export["exported_at"], "2026-11-23T17:01:00Z");
    assert_eq!(export["customer"], desk.read(&marie).await.json::<Value>());
    assert_eq!(export["addresses"], json!([first, second]));
    assert_eq!(export["loyalty"]["balance"], 50);
    let references: Vec<_> = export["loyalty"]["entries"].as_array().unwrap().iter().map(|e| &e["reference"]).collect();
    assert_eq!(references, ["order-2", "order-1"]);
    assert_eq!(
        export["sessions"][0],
        json!({
            "signed_in_at": "2026-11-23T17:00:00Z", "refreshed_at": "2026-11-23T17:00:00Z",
            "expires_at": "2027-02-21T17:00:00Z", "ended_at": "2026-11-23T17:00:00Z", "ended_by": "logout",
        })
    );
    assert_eq!(export["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(export["failed_sign_ins"], json!(["2026-11-23T17:01:00Z"]));
    let text = answer.text().to_lowercase();
    for absent in ["luc", "argon2", PASSWORD, "hash", "crt_"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}

#[tokio::test]
async fn a_ledger_is_in_it_to_its_end() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    // More than one statement reads.
    desk.app
        .database()
        .administer(&format!(
            "insert into loyalty_entries (reference, customer_id, number, kind, points, balance_after, entered_at)
             select 'order-' || n, {id}, n, 'earn', 1, n, now() from generate_series(1, 2500) n;
             update loyalty_accounts set balance = 2500, version = 2500 where customer_id = {id}",
            id = marie.id
        ))
        .await;
    let read = desk.app.get(format!("{}/export", marie.path())).as_role(Role::Hq).send().await.expect_status(200);
    let export: Value = read.json();
    let numbers: Vec<i64> =
        export["loyalty"]["entries"].as_array().unwrap().iter().map(|e| e["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=2500).rev().collect::<Vec<i64>>());
    assert_eq!(desk.audit().await, json!([]));
}
