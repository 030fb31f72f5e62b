//! Many at once: nobody gets what somebody else has, and nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use inventory::domain::{LocationId, Place, ProductId};
use inventory::ledger;
use sdk::{Problem, Tx};
use serde_json::Value;
use tokio::sync::{Barrier, Semaphore};

use crate::support::{Depot, MONTREAL, NEW, QUEBEC, Units, issue, outcome, reserve, turn};

/// Invariant 7: a hundred units, five hundred buyers, one each. Exactly a hundred get one, and the rest
/// are told that there is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_units_and_five_hundred_buyers() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 100).await;
    // So many does a host let in at once, and the others stand before its door: a pool lets nobody wait for a
    // connection for longer than two seconds, in which a busy machine does not serve all five hundred.
    let door = Arc::new(Semaphore::new(100));
    let buyers = (0..500).map(|id| {
        let (request, door) = (reserve(&depot.app, id, &[(MONTREAL, NEW, 1)], 600), door.clone());
        tokio::spawn(async move {
            let _inside = door.acquire().await.unwrap();
            request.send().await
        })
    });
    let outcomes: Vec<(u16, String)> =
        join_all(buyers).await.into_iter().map(|response| outcome(&response.unwrap())).collect();
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(status, _)| *status == 201);
    assert!(lost.iter().all(|outcome| *outcome == (409, "insufficient-stock".to_owned())), "{lost:?}");
    assert_eq!((won.len(), lost.len()), (100, 400));
    assert_eq!(depot.held(MONTREAL, NEW).await, (100, 100, 0));
    depot.audited().await;
}

/// Buyers and tills of the same store, some of whom give back: never more than there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn buyers_and_tills_share_what_there_is() {
    let depot = Depot::crowded().await;
    depot.deliver(MONTREAL, NEW, 60).await;
    let app = &depot.app;
    let checkout = |id: u128| {
        let steps = [turn(app, id, "pin"), turn(app, id, if id.is_multiple_of(3) { "release" } else { "commit" })];
        let reserved = reserve(app, id, &[(MONTREAL, NEW, 2)], 600).send();
        tokio::spawn(async move {
            if reserved.await.status != 201 {
                return 0;
            }
            for step in steps {
                let _ = step.send().await.expect_status(200);
            }
            if id.is_multiple_of(3) { 0 } else { 2 }
        })
    };
    let till = |id: u128| {
        let sold = issue(app, &format!("till-{id}"), &[(MONTREAL, NEW, 1)], "refuse").send();
        tokio::spawn(async move { if sold.await.status == 201 { 1 } else { 0 } })
    };
    let all = (0..80_u128).map(|id| if id.is_multiple_of(2) { checkout(id) } else { till(id) });
    let sold: i64 = join_all(all).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(depot.held(MONTREAL, NEW).await, (60 - sold, 0, 0));
    assert!(sold > 30, "{sold} sold: the test proves little");
    depot.audited().await;
}

/// The same rows, named from either end, by reservations that run at once: all of them end, none of them
/// in a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_in_opposite_orders_get_in_nobodys_way() {
    let depot = Depot::crowded().await;
    let places: Vec<(i64, i64)> =
        [MONTREAL, QUEBEC].into_iter().flat_map(|location| (0..5).map(move |n| (location, NEW + n))).collect();
    for (location, product) in &places {
        depot.deliver(*location, *product, 1_000).await;
    }
    let requests = (0..60_u128).map(|id| {
        let mut lines: Vec<Units> = places.iter().map(|(location, product)| (*location, *product, 1)).collect();
        lines.rotate_left(usize::try_from(id).unwrap() % places.len());
        if id.is_multiple_of(2) {
            lines.reverse();
        }
        tokio::spawn(reserve(&depot.app, id, &lines, 600).send())
    });
    for response in join_all(requests).await {
        let _ = response.unwrap().expect_status(201);
    }
    for (location, product) in places {
        assert_eq!(depot.held(location, product).await, (1_000, 60, 0));
    }
    depot.audited().await;
}

/// A deadlock would not reach the client: the transaction would be run again. Here it is seen that none
/// has to be: what locks does it in one order, whatever it is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rows_are_locked_in_one_order_whatever_they_are_asked_for_in() {
    const WRITERS: usize = 8;
    let depot = Depot::crowded().await;
    let places: Vec<Place> = [1, 2, 3, 4, 5, 100]
        .into_iter()
        .flat_map(|location| (1..=20).map(move |product| (location, product)))
        .map(|(location, product)| Place { location: LocationId(location), product: ProductId(product) })
        .collect();
    let attempts = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(WRITERS));
    let writers = (0..WRITERS).map(|writer| {
        let mut places = places.clone();
        let turned = writer * places.len() / WRITERS;
        places.rotate_left(turned);
        if writer % 2 == 0 {
            places.reverse();
        }
        let (context, attempts, start) = (depot.app.context().clone(), attempts.clone(), start.clone());
        tokio::spawn(async move {
            let (places, attempts) = (&places, &attempts);
            start.wait().await;
            for _ in 0..20 {
                let lock = |tx: Tx| async move {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    ledger::lock(&tx, places).await.map_err(Problem::from)?;
                    Ok::<_, Problem>(())
                };
                context.db.transaction(lock).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(|writer| writer.unwrap());
    assert_eq!(attempts.load(Ordering::Relaxed), WRITERS * 20, "somebody had to begin again");
}

/// Rows that do not exist yet, made by several at once and from either end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_first_delivery_may_come_from_several_sides() {
    let depot = Depot::crowded().await;
    let requests = (0..12_i64).map(|n| {
        let mut lines: Vec<Units> = (0..10).map(|product| (MONTREAL, NEW + product, 1)).collect();
        if n % 2 == 0 {
            lines.reverse();
        }
        tokio::spawn(crate::support::adjust(&depot.app, &lines).send())
    });
    for response in join_all(requests).await {
        let made: Value = response.unwrap().expect_status(201).json();
        assert_eq!(made["stock"].as_array().unwrap().len(), 10);
    }
    for product in 0..10 {
        assert_eq!(depot.held(MONTREAL, NEW + product).await, (12, 0, 0));
    }
    depot.audited().await;
}
