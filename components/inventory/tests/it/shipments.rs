//! Restock requests and transfers.

use futures_util::future::join_all;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sdk::Role;
use sdk::testing::{TestApp, TestRequest};
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, NEWER, QUEBEC, WAREHOUSE, errors, int, list, outcome};

/// Asks warehouse 100 for units of products; the path of the request.
async fn restock(app: &TestApp, store: i64, lines: &[(i64, i64)]) -> String {
    let lines: Value =
        lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity})).collect();
    let request = app.post("/api/v1/restock-requests").as_role(Role::Manager);
    let response = request.json(&json!({"location_id": store, "lines": lines})).send().await.expect_status(201);
    response.header("location").to_owned()
}

fn ask(app: &TestApp, path: &str, verb: &str, role: Role, body: &Value) -> TestRequest {
    app.post(format!("{path}/{verb}")).as_role(role).json(body)
}

/// As somebody who may.
async fn done(app: &TestApp, path: &str, verb: &str, body: Value) -> Value {
    ask(app, path, verb, Role::Hq, &body).send().await.expect_status(200).json()
}

async fn shipped(depot: &Depot, store: i64, lines: &[(i64, i64)]) -> String {
    let path = restock(&depot.app, store, lines).await;
    done(&depot.app, &path, "approve", json!({})).await;
    done(&depot.app, &path, "ship", json!({})).await;
    path
}

#[tokio::test]
async fn the_whole_way_of_a_restock() {
    let depot = Depot::open().await;
    depot.deliver(WAREHOUSE, NEW, 100).await;
    depot.deliver(WAREHOUSE, NEWER, 100).await;
    let path = restock(&depot.app, MONTREAL, &[(NEW, 24), (NEWER, 6)]).await;
    let asked: Value = depot.app.get(&path).as_role(Role::Pos).send().await.expect_status(200).json();
    assert_eq!((&asked["status"], &asked["number"]), (&json!("pending"), &json!("R-100001")));
    assert_eq!((int(&asked["source_id"]), int(&asked["destination_id"])), (WAREHOUSE, MONTREAL));
    assert_eq!(asked["allowed"], json!(["approve", "reject", "cancel"]));
    let approve = depot.app.post(format!("{path}/approve")).as_role(Role::Logistics);
    assert_eq!(approve.send().await.expect_status(200).json::<Value>()["status"], "approved");
    assert_eq!(depot.held(WAREHOUSE, NEW).await, (100, 0, 0));

    let ship = ask(
        &depot.app,
        &path,
        "ship",
        Role::Logistics,
        &json!({"lines": [{"product_id": NEW, "quantity": 20}, {"product_id": NEWER, "quantity": 6}]}),
    );
    assert_eq!(ship.send().await.expect_status(200).json::<Value>()["status"], "in_transit");
    assert_eq!(depot.held(WAREHOUSE, NEW).await, (80, 0, 0));
    // It never was there before, and is on the way.
    assert_eq!(depot.held(MONTREAL, NEW).await, (0, 0, 20));

    let some = json!({"lines": [{"product_id": NEW, "received": 12, "lost": 1}]});
    let receive = ask(&depot.app, &path, "receive", Role::Manager, &some).send().await.expect_status(200);
    let partly: Value = receive.json();
    assert_eq!(partly["status"], "partially_received");
    let line = |row: &Value| [int(&row["shipped"]), int(&row["received"]), int(&row["lost"]), int(&row["outstanding"])];
    assert_eq!(line(&partly["lines"][0]), [20, 12, 1, 7]);
    assert_eq!(line(&partly["lines"][1]), [6, 0, 0, 6]);
    assert_eq!(depot.held(MONTREAL, NEW).await, (12, 0, 7));
    depot.audited().await;

    // The rest.
    let all = done(&depot.app, &path, "receive", json!({})).await;
    assert_eq!((&all["status"], &all["allowed"]), (&json!("received"), &json!([])));
    assert_eq!(depot.held(MONTREAL, NEW).await, (19, 0, 0));
    assert_eq!(depot.held(MONTREAL, NEWER).await, (6, 0, 0));
    let lost = list(&depot.app, "/api/v1/discrepancies", 200).await;
    assert_eq!((lost.len(), &lost[0]["kind"], &lost[0]["quantity"]), (1, &json!("lost_in_transit"), &json!(1)));
    depot.audited().await;
}

#[tokio::test]
async fn a_transfer_goes_between_any_two_and_all_of_it_may_get_lost() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let body = json!({"source_id": MONTREAL, "destination_id": WAREHOUSE, "note": "overstock",
        "lines": [{"product_id": NEW, "quantity": 4}]});
    let request = depot.app.post("/api/v1/transfers").as_role(Role::Logistics).json(&body);
    let response = request.send().await.expect_status(201);
    let made: Value = response.json();
    assert!(made["number"].as_str().unwrap().starts_with("T-"), "{made}");
    let path = response.header("location").to_owned();
    done(&depot.app, &path, "approve", json!({})).await;
    done(&depot.app, &path, "ship", json!({})).await;
    let lost = json!({"lines": [{"product_id": NEW, "lost": 4}]});
    let received = ask(&depot.app, &path, "receive", Role::Logistics, &lost).send().await.expect_status(200);
    assert_eq!(received.json::<Value>()["status"], "received");
    assert_eq!(depot.held(MONTREAL, NEW).await, (6, 0, 0));
    assert_eq!(depot.held(WAREHOUSE, NEW).await, (0, 0, 0));
    // A request is no transfer, though it has an id.
    let id = path.rsplit('/').next().unwrap();
    let other = depot.app.get(format!("/api/v1/restock-requests/{id}")).as_role(Role::Hq).send().await;
    other.expect_problem(404, "shipment-not-found");
    depot.audited().await;
}

#[tokio::test]
async fn what_the_state_forbids_is_a_conflict_that_names_what_is_allowed() {
    let depot = Depot::open().await;
    depot.deliver(WAREHOUSE, NEW, 1_000).await;
    let verbs = ["approve", "reject", "ship", "receive", "cancel"];
    let ways: [(&[&str], &[&str]); 7] = [
        (&[], &["approve", "reject", "cancel"]),
        (&["approve"], &["ship", "cancel"]),
        (&["approve", "ship"], &["receive"]),
        (&["approve", "ship", "receive"], &[]),
        (&["reject"], &[]),
        (&["cancel"], &[]),
        (&["approve", "cancel"], &[]),
    ];
    for (way, allowed) in ways {
        let path = restock(&depot.app, QUEBEC, &[(NEW, 2)]).await;
        for verb in way {
            done(&depot.app, &path, verb, json!({})).await;
        }
        for verb in verbs.iter().filter(|verb| !allowed.contains(verb)) {
            let response = ask(&depot.app, &path, verb, Role::Hq, &json!({})).send().await;
            let problem = response.expect_problem(409, "shipment-state");
            assert_eq!(problem["allowed"], json!(allowed), "{verb} after {way:?}");
        }
    }
    depot.audited().await;
}

#[tokio::test]
async fn a_rejection_says_why() {
    let depot = Depot::open().await;
    let path = restock(&depot.app, QUEBEC, &[(NEW, 2)]).await;
    let rejected = done(&depot.app, &path, "reject", json!({"reason": "discontinued"})).await;
    assert_eq!((&rejected["status"], &rejected["reason"]), (&json!("rejected"), &json!("discontinued")));
    depot.audited().await;
}

#[tokio::test]
async fn what_is_promised_is_not_shipped() {
    let depot = Depot::open().await;
    depot.deliver(WAREHOUSE, NEW, 10).await;
    depot.reserve(1, &[(WAREHOUSE, NEW, 4)]).await;
    let path = restock(&depot.app, MONTREAL, &[(NEW, 7), (NEWER, 1)]).await;
    done(&depot.app, &path, "approve", json!({})).await;
    let response = ask(&depot.app, &path, "ship", Role::Hq, &json!({})).send().await;
    let problem = response.expect_problem(409, "insufficient-stock");
    let shortage = |product: i64, requested: i64, available: i64| json!({"location_id": WAREHOUSE, "product_id": product, "requested": requested, "available": available});
    assert_eq!(problem["shortages"], json!([shortage(NEW, 7, 6), shortage(NEWER, 1, 0)]));
    let read: Value = depot.app.get(&path).as_role(Role::Hq).send().await.json();
    assert_eq!(read["status"], "approved");
    done(&depot.app, &path, "ship", json!({"lines": [{"product_id": NEW, "quantity": 6}]})).await;
    assert_eq!(depot.held(WAREHOUSE, NEW).await, (4, 4, 0));
    depot.audited().await;
}

#[tokio::test]
async fn what_is_wrong_with_lines_is_named() {
    let depot = Depot::open().await;
    depot.deliver(WAREHOUSE, NEW, 100).await;
    let path = restock(&depot.app, MONTREAL, &[(NEW, 5)]).await;
    done(&depot.app, &path, "approve", json!({})).await;
    let asked = async |verb: &str, lines: Value| {
        let response = ask(&depot.app, &path, verb, Role::Hq, &json!({"lines": lines})).send().await;
        let problem = response.problem();
        (int(&problem["status"]), errors(&problem))
    };
    let wrong = |status: i64, pointer: &str, code: &str| (status, vec![(pointer.to_owned(), code.to_owned())]);
    let line = |product: i64, quantity: i64| json!({"product_id": product, "quantity": quantity});
    for (lines, expected) in [
        (json!([]), wrong(422, "/lines", "lines-out-of-range")),
        (json!([line(NEW, -1)]), wrong(422, "/lines/0/quantity", "quantity-out-of-range")),
        (json!([line(NEW, i64::MAX)]), wrong(422, "/lines/0/quantity", "quantity-out-of-range")),
        (json!([line(NEW, 0)]), wrong(422, "/lines", "nothing-shipped")),
        (json!([line(NEWER, 1)]), wrong(422, "/lines/0/product_id", "product-not-in-shipment")),
        (json!([line(NEW, 1), line(NEW, 1)]), wrong(422, "/lines/1/product_id", "line-repeated")),
        (json!([line(NEW, 6)]), wrong(409, "/lines/0/quantity", "more-than-outstanding")),
    ] {
        assert_eq!(asked("ship", lines.clone()).await, expected, "{lines}");
    }
    done(&depot.app, &path, "ship", json!({})).await;
    let arrival = |received: i64, lost: i64| json!([{"product_id": NEW, "received": received, "lost": lost}]);
    for (lines, expected) in [
        (arrival(0, 0), wrong(422, "/lines", "nothing-received")),
        (arrival(1, -1), wrong(422, "/lines/0/lost", "quantity-out-of-range")),
        (arrival(3, 3), wrong(409, "/lines/0/received", "more-than-outstanding")),
    ] {
        assert_eq!(asked("receive", lines.clone()).await, expected, "{lines}");
    }
    depot.audited().await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused() {
    let depot = Depot::open().await;
    let line = json!([{"product_id": NEW, "quantity": 1}]);
    for (path, body, pointer, code) in [
        ("restock-requests", json!({"location_id": 7, "lines": line}), "/location_id", "location-not-found"),
        ("restock-requests", json!({"location_id": WAREHOUSE, "lines": line}), "/location_id", "location-same"),
        ("restock-requests", json!({"location_id": 1, "source_id": 2, "lines": line}), "/source_id", "location-unfit"),
        ("restock-requests", json!({"location_id": 1, "lines": []}), "/lines", "lines-out-of-range"),
        ("transfers", json!({"source_id": 1, "destination_id": 1, "lines": line}), "/destination_id", "location-same"),
        ("transfers", json!({"source_id": 9, "destination_id": 1, "lines": line}), "/source_id", "location-not-found"),
        ("transfers", json!({"destination_id": 1, "lines": line}), "/source_id", "missing-field"),
        (
            "transfers",
            json!({"source_id": 1, "destination_id": 2, "note": "\u{7}", "lines": line}),
            "/note",
            "text-invalid",
        ),
    ] {
        let request = depot.app.post(format!("/api/v1/{path}")).as_role(Role::Hq).json(&body);
        let problem = request.send().await.expect_problem(422, "validation-failed");
        assert_eq!(errors(&problem), [(pointer.to_owned(), code.to_owned())], "{body}");
    }
}

/// With a key, a repetition is answered alike; without one, the state says no.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_verb_with_a_key_is_done_once() {
    let depot = Depot::crowded().await;
    depot.deliver(WAREHOUSE, NEW, 100).await;
    let path = shipped(&depot, MONTREAL, &[(NEW, 10)]).await;
    let part = json!({"lines": [{"product_id": NEW, "received": 2}]});
    let receive = || ask(&depot.app, &path, "receive", Role::Hq, &part).idempotency_key("k-1");
    let first = receive().send().await.expect_status(200);
    let again = receive().send().await.expect_status(200);
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    assert_eq!(depot.held(MONTREAL, NEW).await, (2, 0, 8));
    let other = json!({"lines": [{"product_id": NEW, "received": 3}]});
    let response = ask(&depot.app, &path, "receive", Role::Hq, &other).idempotency_key("k-1").send().await;
    response.expect_problem(422, "idempotency-key-reused");

    // Two who take in the whole at once: one of them did.
    let both = (0..2).map(|_| tokio::spawn(ask(&depot.app, &path, "receive", Role::Hq, &json!({})).send()));
    let mut outcomes: Vec<(u16, String)> =
        join_all(both).await.into_iter().map(|response| outcome(&response.unwrap())).collect();
    outcomes.sort();
    assert_eq!(outcomes, [(200, String::new()), (409, "shipment-state".to_owned())]);
    assert_eq!(depot.held(MONTREAL, NEW).await, (10, 0, 0));
    depot.audited().await;
}

const PRODUCTS: i64 = 3;

/// Parts of a shipment that arrive: product, received, lost.
fn parts() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    let amount = || prop_oneof![3 => 0..=4_i64, 1 => Just(9_i64)];
    proptest::collection::vec((0..PRODUCTS, amount(), amount()), 1..12)
}

/// Whatever arrives in whatever parts, every unit that left the warehouse is on hand, under way or lost.
async fn conserved(depot: &Depot, base: i64, parts: &[(i64, i64, i64)]) -> Result<(), TestCaseError> {
    let products: Vec<i64> = (base..base + PRODUCTS).collect();
    for product in &products {
        depot.deliver(WAREHOUSE, *product, 20).await;
    }
    let lines: Vec<(i64, i64)> = products.iter().map(|product| (*product, 9)).collect();
    let path = shipped(depot, QUEBEC, &lines).await;
    let mut lost = vec![0; products.len()];
    for (index, received, gone) in parts {
        let product = base + index;
        let body = json!({"lines": [{"product_id": product, "received": received, "lost": gone}]});
        let response = ask(&depot.app, &path, "receive", Role::Hq, &body).send().await;
        if response.status == 200 {
            lost[usize::try_from(*index).unwrap()] += gone;
        } else {
            let (status, code) = outcome(&response);
            let expected = ["more-than-outstanding", "validation-failed", "shipment-state"];
            proptest::prop_assert!(expected.contains(&code.as_str()), "{} {}", status, code);
        }
        for (product, lost) in products.iter().zip(&lost) {
            let (source, (here, _, under_way)) =
                (depot.held(WAREHOUSE, *product).await.0, depot.held(QUEBEC, *product).await);
            proptest::prop_assert_eq!(source, 11);
            proptest::prop_assert_eq!(here + under_way + lost, 9, "product {} of {:?}", product, parts);
        }
    }
    Ok(())
}

/// Invariant 5.
#[test]
fn partial_receipts_conserve_units() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let depot = runtime.block_on(Depot::open());
    let base = std::cell::Cell::new(10_000);
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let result = runner.run(&parts(), |parts| {
        base.set(base.get() + PRODUCTS);
        runtime.block_on(conserved(&depot, base.get(), &parts))
    });
    result.unwrap();
    runtime.block_on(depot.audited());
    let _entered = runtime.enter();
    drop(depot);
}
