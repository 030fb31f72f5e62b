//! Reading and changing an account.

use futures_util::future::join_all;
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Desk, assert_error, newcomer, seconds};

#[tokio::test]
async fn a_change_makes_a_version_and_another_tag() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.pass(seconds(60));
    let patch = |tag: &str, body: Value| {
        desk.app.patch("/api/v1/customers/me").as_customer(marie.id).header("if-match", tag).json(&body).send()
    };
    let changed = patch("\"1\"", json!({"name": "Marie Roy", "phone": null, "language": "en"})).await;
    let changed = changed.expect_status(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    let customer: Value = changed.json();
    assert_eq!((&customer["name"], &customer["phone"]), (&json!("Marie Roy"), &Value::Null));
    assert_eq!((&customer["language"], &customer["email"]), (&json!("en"), &json!("marie@example.com")));
    assert_eq!(customer["updated_at"], "2026-11-23T17:01:00Z");
    assert_eq!(desk.read(&marie).await.json::<Value>(), customer);

    let stale = patch("\"1\"", json!({"name": "Marie Tremblay"})).await;
    stale.expect_problem(412, "precondition-failed");
    assert_eq!(stale.header("etag"), "\"2\"");
    let without = desk.app.patch(marie.path()).as_customer(marie.id).json(&json!({"name": "M"})).send().await;
    without.expect_problem(428, "if-match-required");
    patch("2", json!({"name": "M"})).await.expect_problem(400, "if-match-invalid");
    let same = desk.app.get(marie.path()).as_customer(marie.id).header("if-none-match", "\"2\"").send().await;
    assert_eq!((same.expect_status(304).text().as_str(), desk.audit().await), ("", json!([])));
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_named() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for (body, pointer, code) in [
        (json!({"email": "marie"}), "/email", "email-invalid"),
        (json!({"email": null}), "/email", "invalid-type"),
        (json!({"name": ""}), "/name", "name-invalid"),
        (json!({"phone": "1"}), "/phone", "phone-invalid"),
        (json!({"password": "x"}), "/password", "unknown-field"),
    ] {
        let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "\"1\"");
        assert_error(&patch.json(&body).send().await, pointer, code);
    }
    let status = json!({"status": "suspended"});
    let own = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "\"1\"").json(&status);
    own.send().await.expect_problem(403, "forbidden");
    let erased = desk.app.patch(marie.path()).as_role(Role::Hq).header("if-match", "\"1\"");
    let erased = erased.json(&json!({"status": "erased"})).send().await;
    assert_error(&erased, "/status", "status-not-allowed");
    assert_eq!(desk.etag(&marie).await, "\"1\"");
}

#[tokio::test]
async fn an_address_of_mail_moves_and_is_free_again() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    let patch = |email: &str| {
        let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "*");
        patch.json(&json!({"email": email})).send()
    };
    let taken = patch("LUC@example.com").await;
    assert_eq!(taken.expect_problem(409, "email-taken")["errors"][0]["pointer"], "/email");
    let _ = patch("marie.roy@example.com").await.expect_status(200);
    desk.login(&marie.email, crate::support::PASSWORD).send().await.expect_problem(401, "credentials-invalid");
    let _ = desk.login("marie.roy@example.com", crate::support::PASSWORD).send().await.expect_status(200);
    let _ = desk.app.post("/api/v1/customers").json(&newcomer("marie")).send().await.expect_status(201);
    assert_eq!(desk.read(&luc).await.json::<Value>()["email"], "luc@example.com");
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn of_twenty_changes_with_one_tag_exactly_one_wins() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.app.warm_up().await;
    let answers = join_all((0..20).map(|number| {
        let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "\"1\"");
        patch.json(&json!({"name": format!("Marie {number}")})).send()
    }))
    .await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.expect_problem(412, "precondition-failed");
    }
    assert_eq!(desk.read(&marie).await.json::<Value>(), winners[0].json::<Value>());
    assert_eq!(desk.events().await.len(), 2, "the losers left no trace");
}

#[tokio::test]
async fn staff_reads_and_changes_anybody() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for (role, version) in [(Role::Manager, 1), (Role::Hq, 2)] {
        let read = desk.app.get(marie.path()).as_role(role).send().await.expect_status(200);
        let tag = read.header("etag").to_owned();
        assert_eq!(tag, format!("\"{version}\""));
        let patch = desk.app.patch(marie.path()).as_role(role).header("if-match", tag);
        let _ = patch.json(&json!({"name": format!("Marie {version}")})).send().await.expect_status(200);
    }
    for path in ["/api/v1/customers/me", "/api/v1/customers/4711", "/api/v1/customers/x"] {
        let read = desk.app.get(path).as_role(Role::Hq).send().await;
        read.expect_problem(404, "customer-not-found");
    }
}
