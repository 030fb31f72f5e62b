//! Reservations that nobody pins.

use futures_util::future::join_all;
use inventory::domain::ReservationId;
use inventory::store::reservations as store;
use sdk::{DbError, Role, Tx};
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, int, outcome, reserve, turn, uuid};

async fn status(depot: &Depot, id: u128) -> String {
    let request = depot.app.get(format!("/internal/v1/reservations/{}", uuid(id))).as_role(Role::Service);
    let reservation: Value = request.send().await.expect_status(200).json();
    reservation["status"].as_str().unwrap().to_owned()
}

/// Invariant 6.
#[tokio::test]
async fn one_that_nobody_pinned_ends_at_its_time() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 9).await;
    let _ = reserve(&depot.app, 1, &[(MONTREAL, NEW, 2)], 60).send().await.expect_status(201);
    let _ = reserve(&depot.app, 2, &[(MONTREAL, NEW, 3)], 120).send().await.expect_status(201);
    depot.pass(59);
    depot.expire().await;
    assert_eq!(status(&depot, 1).await, "active");
    depot.pass(1);
    depot.expire().await;
    assert_eq!((status(&depot, 1).await, status(&depot, 2).await), ("expired".to_owned(), "active".to_owned()));
    assert_eq!(depot.held(MONTREAL, NEW).await, (9, 3, 0));
    let problem = turn(&depot.app, 1, "pin").send().await.expect_problem(409, "reservation-state");
    assert_eq!((&problem["state"], &problem["allowed"]), (&json!("expired"), &json!([])));
    // Who compensates may still say so.
    assert_eq!(depot.turn(1, "release").await["status"], "expired");
    assert_eq!(depot.held(MONTREAL, NEW).await, (9, 3, 0));
    depot.audited().await;
}

#[tokio::test]
async fn one_that_is_pinned_never_ends_by_itself() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 9).await;
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    depot.turn(1, "pin").await;
    depot.pass(400 * 24 * 3_600);
    depot.expire().await;
    assert_eq!(status(&depot, 1).await, "pinned");
    assert_eq!(depot.held(MONTREAL, NEW).await, (9, 2, 0));
    depot.turn(1, "commit").await;
    depot.audited().await;
}

/// A row that several of them have units of is changed once, and its event says by how much.
#[tokio::test]
async fn many_end_in_batches() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 250).await;
    for tens in 0..25 {
        let made = (0..10).map(|one| reserve(&depot.app, 10 * tens + one, &[(MONTREAL, NEW, 1)], 60).send());
        for response in join_all(made).await {
            let _ = response.expect_status(201);
        }
    }
    let before = int(&depot.stock(MONTREAL, NEW).await["version"]);
    depot.pass(60);
    depot.expire().await;
    assert_eq!(depot.held(MONTREAL, NEW).await, (250, 0, 0));
    assert_eq!(int(&depot.stock(MONTREAL, NEW).await["version"]), before + 3);
    let told: Vec<(i64,)> =
        depot.ask("select count(*) from outbox where type = 'reservation.expired' and subject_version = 2").await;
    assert_eq!(told, [(250,)]);
    depot.audited().await;
}

/// The task does not wait for a reservation that somebody works with, and does not take it from them.
#[tokio::test]
async fn one_in_use_is_left_to_who_uses_it() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 9).await;
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    depot.reserve(2, &[(MONTREAL, NEW, 2)]).await;
    depot.pass(60);
    let using = |tx: Tx| {
        let depot = &depot;
        async move {
            let held = store::lock(&tx, ReservationId(uuid(1))).await?;
            depot.expire().await;
            Ok::<_, DbError>(held.is_some())
        }
    };
    assert!(depot.app.db().transaction(using).await.unwrap());
    assert_eq!((status(&depot, 1).await, status(&depot, 2).await), ("active".to_owned(), "expired".to_owned()));
    // Its units are still promised, so that it is not too late.
    depot.turn(1, "pin").await;
    depot.expire().await;
    assert_eq!(status(&depot, 1).await, "pinned");
    depot.audited().await;
}

/// Pins and two replicas' tasks at once: each reservation is either pinned, and whoever asked was told so,
/// or expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pin_and_the_task_at_once_end_in_one_of_them() {
    const ROUND: u128 = 12;
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 10_000).await;
    let (mut pinned, mut expired) = (0, 0);
    // Until both have won sometimes; on any machine that is soon.
    for round in 0..60 {
        if pinned > 0 && expired > 0 {
            break;
        }
        let ids = || (round * ROUND)..((round + 1) * ROUND);
        for id in ids() {
            depot.reserve(id, &[(MONTREAL, NEW, 1)]).await;
        }
        depot.pass(60);
        let task = || tokio::spawn(inventory::tasks::expire_reservations(depot.app.context().clone()));
        let mut pins = Vec::new();
        let mut tasks = Vec::new();
        for id in ids() {
            pins.push(tokio::spawn(turn(&depot.app, id, "pin").send()));
            if id % ROUND == round % ROUND {
                tasks.extend([task(), task()]);
            }
        }
        for (id, pin) in ids().zip(pins) {
            match outcome(&pin.await.unwrap()) {
                (200, _) => {
                    pinned += 1;
                    assert_eq!(status(&depot, id).await, "pinned");
                }
                (409, code) if code == "reservation-state" => {
                    expired += 1;
                    assert_eq!(status(&depot, id).await, "expired");
                }
                other => panic!("{other:?}"),
            }
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
    assert!(pinned > 0 && expired > 0, "{pinned} pinned and {expired} expired: no race was run");
    assert_eq!(depot.held(MONTREAL, NEW).await, (10_000, pinned, 0));
    depot.audited().await;
}
