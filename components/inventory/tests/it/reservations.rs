//! Reservations: promised, pinned, committed, released; and each of it once.

use futures_util::future::join_all;
use sdk::Role;
use sdk::testing::TestApp;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, NEWER, QUEBEC, int, outcome, reserve, turn, uuid};

#[tokio::test]
async fn the_whole_way_of_a_sale() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let made = depot.reserve(1, &[(MONTREAL, NEW, 3)]).await;
    assert_eq!(made["status"], "active");
    assert_eq!(made["allowed"], json!(["pin", "release"]));
    assert_eq!(made["lines"], json!([{"line": 1, "location_id": MONTREAL, "product_id": NEW, "quantity": 3}]));
    assert_eq!(depot.held(MONTREAL, NEW).await, (10, 3, 0));
    assert_eq!(depot.turn(1, "pin").await["status"], "pinned");
    assert_eq!(depot.held(MONTREAL, NEW).await, (10, 3, 0));
    let committed = depot.turn(1, "commit").await;
    assert_eq!((&committed["status"], int(&committed["version"])), (&json!("committed"), 3));
    assert_eq!(depot.held(MONTREAL, NEW).await, (7, 0, 0));
    assert_eq!(depot.movements(&format!("reservation/{}", uuid(1))).await, [-3]);
    let read = depot.app.get(format!("/internal/v1/reservations/{}", uuid(1))).as_role(Role::Service);
    assert_eq!(read.send().await.expect_status(200).json::<Value>(), committed);
    depot.audited().await;
}

#[tokio::test]
async fn a_body_may_name_one_location_for_all_lines_and_another_for_one() {
    let depot = Depot::open().await;
    let body = json!({
        "location_id": QUEBEC,
        "lines": [
            {"product_id": 2, "quantity": 1}, {"product_id": 2, "quantity": 2, "location_id": MONTREAL},
            {"product_id": 1, "quantity": 3},
        ],
    });
    let request = depot.app.put(format!("/internal/v1/reservations/{}", uuid(1))).as_role(Role::Service);
    let made: Value = request.json(&body).send().await.expect_status(201).json();
    let lines: Vec<(i64, i64, i64)> = made["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (int(&line["location_id"]), int(&line["product_id"]), int(&line["quantity"])))
        .collect();
    assert_eq!(lines, [(MONTREAL, 2, 2), (QUEBEC, 1, 3), (QUEBEC, 2, 1)]);
    let ttl = made["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
        - made["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(ttl, 900, "the default");
    depot.audited().await;
}

/// All lines or none, and every shortage is named.
#[tokio::test]
async fn what_is_short_is_named_and_nothing_is_promised() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 2).await;
    depot.deliver(QUEBEC, NEW, 5).await;
    let lines = [(QUEBEC, NEW, 5), (MONTREAL, NEW, 3), (MONTREAL, NEWER, 1)];
    let problem = reserve(&depot.app, 1, &lines, 60).send().await.expect_problem(409, "insufficient-stock");
    assert_eq!(
        problem["shortages"],
        json!([
            {"location_id": MONTREAL, "product_id": NEW, "requested": 3, "available": 2},
            {"location_id": MONTREAL, "product_id": NEWER, "requested": 1, "available": 0},
        ])
    );
    assert_eq!(depot.held(QUEBEC, NEW).await, (5, 0, 0));
    // It was not made: the same id may ask again, for less.
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    depot.audited().await;
}

#[tokio::test]
async fn making_it_again_is_answered_alike_and_promises_nothing_more() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 4).await;
    depot.deliver(MONTREAL, NEWER, 4).await;
    let lines = [(MONTREAL, NEW, 4), (MONTREAL, NEWER, 1)];
    let first = depot.reserve(1, &lines).await;
    depot.pass(10);
    // In another order it is the same; and it holds the last unit itself.
    let again = reserve(&depot.app, 1, &[lines[1], lines[0]], 60).send().await.expect_status(200);
    assert_eq!(again.json::<Value>(), first);
    assert_eq!(depot.held(MONTREAL, NEW).await, (4, 4, 0));
    for (other, ttl_s) in [(&[(MONTREAL, NEW, 3), (MONTREAL, NEWER, 1)][..], 60), (&lines[..1], 60), (&lines, 61)] {
        reserve(&depot.app, 1, other, ttl_s).send().await.expect_problem(409, "reservation-differs");
    }
    depot.turn(1, "pin").await;
    depot.turn(1, "commit").await;
    // A late repetition finds it as it is now.
    let late: Value = reserve(&depot.app, 1, &lines, 60).send().await.expect_status(200).json();
    assert_eq!(late["status"], "committed");
    assert_eq!(depot.held(MONTREAL, NEW).await, (0, 0, 0));
    depot.audited().await;
}

#[tokio::test]
async fn one_that_has_ended_has_no_second_life() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 4).await;
    let lines = [(MONTREAL, NEW, 1)];
    depot.reserve(1, &lines).await;
    depot.turn(1, "release").await;
    let problem = reserve(&depot.app, 1, &lines, 60).send().await.expect_problem(409, "reservation-ended");
    assert_eq!(problem["state"], "released");
    assert_eq!(depot.held(MONTREAL, NEW).await, (4, 0, 0));
    depot.audited().await;
}

/// Whoever compensates does not know whether it was made, and whoever makes it may be late.
#[tokio::test]
async fn one_that_is_released_before_it_is_made_is_never_made() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 4).await;
    let released = depot.turn(1, "release").await;
    assert_eq!(
        (&released["status"], &released["lines"], &released["allowed"]),
        (&json!("released"), &json!([]), &json!([]))
    );
    assert_eq!(depot.turn(1, "release").await, released);
    for quantity in [1, 5] {
        let late = reserve(&depot.app, 1, &[(MONTREAL, NEW, quantity)], 60).send().await;
        assert_eq!(late.expect_problem(409, "reservation-ended")["state"], "released");
    }
    for verb in ["pin", "commit"] {
        turn(&depot.app, 1, verb).send().await.expect_problem(409, "reservation-state");
    }
    assert_eq!(depot.held(MONTREAL, NEW).await, (4, 0, 0));
    depot.audited().await;
}

/// The one that comes first decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn making_and_releasing_at_once_ends_in_nothing_promised() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 20).await;
    for id in 0..20 {
        let made = tokio::spawn(reserve(&depot.app, id, &[(MONTREAL, NEW, 1)], 60).send());
        let released = tokio::spawn(turn(&depot.app, id, "release").send());
        let _ = released.await.unwrap().expect_status(200);
        let made = outcome(&made.await.unwrap());
        assert!(made.0 == 201 || made == (409, "reservation-ended".to_owned()), "{made:?}");
        reserve(&depot.app, id, &[(MONTREAL, NEW, 1)], 60).send().await.expect_problem(409, "reservation-ended");
    }
    assert_eq!(depot.held(MONTREAL, NEW).await, (20, 0, 0));
    depot.audited().await;
}

#[tokio::test]
async fn every_verb_may_be_repeated_and_has_its_effect_once() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 9).await;
    for (id, verbs, left) in [(1, &["pin", "commit"][..], 7), (2, &["release"], 7), (3, &["pin", "release"], 7)] {
        depot.reserve(id, &[(MONTREAL, NEW, 2)]).await;
        for verb in verbs {
            let first = depot.turn(id, verb).await;
            for _ in 0..2 {
                assert_eq!(depot.turn(id, verb).await, first, "{verb} of {id}");
            }
        }
        assert_eq!(depot.held(MONTREAL, NEW).await, (left, 0, 0), "{id}");
    }
    depot.audited().await;
}

#[tokio::test]
async fn what_the_state_forbids_is_a_conflict_that_names_what_is_allowed() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 9).await;
    depot.reserve(1, &[(MONTREAL, NEW, 1)]).await;
    let refused = async |id: u128, verb: &str| {
        let problem = turn(&depot.app, id, verb).send().await.expect_problem(409, "reservation-state");
        problem["allowed"].clone()
    };
    assert_eq!(refused(1, "commit").await, json!(["pin", "release"]));
    depot.turn(1, "pin").await;
    depot.turn(1, "commit").await;
    for verb in ["pin", "release"] {
        assert_eq!(refused(1, verb).await, json!([]));
    }
    depot.reserve(2, &[(MONTREAL, NEW, 1)]).await;
    depot.turn(2, "release").await;
    for verb in ["pin", "commit"] {
        assert_eq!(refused(2, verb).await, json!([]));
    }
    for verb in ["pin", "commit"] {
        turn(&depot.app, 99, verb).send().await.expect_problem(404, "reservation-not-found");
    }
    depot.audited().await;
}

/// Lost answers and impatient clients: the same request many times at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_repetitions_are_one_request() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 10).await;
    let app: &TestApp = &depot.app;
    let made = join_all((0..16).map(|_| tokio::spawn(reserve(app, 1, &[(MONTREAL, NEW, 10)], 60).send()))).await;
    let mut statuses: Vec<u16> = made.into_iter().map(|response| outcome(&response.unwrap()).0).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[14], statuses[15]), (200, 200, 201), "{statuses:?}");
    for verb in ["pin", "commit"] {
        let turned = join_all((0..16).map(|_| tokio::spawn(turn(app, 1, verb).send()))).await;
        let bodies: Vec<Value> =
            turned.into_iter().map(|response| response.unwrap().expect_status(200).json()).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{verb}");
    }
    assert_eq!(depot.held(MONTREAL, NEW).await, (0, 0, 0));
    depot.audited().await;
}

/// A commit and a release of the same pinned reservation: one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_and_a_release_at_once_end_in_one_of_them() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 20).await;
    let mut left = 20;
    for id in 0..20 {
        depot.reserve(id, &[(MONTREAL, NEW, 1)]).await;
        depot.turn(id, "pin").await;
        let commit = tokio::spawn(turn(&depot.app, id, "commit").send());
        let release = tokio::spawn(turn(&depot.app, id, "release").send());
        let (commit, release) = (outcome(&commit.await.unwrap()), outcome(&release.await.unwrap()));
        let state = |code: &str| (409, code.to_owned());
        match (&commit, &release) {
            ((200, _), lost) if *lost == state("reservation-state") => left -= 1,
            (lost, (200, _)) if *lost == state("reservation-state") => {}
            both => panic!("{both:?}"),
        }
    }
    assert_eq!(depot.held(MONTREAL, NEW).await, (left, 0, 0));
    depot.audited().await;
}
