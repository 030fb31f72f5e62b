//! One step after the other, and no other.

use sdk::Role::{Hq, Logistics, Manager, Pos};
use serde_json::{Value, json};

use crate::support::{Shop, cents};

const AT_ONCE: usize = 20;

#[tokio::test]
async fn from_the_checkout_to_the_customers_hands() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let mut tags = vec![shop.etag(&made).await];
    for (role, to) in [(Logistics, "processing"), (Pos, "ready"), (Pos, "completed")] {
        let response = shop.step(&made, role, to).await.send().await.expect_status(200);
        tags.push(response.header("etag").to_owned());
        let order: Value = response.json();
        assert_eq!((order["status"].as_str(), order["payment_status"].as_str()), (Some(to), Some("paid")));
    }
    assert_eq!(tags, ["\"2\"", "\"3\"", "\"4\"", "\"5\""]);
    assert_eq!(
        shop.timeline(&made).await,
        [
            "status - pending service:test",
            "payment unpaid paid service:test",
            "status pending confirmed service:test",
            "status confirmed processing consumer:logistics-1",
            "status processing ready consumer:pos-1",
            "status ready completed consumer:pos-1",
        ]
    );
    shop.audited().await;
}

#[tokio::test]
async fn anything_else_is_a_conflict_that_says_what_is_allowed() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let all = ["pending", "confirmed", "processing", "ready", "completed", "cancelled"];
    for (state, allowed) in [
        ("confirmed", vec!["processing", "cancelled"]),
        ("processing", vec!["ready", "cancelled"]),
        ("ready", vec!["completed", "cancelled"]),
        ("completed", vec![]),
    ] {
        if state != "confirmed" {
            let _ = shop.step(&made, Hq, state).await.send().await.expect_status(200);
        }
        for to in all.iter().filter(|to| !allowed.contains(to)) {
            let problem = shop.step(&made, Hq, to).await.send().await.expect_problem(409, "transition-not-allowed");
            assert_eq!((&problem["allowed"], &problem["state"]), (&json!(allowed), &json!(state)), "to {to}");
        }
    }
    let cancelled = shop.confirmed().await;
    let _ = shop.step(&cancelled, Pos, "cancelled").await.send().await.expect_status(200);
    for to in all {
        let problem = shop.step(&cancelled, Hq, to).await.send().await.expect_problem(409, "transition-not-allowed");
        assert_eq!(problem["allowed"], json!([]));
    }
    shop.audited().await;
}

#[tokio::test]
async fn nothing_is_confirmed_before_it_is_paid() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    let problem = shop.step(&made, Hq, "confirmed").await.send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!(problem["allowed"], json!(["cancelled"]));
    // The checkout was lost between the capture and the confirmation, and staff sees that it is paid.
    shop.peers.set(&made, "committed", "captured");
    let _ = shop.tell(&made, "captured", 1, made.total()).send().await.expect_status(200);
    let order: Value = shop.step(&made, Hq, "confirmed").await.send().await.expect_status(200).json();
    assert_eq!((&order["status"], cents(&order["captured"])), (&json!("confirmed"), made.total()));
    // Which is what the checkout finds when it comes back.
    let again: Value = shop.confirm(&made).send().await.expect_status(200).json();
    assert_eq!(again, order);
    shop.audited().await;
}

#[tokio::test]
async fn nothing_goes_on_once_all_of_the_money_went_back() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let _ = shop.refund(&made, &json!({})).send().await.expect_status(201);
    let problem = shop.step(&made, Hq, "processing").await.send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!(problem["allowed"], json!(["cancelled"]));
    let _ = shop.step(&made, Hq, "cancelled").await.send().await.expect_status(200);
    assert_eq!(shop.peers.restocked(1), 2, "what came back once does not come back twice");
    shop.audited().await;
}

/// Invariant 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_steps_with_one_etag_exactly_one_wins() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let tag = shop.etag(&made).await;
    let steps = (0..AT_ONCE).map(|number| {
        let to = if number % 2 == 0 { "processing" } else { "cancelled" };
        shop.step_from(&made, Manager, to, &tag)
    });
    let answers = shop.at_once(steps).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.expect_problem(412, "precondition-failed");
    }
    shop.settle().await;
    shop.audited().await;
}

#[tokio::test]
async fn a_step_needs_the_version_that_it_is_meant_for() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let path = format!("{}/transitions", made.path());
    let without = shop.app.post(&path).as_role(Pos).json(&json!({"to": "processing"}));
    without.send().await.expect_problem(428, "if-match-required");
    let old = shop.step_from(&made, Pos, "processing", "\"1\"").send().await;
    old.expect_problem(412, "precondition-failed");
    assert_eq!(old.header("etag"), "\"2\"");
    let weak = shop.step_from(&made, Pos, "processing", "W/\"2\"").send().await;
    weak.expect_problem(412, "precondition-failed");
    let _ = shop.step_from(&made, Pos, "processing", "*").send().await.expect_status(200);
}

#[tokio::test]
async fn a_step_that_is_sent_again_with_its_key_is_taken_once() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let tag = shop.etag(&made).await;
    let send = |to: &str| shop.step_from(&made, Pos, to, &tag).idempotency_key("step-1").send();
    let first = send("processing").await.expect_status(200);
    let again = send("processing").await.expect_status(200);
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    send("ready").await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(shop.timeline(&made).await.len(), 4);
}

#[tokio::test]
async fn what_is_no_step_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let long = "x".repeat(501);
    for (body, pointer, code) in [
        (json!({"to": "lost"}), "/to", "invalid-value"),
        (json!({}), "/to", "missing-field"),
        (json!({"to": "processing", "note": long}), "/note", "length-out-of-range"),
        (json!({"to": "processing", "when": "now"}), "/when", "unknown-field"),
    ] {
        let post = shop.app.post(format!("{}/transitions", made.path())).as_role(Pos);
        let problem = post.header("if-match", "*").json(&body).send().await;
        let problem = problem.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let note = json!({"to": "processing", "note": " fragile "});
    let post = shop.app.post(format!("{}/transitions", made.path())).as_role(Pos);
    let _ = post.header("if-match", "*").json(&note).send().await.expect_status(200);
    let timeline = shop.app.get(format!("{}/timeline", made.path())).as_customer(crate::support::CUSTOMER);
    let timeline: Value = timeline.send().await.expect_status(200).json();
    assert_eq!(timeline["data"][3]["note"], "fragile");
}

/// Also by those who know SQL.
#[tokio::test]
async fn the_timeline_is_only_appended_to() {
    use sdk::{Executor, params};
    let shop = Shop::open().await;
    let made = shop.pending().await;
    for statement in ["update timeline set note = 'x'", "delete from timeline"] {
        let refused = shop.app.db().execute(statement, params![]).await.unwrap_err();
        assert!(refused.to_string().contains("only appended to"), "{refused}");
    }
    assert_eq!(shop.timeline(&made).await.len(), 1);
}
