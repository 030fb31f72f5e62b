//! Somebody counts.

use futures_util::future::join_all;
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, Depot, MONTREAL, NEW, count, errors, int, outcome, stock_path};

#[tokio::test]
async fn what_is_counted_is_what_there_is() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let etag = depot.etag(MONTREAL, NEW).await;
    let counted = count(&depot.app, MONTREAL, NEW, 7, &etag).send().await.expect_status(200);
    assert_ne!(counted.header("etag"), etag);
    let row: Value = counted.json();
    assert_eq!((int(&row["on_hand"]), row["counted_at"].is_string()), (7, true));
    let reference = format!("count/{MONTREAL}/{NEW}/{}", int(&row["version"]));
    assert_eq!(depot.movements(&reference).await, [-3]);
    // That nothing was wrong is worth knowing, and moves nothing.
    let again = count(&depot.app, MONTREAL, NEW, 7, counted.header("etag")).send().await.expect_status(200);
    let again: Value = again.json();
    assert_eq!(int(&again["version"]), int(&row["version"]) + 1);
    assert_eq!(depot.movements(&format!("count/{MONTREAL}/{NEW}/{}", int(&again["version"]))).await, [0; 0]);
    depot.audited().await;
}

#[tokio::test]
async fn a_count_is_meant_for_a_version() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let request = depot.app.put(stock_path(MONTREAL, NEW)).as_role(Role::Manager).json(&json!({"on_hand": 1}));
    request.send().await.expect_problem(428, "if-match-required");
    let etag = depot.etag(MONTREAL, NEW).await;
    // Somebody buys between the reading and the counting.
    depot.reserve(1, &[(MONTREAL, NEW, 1)]).await;
    let response = count(&depot.app, MONTREAL, NEW, 9, &etag).send().await;
    response.expect_problem(412, "precondition-failed");
    assert_eq!(response.header("etag"), depot.etag(MONTREAL, NEW).await);
    count(&depot.app, MONTREAL, NEW, 9, "seven").send().await.expect_problem(400, "if-match-invalid");
    let _ = count(&depot.app, MONTREAL, NEW, 9, "*").send().await.expect_status(200);
    assert_eq!(depot.held(MONTREAL, NEW).await, (9, 1, 0));
    depot.audited().await;
}

/// A gateway sends a PUT again when it lost the answer: with an `If-Match` that the PUT itself made stale.
#[tokio::test]
async fn a_count_that_is_repeated_at_once_is_no_conflict() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let etag = depot.etag(MONTREAL, NEW).await;
    let first = count(&depot.app, MONTREAL, NEW, 7, &etag).send().await.expect_status(200);
    let again = count(&depot.app, MONTREAL, NEW, 7, &etag).send().await.expect_status(200);
    assert_eq!((again.header("etag"), &again.body), (first.header("etag"), &first.body));
    // Another count of that version is one, and so is the same when something happened since.
    count(&depot.app, MONTREAL, NEW, 8, &etag).send().await.expect_problem(412, "precondition-failed");
    depot.reserve(1, &[(MONTREAL, NEW, 1)]).await;
    count(&depot.app, MONTREAL, NEW, 7, &etag).send().await.expect_problem(412, "precondition-failed");
    depot.audited().await;
}

/// Invariant 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_counts_for_one_version_one_is_made() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 100).await;
    for _ in 0..5 {
        let etag = depot.etag(MONTREAL, NEW).await;
        let counts = (0..12).map(|n| {
            let request = count(&depot.app, MONTREAL, NEW, 200 + n, &etag);
            tokio::spawn(async move { (200 + n, request.send().await) })
        });
        let mut made = Vec::new();
        for counted in join_all(counts).await {
            let (on_hand, response) = counted.unwrap();
            match outcome(&response) {
                (200, _) => made.push(on_hand),
                other => assert_eq!(other, (412, "precondition-failed".to_owned())),
            }
        }
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(depot.held(MONTREAL, NEW).await, (made[0], 0, 0));
    }
    depot.audited().await;
}

#[tokio::test]
async fn what_is_promised_cannot_be_counted_away() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    depot.reserve(1, &[(MONTREAL, NEW, 6)]).await;
    let problem = count(&depot.app, MONTREAL, NEW, 5, "*").send().await.expect_problem(409, "count-below-reserved");
    assert_eq!((int(&problem["reserved"]), int(&problem["on_hand"])), (6, 10));
    let _ = count(&depot.app, MONTREAL, NEW, 6, "*").send().await.expect_status(200);
    assert_eq!(depot.held(MONTREAL, NEW).await, (6, 6, 0));
    depot.audited().await;
}

#[tokio::test]
async fn thresholds_come_with_a_count_and_stay_without_one() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let put = async |body: Value| {
        let request = depot.app.put(stock_path(MONTREAL, NEW)).as_role(Role::Manager).header("if-match", "*");
        request.json(&body).send().await
    };
    let levels = [
        (json!({"on_hand": 10, "threshold_low": 3, "threshold_high": 20}), "normal"),
        (json!({"on_hand": 3}), "low"),
        (json!({"on_hand": 4}), "normal"),
        (json!({"on_hand": 20}), "normal"),
        (json!({"on_hand": 21}), "over"),
        (json!({"on_hand": 21, "threshold_high": 21}), "normal"),
        (json!({"on_hand": 0}), "out"),
    ];
    for (body, level) in levels {
        let row: Value = put(body.clone()).await.expect_status(200).json();
        assert_eq!(row["level"], level, "{body}");
    }
    for (body, pointer, code) in [
        (json!({"on_hand": -1}), "/on_hand", "quantity-out-of-range"),
        (json!({"on_hand": 1_000_001}), "/on_hand", "quantity-out-of-range"),
        (json!({"on_hand": 1, "threshold_high": 2}), "/threshold_high", "thresholds-crossed"),
        (json!({"on_hand": 1, "threshold_low": 22}), "/threshold_low", "thresholds-crossed"),
        (json!({"on_hand": 1.5}), "/on_hand", "invalid-value"),
        (json!({}), "/on_hand", "missing-field"),
        (json!({"on_hand": 1, "colour": 1}), "/colour", "unknown-field"),
        (json!({"on_hand": 1, "note": "x".repeat(501)}), "/note", "text-invalid"),
    ] {
        let problem = put(body.clone()).await.expect_problem(422, "validation-failed");
        let found = errors(&problem);
        assert_eq!(found[0].0, pointer, "{body}");
        assert!(found[0].1 == code || code == "invalid-value", "{body}: {found:?}");
    }
    depot.audited().await;
}

#[tokio::test]
async fn what_was_never_there_is_not_counted() {
    let depot = Depot::open().await;
    for (location, product) in [(MONTREAL, NEW), (77, COKE), (MONTREAL, -1)] {
        count(&depot.app, location, product, 1, "*").send().await.expect_problem(404, "stock-not-found");
    }
}
