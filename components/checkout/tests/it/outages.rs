//! A service that is away: before the pivot it is given up, past it nobody gives up.

use checkout::domain::steps::Step;
use sdk::testing::Fault;
use serde_json::{Value, json};

use crate::support::{Shop, uuid};

/// The service, and the steps that a checkout takes until it needs it.
const BEFORE: [(&str, &str); 6] = [
    ("cart", "cart"),
    ("products", "price"),
    ("customers", "customer"),
    ("inventory", "reserve"),
    ("orders", "order"),
    ("payments", "authorize"),
];

#[tokio::test]
async fn whoever_is_away_throughout_is_given_up_and_the_key_may_try_again() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, step) in BEFORE {
        let purchase = shop.purchase(marie, "tok_ok").await;
        shop.client.set_down(service, true);
        // A while has passed, so that nobody waits here.
        let first = shop.check_out(&purchase).send().await.expect_status(202);
        let id = uuid(&first.json::<Value>()["id"]);
        assert_eq!(first.header("location"), format!("/api/v1/checkouts/{id}"));
        for _ in 0..8 {
            shop.pass(6);
            shop.resume().await;
        }
        let body = shop.read(id).await;
        // What is undone there waits until it is back; whoever only had to be read is done with.
        let waits = ["inventory", "orders", "payments"].contains(&service);
        assert_eq!(body["state"], if waits { "compensating" } else { "failed" }, "{service}");
        assert_eq!(body["failure"]["code"], "dependency-unavailable");
        let failed = body["steps"].as_array().unwrap().iter().find(|taken| taken["step"] == step).unwrap();
        assert_eq!(failed["state"], "unknown", "{service}");
        shop.client.set_down(service, false);
        shop.settle().await;
        assert_eq!(shop.read(id).await["state"], "failed", "{service}");
        // Nothing is left of it, so the same request buys.
        let again = shop.check_out(&purchase).send().await.expect_status(201);
        assert_eq!(again.header("idempotent-replayed"), "", "{service}");
        assert_ne!(again.json::<Value>()["id"], json!(id), "{service}");
    }
    shop.audited().await;
}

#[tokio::test]
async fn past_the_pivot_it_goes_forward_when_whoever_was_away_is_back() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part) in [
        ("inventory", "/commit"),
        ("orders", "/confirm"),
        ("sales", "/internal/v1/sales/"),
        ("cart", "/consume"),
        ("customers", "/loyalty"),
    ] {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let trap = shop.client.set_trap(service, part, sdk::testing::Moment::Before);
        let buying = tokio::spawn(shop.check_out(&purchase).send());
        trap.sprung().await;
        buying.abort();
        shop.client.set_down(service, true);
        for _ in 0..20 {
            shop.pass(11);
            shop.resume().await;
        }
        let id = shop.checkout_of(purchase.cart).await;
        let books = shop.books(id).await;
        assert_eq!((books.state.as_str(), books.payment.as_str()), ("running", "captured"), "{service}");
        shop.client.set_down(service, false);
        // Within the longest pause.
        shop.pass(6);
        shop.resume().await;
        assert_eq!(shop.books(id).await.state, "completed", "{service}");
    }
    shop.audited().await;
}

/// The provider is away when the money is to be taken: nobody knows, so nobody decides.
#[tokio::test]
async fn a_capture_whose_outcome_is_not_known_decides_nothing() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for fault in [Fault::Down, Fault::LoseAnswer] {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let trap = shop.client.set_trap("payments", "/capture", sdk::testing::Moment::Before);
        let buying = tokio::spawn(shop.check_out(&purchase).send());
        trap.sprung().await;
        buying.abort();
        shop.client.set_fault("payments", Some(fault));
        for _ in 0..10 {
            shop.pass(11);
            shop.resume().await;
        }
        let id = shop.checkout_of(purchase.cart).await;
        assert_eq!(shop.read(id).await["state"], "running");
        shop.client.set_fault("payments", None);
        shop.settle().await;
        assert_eq!(shop.books(id).await.state, "completed");
    }
    shop.audited().await;
}

/// What passes within the time that a client waits, a client does not notice.
#[tokio::test]
async fn what_passes_soon_is_not_noticed() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    for (service, part, fault) in [
        ("cart", "/snapshot", Fault::Status(503)),
        ("inventory", "/pin", Fault::Status(500)),
        ("orders", "/confirm", Fault::Status(429)),
        ("sales", "/internal/v1/sales/", Fault::Status(503)),
        ("customers", "/loyalty", Fault::Down),
    ] {
        shop.client.set_fault_once(service, part, fault);
    }
    let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
    let steps = shop.read(uuid(&body["id"])).await["steps"].clone();
    let retried = |name: &str| steps.as_array().unwrap().iter().find(|s| s["step"] == name).unwrap()["retries"].clone();
    assert_eq!(
        ["cart", "price", "pin", "confirm", "sale", "loyalty"].map(retried),
        [1, 0, 1, 1, 1, 1].map(|n| json!(n))
    );
    shop.audited().await;
}

/// Answers that make no sense are no refusals: nobody gives up because of a bug elsewhere.
#[tokio::test]
async fn an_answer_that_makes_no_sense_is_asked_for_again() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    for (service, part, fault) in [
        ("products", "/price-quotes", Fault::Status(200)),
        ("inventory", "/internal/v1/reservations/", Fault::Status(404)),
        ("payments", "/payments/", Fault::Status(402)),
        ("payments", "/capture", Fault::Status(409)),
        ("sales", "/internal/v1/sales/", Fault::Status(404)),
    ] {
        shop.client.set_fault_once(service, part, fault);
    }
    let _ = shop.check_out(&purchase).send().await.expect_status(201);
    shop.audited().await;
}

#[tokio::test]
async fn where_the_oldest_checkout_is_and_since_when_is_known() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let oldest = async || checkout::store::oldest(shop.checkout.db()).await.unwrap();
    assert_eq!(oldest().await, []);
    shop.client.set_down("inventory", true);
    let purchases = [shop.purchase(marie, "tok_ok").await, shop.purchase(marie, "tok_ok").await];
    let accepted = shop.checkout.context().clock.now();
    for purchase in &purchases {
        let _ = shop.check_out(purchase).send().await.expect_status(202);
        shop.pass(2);
    }
    assert_eq!(oldest().await, [(Step::Reserve, accepted)]);
    checkout::tasks::tell_ages(shop.checkout.context().clone()).await.unwrap();
    shop.client.set_down("inventory", false);
    shop.settle().await;
    assert_eq!(oldest().await, []);
}
