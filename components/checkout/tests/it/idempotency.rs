//! Invariant 11: one checkout for a key, however many clicks; one live checkout for a cart.

use sdk::testing::Moment;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{COKE, LEASE_S, Purchase, Shop, count, uuid};

const AT_ONCE: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_clicks_at_once_buy_once() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for token in ["tok_ok", "tok_declined", "tok_ok"] {
        let purchase = shop.purchase(marie, token).await;
        let answers = shop.at_once((0..AT_ONCE).map(|_| shop.check_out(&purchase))).await;
        let status = if token == "tok_ok" { 201 } else { 402 };
        let ids: Vec<Value> = answers
            .into_iter()
            .map(|answer| {
                let body: Value = answer.expect_status(status).json();
                if status == 201 { body["id"].clone() } else { body["checkout_id"].clone() }
            })
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    assert_eq!(count(&shop.checkout, "select count(*) from checkouts").await, 3);
    assert_eq!(count(&shop.orders, "select count(*) from orders where status = 'confirmed'").await, 2);
    assert_eq!(shop.stock(COKE).await, (4_996, 0));
    shop.audited().await;
}

#[tokio::test]
async fn a_key_stands_for_one_purchase() {
    let shop = Shop::open().await;
    let (marie, paul) = (shop.customer("marie").await, shop.customer("paul").await);
    let purchase = shop.purchase(marie, "tok_ok").await;
    let first = shop.check_out(&purchase).send().await.expect_status(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = shop.check_out(&purchase).send().await.expect_status(201);
    assert_eq!((again.text(), again.header("idempotent-replayed")), (first.text(), "true"));
    assert_eq!(again.header("location"), first.header("location"));

    let other = shop.purchase(marie, "tok_ok").await;
    let reused = Purchase { key: purchase.key.clone(), ..other };
    shop.check_out(&reused).send().await.expect_problem(422, "idempotency-key-reused");
    let mut other_total = purchase.clone();
    other_total.body["expected_total"]["amount"] = json!(1);
    shop.check_out(&other_total).send().await.expect_problem(422, "idempotency-key-reused");

    // A key is somebody's own.
    let pauls = shop.purchase(paul, "tok_ok").await;
    let pauls = Purchase { key: purchase.key.clone(), ..pauls };
    let _ = shop.check_out(&pauls).send().await.expect_status(201);

    let without = shop.checkout.post("/api/v1/checkouts").as_customer(marie).json(&purchase.body);
    without.send().await.expect_problem(400, "idempotency-key-required");
    shop.audited().await;
}

/// Whoever asks again while it is under way waits for it with the first one.
#[tokio::test]
async fn whoever_asks_again_meanwhile_waits_for_the_same_end() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("orders", "/confirm", Moment::Before);
    let first = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    let second = tokio::spawn(shop.check_out(&purchase).send());
    trap.let_go();
    let first: Value = first.await.unwrap().expect_status(201).json();
    assert_eq!(second.await.unwrap().expect_status(201).json::<Value>(), first);
    shop.audited().await;
}

/// And if whoever had it is gone, goes on with it.
#[tokio::test]
async fn whoever_asks_again_goes_on_with_what_was_left() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("payments", "/capture", Moment::After);
    let gone = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    gone.abort();
    shop.pass(LEASE_S);
    let again = shop.check_out(&purchase).send().await.expect_status(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    shop.audited().await;
}

#[tokio::test]
async fn a_cart_is_in_one_live_checkout() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("payments", "/payments/", Moment::Before);
    let first = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    let other = Purchase { key: Uuid::now_v7().to_string(), ..purchase.clone() };
    let problem = shop.check_out(&other).send().await.expect_problem(409, "checkout-in-progress");
    assert_eq!(uuid(&problem["checkout_id"]), shop.checkout_of(purchase.cart).await);
    trap.let_go();
    let _ = first.await.unwrap().expect_status(201);
    // That was no acceptance, so it was not recorded: now the cart is empty.
    shop.check_out(&other).send().await.expect_problem(422, "cart-empty");
    shop.audited().await;
}

/// Several keys and one cart: at most one of them buys.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_keys_at_once_for_a_cart_one_buys() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for _ in 0..4 {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let keyed = |_| Purchase { key: Uuid::now_v7().to_string(), ..purchase.clone() };
        let answers = shop.at_once((0..8).map(|at| shop.check_out(&keyed(at)))).await;
        let bought = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(bought, 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let code = answer.problem()["code"].as_str().unwrap().to_owned();
            // Whoever comes once it is through finds nothing to buy.
            assert!(["checkout-in-progress", "cart-empty"].contains(&code.as_str()), "{code}");
        }
    }
    shop.audited().await;
}
