//! Somebody who was slower than their lease: whatever they do afterwards changes nothing.

use sdk::testing::{Moment, TestResponse};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{LEASE_S, Purchase, Shop};

/// Longer than a checkout waits for somebody who is away.
const PATIENCE_S: i64 = 31;

/// Every call with an effect before the pivot: service, part of its path, and what undoes it.
const REVOCABLE: [(&str, &str); 3] =
    [("inventory", "/internal/v1/reservations/"), ("orders", "/internal/v1/orders/"), ("payments", "/payments/")];

fn spawn(shop: &Shop, purchase: &Purchase) -> JoinHandle<TestResponse> {
    tokio::spawn(shop.check_out(purchase).send())
}

#[tokio::test]
async fn a_worker_that_slept_is_fenced_and_answers_what_the_other_one_did() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (moment, service, part) in [
        (Moment::After, "inventory", "/internal/v1/reservations/"),
        (Moment::Before, "orders", "/internal/v1/orders/"),
        (Moment::After, "payments", "/payments/"),
        (Moment::Before, "payments", "/capture"),
        (Moment::After, "payments", "/capture"),
        (Moment::Before, "cart", "/consume"),
    ] {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let trap = shop.client.set_trap(service, part, moment);
        let slow = spawn(&shop, &purchase);
        trap.sprung().await;
        shop.pass(LEASE_S);
        shop.resume().await;
        let id = shop.checkout_of(purchase.cart).await;
        let (books, steps) = (shop.books(id).await, shop.steps(id).await);
        assert_eq!(books.state, "completed", "{part}");
        trap.let_go();
        let answer = slow.await.unwrap().expect_status(201);
        assert_eq!(answer.json::<serde_json::Value>()["id"], json!(id), "{part}");
        assert_eq!((shop.books(id).await, shop.steps(id).await), (books, steps), "{part}");
    }
    shop.audited().await;
}

/// The other one has given up and undone everything: what the sleeper asks for late is refused where it asks.
#[tokio::test]
async fn what_a_sleeper_asks_for_after_it_was_undone_is_refused() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part) in REVOCABLE {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let trap = shop.client.set_trap(service, part, Moment::Before);
        let slow = spawn(&shop, &purchase);
        trap.sprung().await;
        shop.pass(PATIENCE_S);
        shop.client.set_down(service, true);
        shop.resume().await;
        shop.client.set_down(service, false);
        shop.settle().await;
        let id = shop.checkout_of(purchase.cart).await;
        let books = shop.books(id).await;
        assert_eq!((books.state.as_str(), books.failure.as_deref()), ("failed", Some("dependency-unavailable")));
        trap.let_go();
        slow.await.unwrap().expect_problem(503, "dependency-unavailable");
        assert_eq!(shop.books(id).await, books, "{service}");
        assert!(!["authorized", "captured"].contains(&books.payment.as_str()), "{service}");
    }
    shop.audited().await;
}

/// The fence is in every write: one that is behind writes nothing, whatever it says.
#[tokio::test]
async fn of_two_claims_the_later_one_writes() {
    use checkout::domain::later;
    use checkout::store::{self, Saved, Written};

    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("orders", "/internal/v1/orders/", Moment::Before);
    let gone = spawn(&shop, &purchase);
    trap.sprung().await;
    gone.abort();
    let (context, db) = (shop.checkout.context(), shop.checkout.db());
    let id = shop.checkout_of(purchase.cart).await.into();
    let claim = async || store::claim(db, Some(id), context.clock.now(), 1).await.unwrap().pop();
    assert!(claim().await.is_none(), "it has a lease");
    shop.pass(LEASE_S);
    let first = claim().await.unwrap();
    assert!(claim().await.is_none(), "it has another");
    shop.pass(LEASE_S);
    let second = claim().await.unwrap();
    assert_eq!((first.fence, second.fence), (2, 3));
    let save = async |of: &checkout::domain::checkout::Checkout| {
        let written = Written { steps: &[], events: Vec::new(), basket: false };
        store::save(context, of, written).await.unwrap()
    };
    assert_eq!(save(&first).await, Saved::No);
    assert_eq!(save(&second).await, Saved::Yes { cancel_requested: false });
    assert!(later(second.due_at, jiff::SignedDuration::from_secs(1)) > second.due_at);
    shop.pass(LEASE_S);
    shop.settle().await;
    shop.audited().await;
}
