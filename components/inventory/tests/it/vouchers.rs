//! Sales and returns at the counter: each once, and what an offline till sold without stock.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, NEWER, issue, list, outcome, receipt};

#[tokio::test]
async fn a_sale_moves_its_units_once() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    depot.deliver(MONTREAL, NEWER, 10).await;
    let lines = [(MONTREAL, NEWER, 1), (MONTREAL, NEW, 3)];
    let first: Value = issue(&depot.app, "s-1", &lines, "refuse").send().await.expect_status(201).json();
    assert_eq!(first["reference"], "issue/s-1");
    assert_eq!(
        first["lines"][0],
        json!({"line": 1, "location_id": MONTREAL, "product_id": NEW, "quantity": 3, "moved": 3, "missing": 0})
    );
    depot.pass(5);
    let again: Value = issue(&depot.app, "s-1", &[lines[1], lines[0]], "refuse").send().await.expect_status(200).json();
    assert_eq!(again, first);
    assert_eq!(depot.held(MONTREAL, NEW).await, (7, 0, 0));
    assert_eq!(depot.movements("issue/s-1").await, [-3, -1]);
    for (other, mode) in
        [(&lines[..1], "refuse"), (&[(MONTREAL, NEWER, 1), (MONTREAL, NEW, 2)], "refuse"), (&lines, "record")]
    {
        issue(&depot.app, "s-1", other, mode).send().await.expect_problem(409, "voucher-differs");
    }
    depot.audited().await;
}

#[tokio::test]
async fn a_return_brings_units_back_once_and_has_names_of_its_own() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let _ = issue(&depot.app, "s-1", &[(MONTREAL, NEW, 3)], "refuse").send().await.expect_status(201);
    for status in [201, 200] {
        let _ = receipt(&depot.app, "s-1", &[(MONTREAL, NEW, 2)]).send().await.expect_status(status);
    }
    receipt(&depot.app, "s-1", &[(MONTREAL, NEW, 3)]).send().await.expect_problem(409, "voucher-differs");
    assert_eq!(depot.held(MONTREAL, NEW).await, (9, 0, 0));
    // What was never here may come back here.
    let _ = receipt(&depot.app, "r-2", &[(MONTREAL, NEWER, 1)]).send().await.expect_status(201);
    assert_eq!(depot.held(MONTREAL, NEWER).await, (1, 0, 0));
    depot.audited().await;
}

/// Comes and goes in one transaction: the ledger shows both, and nobody can be promised it.
#[tokio::test]
async fn what_is_brought_back_damaged_is_written_off_at_once() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let _ = issue(&depot.app, "s-1", &[(MONTREAL, NEW, 3)], "refuse").send().await.expect_status(201);
    let damaged = |condition: &str| {
        let body = json!({
            "location_id": MONTREAL, "condition": condition,
            "lines": [{"product_id": NEW, "quantity": 2}, {"product_id": NEWER, "quantity": 1}],
        });
        depot.app.put("/internal/v1/receipts/r-1").as_role(sdk::Role::Service).json(&body)
    };
    for status in [201, 200] {
        let recorded: Value = damaged("damaged").send().await.expect_status(status).json();
        assert_eq!(recorded["lines"][0]["moved"], 2);
    }
    damaged("resalable").send().await.expect_problem(409, "voucher-differs");
    damaged("lost").send().await.expect_problem(422, "validation-failed");
    assert_eq!(depot.held(MONTREAL, NEW).await, (7, 0, 0));
    assert_eq!(depot.held(MONTREAL, NEWER).await, (0, 0, 0));
    assert_eq!(depot.movements("receipt/r-1").await, [2, 1]);
    assert_eq!(depot.movements("write-off/r-1").await, [-2, -1]);
    depot.audited().await;
}

#[tokio::test]
async fn a_sale_of_more_than_there_is_is_refused_unless_it_has_happened() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 5).await;
    // Two of them are promised to somebody else, and stay so.
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    let lines = [(MONTREAL, NEW, 4), (MONTREAL, NEWER, 2)];
    let problem = issue(&depot.app, "s-1", &lines, "refuse").send().await.expect_problem(409, "insufficient-stock");
    assert_eq!(problem["shortages"][0], json!({"location_id": 1, "product_id": NEW, "requested": 4, "available": 3}));
    assert_eq!(problem["shortages"][1]["available"], 0);
    assert_eq!(depot.held(MONTREAL, NEW).await, (5, 2, 0));

    for status in [201, 200] {
        let recorded: Value = issue(&depot.app, "s-1", &lines, "record").send().await.expect_status(status).json();
        let amounts: Vec<(&Value, &Value)> =
            recorded["lines"].as_array().unwrap().iter().map(|line| (&line["moved"], &line["missing"])).collect();
        assert_eq!(amounts, [(&json!(3), &json!(1)), (&json!(0), &json!(2))]);
    }
    assert_eq!(depot.held(MONTREAL, NEW).await, (2, 2, 0));
    let found = list(&depot.app, "/api/v1/discrepancies?location=1&kind=sold_without_stock", 200).await;
    let found: Vec<(&Value, &Value, &Value)> =
        found.iter().map(|d| (&d["product_id"], &d["quantity"], &d["reference"])).collect();
    let reference = json!("issue/s-1");
    assert_eq!(found, [(&json!(NEWER), &json!(2), &reference), (&json!(NEW), &json!(1), &reference)]);
    // Who was promised the two gets them.
    depot.turn(1, "pin").await;
    depot.turn(1, "commit").await;
    assert_eq!(depot.held(MONTREAL, NEW).await, (0, 0, 0));
    depot.audited().await;
}

/// Tills that come back online together: each unit is sold once, the rest is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_uploads_of_offline_sales_add_up() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 25).await;
    // Each of them twice: tills are impatient.
    let uploads = (0..80).map(|n| {
        let reference = format!("offline-{}", n / 2);
        tokio::spawn(issue(&depot.app, &reference, &[(MONTREAL, NEW, 1)], "record").send())
    });
    let outcomes: Vec<(u16, String)> =
        join_all(uploads).await.into_iter().map(|response| outcome(&response.unwrap())).collect();
    assert_eq!(outcomes.iter().filter(|(status, _)| *status == 201).count(), 40, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|(status, _)| *status == 200).count(), 40, "{outcomes:?}");
    assert_eq!(depot.held(MONTREAL, NEW).await, (0, 0, 0));
    assert_eq!(list(&depot.app, "/api/v1/discrepancies", 200).await.len(), 15);
    depot.audited().await;
}
