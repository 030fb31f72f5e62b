//! A purchase whose services are killed, stopped and cut off at every step: each is a process of its
//! own, and dies as the kernel lets it die. Whatever happens, every checkout ends in time, and the
//! books of all services say the same.

use futures_util::future::join_all;
use rustix::process::Signal;

use crate::support::eventually;
use crate::support::gate::Moment;
use crate::support::shop::{Purchase, Shop};

/// What a checkout calls on its way: who, and what of the path tells the call from those before it.
const CALLS: [(&str, &str); 13] = [
    ("cart", "/snapshot"),
    ("products", "/price-quotes"),
    ("customers", "/internal/v1/customers/"),
    ("inventory", "/internal/v1/reservations/"),
    ("orders", "/internal/v1/orders/"),
    // The provider of payments, which checkout simulates.
    ("checkout", "/simulator/v1/payments/"),
    ("inventory", "/pin"),
    ("checkout", "/capture"),
    ("inventory", "/commit"),
    ("orders", "/confirm"),
    ("sales", "/internal/v1/sales/"),
    ("cart", "/consume"),
    ("customers", "/internal/v1/loyalty/"),
];

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// Checkout itself: nobody is there to hear the answer.
    Caller,
    /// The service that was called.
    Called,
}

/// Kills it at that moment of every call, and has everything bought nevertheless, once.
async fn killed_at_every_step(victim: Victim, moment: Moment) {
    let mut shop = Shop::open().await;
    let customer = shop.customer().await;
    let mut purchases = Vec::new();
    for (called, part) in CALLS {
        let dying = if victim == Victim::Caller { "checkout" } else { called };
        if victim == Victim::Called && called == "checkout" {
            // The same process: it dies as the caller.
            continue;
        }
        let purchase = shop.purchase(customer, "tok_ok").await;
        let mut meeting = shop.gate(called).hold(part, moment);
        let asked = shop.ask(&purchase);
        meeting.reached().await;
        shop.kill(dying).await;
        drop(meeting);
        shop.restart(dying).await;
        match asked.await.expect("no panic") {
            Ok(answer) => assert!(matches!(answer.status.as_u16(), 201 | 202), "{part}: {answer:?}"),
            Err(error) => assert_eq!(dying, "checkout", "{part}: {error}"),
        }
        if dying == "checkout" {
            shop.leases_are_over().await;
        }
        shop.books().at_rest().await;
        purchases.push(purchase);
    }
    everything_is_bought_once(&shop, &purchases).await;
}

/// Whoever asks again hears that it is done, and nothing is done again.
async fn everything_is_bought_once(shop: &Shop, purchases: &[Purchase]) {
    let entries = shop.books().audited().await;
    assert_eq!(entries.len(), purchases.len());
    for (entry, purchase) in entries.iter().zip(purchases) {
        assert_eq!(entry.state, "completed", "{entry:?}");
        assert_eq!(entry.cart.to_string(), purchase.cart);
        let again = shop.check_out(purchase).await.expect("an answer").expect_status(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    let orders = shop.books().number("orders", "select count(*) from orders").await;
    assert_eq!(usize::try_from(orders), Ok(purchases.len()));
}

#[tokio::test]
async fn checkout_is_killed_before_each_call_is_heard() {
    killed_at_every_step(Victim::Caller, Moment::Before).await;
}

#[tokio::test]
async fn checkout_is_killed_before_each_answer_is_stored() {
    killed_at_every_step(Victim::Caller, Moment::After).await;
}

#[tokio::test]
async fn the_called_service_is_killed_before_it_hears() {
    killed_at_every_step(Victim::Called, Moment::Before).await;
}

#[tokio::test]
async fn the_called_service_is_killed_before_its_answer_is_heard() {
    killed_at_every_step(Victim::Called, Moment::After).await;
}

/// Two processes of checkout over one database. One is stopped in the middle of a purchase, for longer
/// than its lease; the other goes on; and when the first goes on as well, it changes nothing.
#[tokio::test]
async fn a_worker_that_was_stopped_beyond_its_lease_is_fenced() {
    let mut shop = Shop::open().await;
    let customer = shop.customer().await;
    let purchase = shop.purchase(customer, "tok_ok").await;
    let mut meeting = shop.gate("inventory").hold("/pin", Moment::Before);
    let asked = shop.ask(&purchase);
    meeting.reached().await;
    shop.host("checkout").send(Signal::STOP);
    let stopped = shop.restart("checkout").await.expect("the first one");
    shop.books().at_rest().await;
    let before = shop.books().audited().await;
    assert_eq!(before[0].state, "completed");
    // The call of the first one arrives after all, and its process finds out that it is not its own any more.
    meeting.let_go();
    stopped.send(Signal::CONT);
    let answer = asked.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status, 201, "what came of it: {answer:?}");
    let after = shop.books().audited().await;
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let fence = shop.books().number("checkout", "select max(fence) from checkouts").await;
    assert!(fence > 1, "somebody else had it");
}

/// Each database in turn, for five seconds, while people buy.
#[tokio::test]
async fn databases_go_away_for_a_while_and_nothing_is_lost() {
    const BUYERS: usize = 36;
    let mut shop = Shop::open().await;
    let customer = shop.customer().await;
    for name in ["checkout", "inventory", "orders", "cart", "customers", "products", "sales"] {
        let mut purchases = Vec::new();
        for _ in 0..BUYERS {
            purchases.push(shop.purchase(customer, "tok_ok").await);
        }
        let (first, rest) = purchases.split_at(BUYERS / 4);
        let (mut asked, mut rest): (Vec<_>, Vec<_>) = (first.iter().map(|one| shop.ask(one)).collect(), rest.to_vec());
        eventually("the first have bought", async || asked.iter().any(|one| one.is_finished())).await;
        asked.extend(rest.drain(..BUYERS / 4).map(|one| shop.ask(&one)));
        shop.database(name).cut();
        asked.extend(rest.drain(..).map(|one| shop.ask(&one)));
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        shop.database(name).connect();
        for answer in join_all(asked).await {
            let answer = answer.expect("no panic").expect("an answer");
            assert!(matches!(answer.status.as_u16(), 201 | 202 | 503), "{name}: {answer:?}");
        }
        shop.books().at_rest().await;
        shop.books().audited().await;
        // Whoever was turned away tries again with the same key.
        eventually("the database is used again", async || {
            let again = shop.check_out(&purchases[0]).await.expect("an answer");
            again.status == 201
        })
        .await;
        for purchase in &purchases {
            shop.check_out(purchase).await.expect("an answer").expect_status(201);
        }
    }
    let entries = shop.books().audited().await;
    let completed = entries.iter().filter(|entry| entry.state == "completed");
    assert_eq!(completed.count(), 7 * BUYERS);
    let orders = shop.books().number("orders", "select count(*) from orders where status = 'confirmed'").await;
    assert_eq!(usize::try_from(orders), Ok(7 * BUYERS));
}
