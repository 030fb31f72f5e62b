//! What comes and goes without a sale: all lines or none, once for each key.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, NEWER, QUEBEC, adjust, errors, int};

#[tokio::test]
async fn all_lines_are_made_in_one() {
    let depot = Depot::open().await;
    let lines = [(QUEBEC, NEW, 4), (MONTREAL, NEWER, 6), (MONTREAL, NEW, 5)];
    let response = adjust(&depot.app, &lines).send().await.expect_status(201);
    let made: Value = response.json();
    let rows: Vec<(i64, i64, i64, i64)> = made["stock"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (int(&row["location_id"]), int(&row["product_id"]), int(&row["on_hand"]), int(&row["version"])))
        .collect();
    assert_eq!(rows, [(MONTREAL, NEW, 5, 1), (MONTREAL, NEWER, 6, 1), (QUEBEC, NEW, 4, 1)]);
    let ledger = depot.app.get(response.header("location")).as_role(Role::Hq).send().await.expect_status(200);
    let ledger: Value = ledger.json();
    assert_eq!(ledger["data"].as_array().unwrap().len(), 3);
    assert_eq!(ledger["data"][0]["actor"], "consumer:manager-1");
    assert_eq!(ledger["data"][0]["reason"], "delivery");
    depot.audited().await;
}

#[tokio::test]
async fn one_line_that_cannot_be_made_undoes_the_others() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 5).await;
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    let lines = [(QUEBEC, NEW, 9), (MONTREAL, NEW, -4), (MONTREAL, NEWER, -1)];
    let problem = adjust(&depot.app, &lines).send().await.expect_problem(409, "insufficient-stock");
    assert_eq!(
        problem["shortages"],
        json!([
            {"location_id": MONTREAL, "product_id": NEW, "requested": 4, "available": 3},
            {"location_id": MONTREAL, "product_id": NEWER, "requested": 1, "available": 0},
        ])
    );
    assert_eq!(depot.held(MONTREAL, NEW).await, (5, 2, 0));
    let rows: Vec<(i64,)> = depot.ask("select count(*) from stock where product_id in (5000, 5001)").await;
    assert_eq!(rows, [(1,)], "not even a row is left behind");
    depot.audited().await;
}

#[tokio::test]
async fn a_key_makes_it_once() {
    let depot = Depot::open().await;
    let first = adjust(&depot.app, &[(MONTREAL, NEW, 5)]).idempotency_key("k").send().await.expect_status(201);
    let again = adjust(&depot.app, &[(MONTREAL, NEW, 5)]).idempotency_key("k").send().await.expect_status(201);
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    let other = adjust(&depot.app, &[(MONTREAL, NEW, 6)]).idempotency_key("k").send().await;
    other.expect_problem(422, "idempotency-key-reused");
    assert_eq!(depot.held(MONTREAL, NEW).await, (5, 0, 0));
    // What failed is not remembered: the key may be used when there is something to take.
    adjust(&depot.app, &[(MONTREAL, NEW, -6)])
        .idempotency_key("k2")
        .send()
        .await
        .expect_problem(409, "insufficient-stock");
    depot.deliver(MONTREAL, NEW, 1).await;
    let _ = adjust(&depot.app, &[(MONTREAL, NEW, -6)]).idempotency_key("k2").send().await.expect_status(201);
    depot.audited().await;
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let depot = Depot::open().await;
    let line = json!({"product_id": NEW, "delta": 1});
    for (body, expected) in [
        (json!({"reason": "delivery", "lines": []}), ("/lines", "lines-out-of-range")),
        (json!({"reason": "delivery", "lines": [line]}), ("/lines/0/location_id", "location-missing")),
        (json!({"reason": "delivery", "location_id": 8, "lines": [line]}), ("/location_id", "location-not-found")),
        (
            json!({"reason": "delivery", "location_id": 1,
                "lines": [line, {"product_id": NEW, "delta": 1, "location_id": 8}]}),
            ("/lines/1/location_id", "location-not-found"),
        ),
        (
            json!({"reason": "delivery", "location_id": 1, "lines": [{"product_id": NEW, "delta": 0}]}),
            ("/lines/0/delta", "delta-out-of-range"),
        ),
        (
            json!({"reason": "delivery", "location_id": 1, "lines": [line, line]}),
            ("/lines/1/product_id", "line-repeated"),
        ),
        (json!({"location_id": 1, "lines": [line]}), ("/reason", "missing-field")),
    ] {
        let request = depot.app.post("/api/v1/adjustments").as_role(Role::Hq).json(&body);
        let problem = request.send().await.expect_problem(422, "validation-failed");
        assert_eq!(errors(&problem), [(expected.0.to_owned(), expected.1.to_owned())], "{body}");
    }
    let rows: Vec<(i64,)> = depot.ask("select count(*) from stock where product_id = 5000").await;
    assert_eq!(rows, [(0,)]);
}
