//! Inventory is told what happened at a till, whatever happens to it, to the answer or to us: once.

use sales::settling::{Scope, settle};
use sales::store::effects;
use sdk::testing::{Fault, Moment};
use serde_json::{Value, json};

use crate::support::{COKE, FLOAT, Shop, TILL, basket, two_cokes_and_a_juice};

const OPEN: &str = "select count(*) from effects where done_at is null";

async fn for_ten_minutes(shop: &Shop) {
    for _ in 0..20 {
        shop.pass(30);
        shop.settle().await;
    }
}

#[tokio::test]
async fn a_till_sells_while_inventory_is_away() {
    for fault in [Fault::Down, Fault::Status(500), Fault::Status(503)] {
        let shop = Shop::open().await;
        let session = shop.session(TILL).await;
        shop.client.set_fault("inventory", Some(fault));
        let sale = shop.sold(session).await;
        let voided = shop.sold(session).await;
        let _ = shop.void(&voided).send().await.expect_status(200);
        let back = [(1, 1, "damaged"), (2, 1, "resalable")];
        let _ = shop.bring_back(&sale, session, &back).send().await.expect_status(201);
        for_ten_minutes(&shop).await;
        assert_eq!((shop.count(OPEN).await, shop.stock(1, COKE).await), (5, 240));
        shop.client.set_fault("inventory", None);
        for_ten_minutes(&shop).await;
        assert_eq!((shop.count(OPEN).await, shop.stock(1, COKE).await), (0, 238));
        shop.audited().await;
    }
}

/// It was done, and nobody here knows.
#[tokio::test]
async fn a_lost_answer_has_one_effect() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    shop.client.set_fault("inventory", Some(Fault::LoseAnswer));
    let sale = shop.sold(session).await;
    let _ = shop.bring_back(&sale, session, &[(1, 1, "damaged")]).send().await.expect_status(201);
    for_ten_minutes(&shop).await;
    assert!(shop.client.calls("inventory") > 4);
    shop.client.set_fault("inventory", None);
    for_ten_minutes(&shop).await;
    assert_eq!((shop.count(OPEN).await, shop.stock(1, COKE).await), (0, 238));
    shop.audited().await;
}

/// The till is gone at the moment of the call, before it or after: what it sold is sold, once.
#[tokio::test]
async fn whoever_sold_it_may_be_gone() {
    for moment in [Moment::Before, Moment::After] {
        let shop = Shop::open().await;
        let session = shop.session(TILL).await;
        let (id, body) = (shop.id(), two_cokes_and_a_juice(session, &[("cash", 2_000)]));
        let trap = shop.client.set_trap("inventory", "/issues/", moment);
        let sent = tokio::spawn(shop.put(id, &body).send());
        trap.sprung().await;
        sent.abort();
        assert!(sent.await.unwrap_err().is_cancelled());
        let again = shop.put(id, &body).send().await.expect_status(200);
        assert_eq!(again.json::<Value>()["number"], "1-2-000001");
        shop.settle().await;
        assert_eq!(shop.count(OPEN).await, 1, "somebody else has it");
        shop.pass(15);
        shop.settle().await;
        assert_eq!((shop.count(OPEN).await, shop.stock(1, COKE).await), (0, 238));
        shop.audited().await;
    }
}

/// Gone while it asks what it costs: then nothing is sold, and no number is lost.
#[tokio::test]
async fn whoever_asks_for_a_price_may_be_gone() {
    for moment in [Moment::Before, Moment::After] {
        let shop = Shop::open().await;
        let session = shop.session(TILL).await;
        let (id, body) = (shop.id(), two_cokes_and_a_juice(session, &[("cash", 2_000)]));
        let trap = shop.client.set_trap("products", "/price-quotes", moment);
        let sent = tokio::spawn(shop.put(id, &body).send());
        trap.sprung().await;
        // Nothing is locked: the till sells on.
        assert_eq!(shop.sold(session).await["number"], "1-2-000001");
        sent.abort();
        assert!(sent.await.unwrap_err().is_cancelled());
        let again: Value = shop.put(id, &body).send().await.expect_status(201).json();
        assert_eq!(again["number"], "1-2-000002");
        shop.audited().await;
    }
}

/// Closed while it was asked what it costs.
#[tokio::test]
async fn a_session_that_is_closed_meanwhile_takes_no_sale() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let trap = shop.client.set_trap("products", "/price-quotes", Moment::After);
    let put = shop.put(shop.id(), &two_cokes_and_a_juice(session, &[("cash", 2_000)]));
    let closing = async {
        trap.sprung().await;
        let _ = shop.close(session, FLOAT).send().await.expect_status(200);
        trap.let_go();
    };
    let (answer, ()) = tokio::join!(put.send(), closing);
    answer.expect_problem(409, "session-closed");
    assert_eq!(shop.count("select last_sale from registers where id = 12").await, 0);
    shop.audited().await;
}

#[tokio::test]
async fn a_crash_between_the_claim_and_the_end_is_made_up_for() {
    for told in [false, true] {
        let shop = Shop::open().await;
        let session = shop.session(TILL).await;
        shop.client.set_down("inventory", true);
        let _ = shop.sold(session).await;
        shop.client.set_down("inventory", false);
        shop.pass(60);
        let context = shop.app.context();
        let claimed = effects::claim(&context.db, Scope::Everything, shop.clock.now(), 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        if told {
            sales::clients::inventory::tell(&context.http, &claimed[0].effect).await.unwrap();
        }
        shop.settle().await;
        assert_eq!(shop.count(OPEN).await, 1, "somebody else has it");
        shop.pass(15);
        shop.settle().await;
        assert_eq!((shop.count(OPEN).await, shop.stock(1, COKE).await), (0, 238));
        shop.audited().await;
    }
}

/// Nothing comes back that has not left: what is not on the shelf is missing, and what is brought back is there.
#[tokio::test]
async fn a_sale_is_told_before_its_return() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    shop.client.set_down("inventory", true);
    let sale = shop.sell(&basket(session, &[(COKE, 250)], &[("card", 88_444)])).await;
    let _ = shop.bring_back(&sale, session, &[(1, 20, "resalable")]).send().await.expect_status(201);
    shop.client.set_down("inventory", false);
    for_ten_minutes(&shop).await;
    let missing = shop.inventory.get("/api/v1/discrepancies?location=1").as_role(sdk::Role::Hq).send().await;
    assert_eq!(missing.expect_status(200).json::<Value>()["data"][0]["quantity"], 10);
    assert_eq!(shop.stock(1, COKE).await, 20);
    shop.audited().await;
}

#[tokio::test]
async fn what_is_refused_stays_and_the_audit_shows_it_in_time() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    shop.client.set_fault("inventory", Some(Fault::Status(422)));
    let _ = shop.sold(session).await;
    assert_eq!(shop.violations().await, [] as [Value; 0]);
    shop.app.database().administer("update effects set created_at = created_at - interval '61 seconds'").await;
    let violations = shop.violations().await;
    assert_eq!((violations.len(), &violations[0]["invariant"]), (1, &json!("effects-are-carried-out")));
    assert_eq!(violations[0]["offender"]["failure"], "the answer is not as expected: status 422");
    shop.client.set_fault("inventory", None);
    for_ten_minutes(&shop).await;
    shop.audited().await;
}

/// Replicas share the work.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_workers_tell_each_thing_once() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    shop.client.set_down("inventory", true);
    for _ in 0..25 {
        let _ = shop.sold(session).await;
    }
    shop.client.set_down("inventory", false);
    let before = shop.client.calls("inventory");
    shop.pass(60);
    let workers = [(); 4].map(|()| tokio::spawn(sales::tasks::settle(shop.app.context().clone())));
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    // What one found taken by another when it looked, and whom inventory turned away, is left for the next run.
    for_ten_minutes(&shop).await;
    let attempts = shop.count("select sum(attempts)::bigint from effects").await;
    let calls = i64::try_from(shop.client.calls("inventory") - before).unwrap();
    // One each when they were sold, and none that is not counted.
    assert_eq!((shop.count(OPEN).await, attempts - 25), (0, calls));
    assert_eq!(shop.stock(1, COKE).await, 190);
    shop.audited().await;
}

#[tokio::test]
async fn a_batch_with_nothing_due_does_nothing() {
    let shop = Shop::open().await;
    let batch = settle(shop.app.context(), Scope::Everything).await.unwrap();
    assert_eq!((batch.done, batch.failed), (0, 0));
}
