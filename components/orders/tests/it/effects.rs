//! What other services are to be told is told, whatever happens to them, to the answer or to us: once.

use orders::settling::{Scope, settle};
use orders::store::effects;
use sdk::testing::Fault;
use sdk::{Client, Executor, params};
use serde_json::json;

use crate::support::{COKE, JUICE, Shop, TOTAL};

async fn open_effects(shop: &Shop) -> i64 {
    let count = "select count(*) from effects where done_at is null";
    let (count,): (i64,) = shop.app.db().query_one(count, params![]).await.unwrap();
    count
}

/// Runs the task until nothing is left, as if it ran for ten minutes.
async fn for_ten_minutes(shop: &Shop) {
    for _ in 0..20 {
        shop.pass(30);
        shop.settle().await;
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_told_when_it_is_back() {
    for fault in [Fault::Down, Fault::Status(500), Fault::Status(503)] {
        let shop = Shop::open().await;
        let made = shop.confirmed().await;
        shop.client.set_fault("inventory", Some(fault));
        shop.client.set_fault("checkout", Some(fault));
        let _ = shop.cancel(&made).send().await.expect_status(200);
        assert_eq!(shop.refunds(&made).await[0]["settled_at"], json!(null));
        for_ten_minutes(&shop).await;
        assert_eq!(open_effects(&shop).await, 2);
        assert_eq!((shop.peers.payment(&made).refunded(), shop.peers.restocked(COKE)), (0, 0));

        shop.client.set_fault("inventory", None);
        shop.client.set_fault("checkout", None);
        for_ten_minutes(&shop).await;
        assert_eq!(open_effects(&shop).await, 0);
        assert_eq!((shop.peers.payment(&made).refunded(), shop.peers.restocked(COKE)), (TOTAL, 2));
        assert!(shop.refunds(&made).await[0]["settled_at"].is_string());
        shop.audited().await;
    }
}

/// It was done, and nobody here knows.
#[tokio::test]
async fn a_lost_answer_has_one_effect() {
    let shop = Shop::open().await;
    let (paid, unpaid) = (shop.confirmed().await, shop.pending().await);
    shop.client.set_fault("inventory", Some(Fault::LoseAnswer));
    shop.client.set_fault("checkout", Some(Fault::LoseAnswer));
    for made in [&paid, &unpaid] {
        let _ = shop.cancel(made).send().await.expect_status(200);
    }
    for_ten_minutes(&shop).await;
    let calls = (shop.client.calls("inventory"), shop.client.calls("checkout"));
    assert!(calls.0 > 4 && calls.1 > 4, "{calls:?}");
    shop.client.set_fault("inventory", None);
    shop.client.set_fault("checkout", None);
    for_ten_minutes(&shop).await;
    assert_eq!(shop.peers.payment(&paid).refunds.len(), 1);
    assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (2, 1));
    assert_eq!((shop.peers.payment(&unpaid).state, shop.peers.reservation(&unpaid)), ("voided", "released"));
    assert_eq!(shop.state(&unpaid).await.1, "voided");
    assert_eq!(open_effects(&shop).await, 0);
    shop.audited().await;
}

/// One that is down does not keep the other from being told.
#[tokio::test]
async fn each_service_is_told_on_its_own() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.client.set_down("inventory", true);
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!((shop.peers.payment(&made).refunded(), shop.peers.restocked(COKE)), (TOTAL, 0));
    assert_eq!(open_effects(&shop).await, 1);
    shop.client.set_down("inventory", false);
    for_ten_minutes(&shop).await;
    assert_eq!(shop.peers.restocked(COKE), 2);
    shop.audited().await;
}

/// The pauses grow: 1, 2, 4 s and so on, up to five minutes.
#[tokio::test]
async fn who_is_down_is_left_alone_for_longer_and_longer() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.client.set_down("checkout", true);
    let _ = shop.cancel(&made).send().await.expect_status(200);
    let mut seconds = Vec::new();
    for second in 1..=1_000 {
        let before = shop.client.calls("checkout");
        shop.pass(1);
        shop.settle().await;
        if shop.client.calls("checkout") > before {
            seconds.push(second);
        }
    }
    assert_eq!(seconds, [1, 3, 7, 15, 31, 63, 127, 255, 511, 811]);
    shop.client.set_down("checkout", false);
    for_ten_minutes(&shop).await;
    assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
    shop.audited().await;
}

/// Claimed, and never heard of again: before the call, or after it.
#[tokio::test]
async fn a_crash_between_the_claim_and_the_end_is_made_up_for() {
    for told in [false, true] {
        let shop = Shop::open().await;
        let made = shop.confirmed().await;
        shop.client.set_down("inventory", true);
        shop.client.set_down("checkout", true);
        let _ = shop.cancel(&made).send().await.expect_status(200);
        shop.client.set_down("inventory", false);
        shop.client.set_down("checkout", false);
        shop.pass(60);
        let context = shop.app.context();
        let claimed = effects::claim(&context.db, Scope::Everything, shop.clock.now(), 10).await.unwrap();
        assert_eq!(claimed.len(), 2);
        for claimed in claimed.iter().filter(|_| told) {
            orders::clients::tell(&context.http, &claimed.effect).await.unwrap();
        }
        let calls = shop.client.calls("checkout");
        shop.settle().await;
        assert_eq!(shop.client.calls("checkout"), calls, "somebody else has it");
        shop.pass(15);
        shop.settle().await;
        assert_eq!(shop.client.calls("checkout"), calls + 1);
        assert_eq!((shop.peers.payment(&made).refunds.len(), shop.peers.restocked(COKE)), (1, 2));
        assert_eq!(open_effects(&shop).await, 0);
        shop.audited().await;
    }
}

/// Replicas share the work.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_workers_tell_each_thing_once() {
    let shop = Shop::open().await;
    shop.client.set_down("inventory", true);
    shop.client.set_down("checkout", true);
    for _ in 0..25 {
        let made = shop.confirmed().await;
        let _ = shop.cancel(&made).send().await.expect_status(200);
    }
    shop.client.set_down("inventory", false);
    shop.client.set_down("checkout", false);
    let before = (shop.client.calls("inventory"), shop.client.calls("checkout"));
    shop.pass(60);
    let workers = [(); 4].map(|()| tokio::spawn(orders::tasks::settle(shop.app.context().clone())));
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    // What one found taken by another when it looked is left for the next run.
    shop.settle().await;
    assert_eq!(open_effects(&shop).await, 0);
    let after = (shop.client.calls("inventory"), shop.client.calls("checkout"));
    assert_eq!((after.0 - before.0, after.1 - before.1), (25, 25));
    assert_eq!(shop.peers.restocked(COKE), 50);
    shop.audited().await;
}

/// A refusal that nobody foresaw is no end: it waits for whoever repairs it.
#[tokio::test]
async fn what_is_refused_stays_and_the_audit_shows_it_in_time() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.client.set_fault("checkout", Some(Fault::Status(422)));
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(shop.violations().await, [] as [serde_json::Value; 0]);
    shop.app.database().administer("update effects set created_at = created_at - interval '2 hours'").await;
    let violations = shop.violations().await;
    assert_eq!((violations.len(), &violations[0]["invariant"]), (1, &json!("effects-are-carried-out")));
    assert_eq!(violations[0]["offender"]["failure"], "the answer is not as expected: status 422");
    shop.client.set_fault("checkout", None);
    for_ten_minutes(&shop).await;
    shop.audited().await;
}

/// No call is made while a transaction is open: whoever is told can ask back about the very order.
#[tokio::test]
async fn who_is_told_can_ask_back() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let orders = Client::from_routers([("orders", shop.app.router())]);
    let url = format!("http://orders{}/confirm", made.internal());
    shop.peers.books().ask_back = Some((orders, url));
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(shop.peers.books().answers, [409], "it was cancelled, and nobody waits for a lock");
    assert_eq!((open_effects(&shop).await, shop.peers.payment(&made).refunded()), (0, TOTAL));
    shop.audited().await;
}

/// The client gets its answer when the deadline of the calls has passed, and the rest is the task's.
#[tokio::test]
async fn a_service_that_never_answers_keeps_nobody_waiting_for_good() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.client.set_fault("inventory", Some(Fault::Hang));
    shop.client.set_fault("checkout", Some(Fault::Hang));
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(open_effects(&shop).await, 2);
    shop.client.set_fault("inventory", None);
    shop.client.set_fault("checkout", None);
    shop.pass(1);
    shop.settle().await;
    assert_eq!((shop.peers.payment(&made).refunded(), shop.peers.restocked(COKE)), (TOTAL, 2));
    shop.audited().await;
}

#[tokio::test]
async fn a_batch_with_nothing_due_does_nothing() {
    let shop = Shop::open().await;
    let batch = settle(shop.app.context(), Scope::Everything).await.unwrap();
    assert_eq!((batch.done, batch.failed), (0, 0));
}
