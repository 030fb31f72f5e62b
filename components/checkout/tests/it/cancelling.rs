//! A checkout that is called off, and an order that is cancelled while it is being paid for.

use sdk::testing::{Moment, TestResponse};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{COKE, LEASE_S, Purchase, Shop};

fn spawn(shop: &Shop, purchase: &Purchase) -> JoinHandle<TestResponse> {
    tokio::spawn(shop.check_out(purchase).send())
}

/// A checkout that is kept at that call, and goes on when it is let go.
struct Kept {
    purchase: Purchase,
    id: Uuid,
    order: Uuid,
    trap: sdk::testing::Trap,
    buying: JoinHandle<TestResponse>,
}

async fn kept(shop: &Shop, customer: i64, service: &str, part: &str, moment: Moment) -> Kept {
    let purchase = shop.purchase(customer, "tok_ok").await;
    let trap = shop.client.set_trap(service, part, moment);
    let buying = spawn(shop, &purchase);
    trap.sprung().await;
    let id = shop.checkout_of(purchase.cart).await;
    let order = crate::support::uuid(&shop.read(id).await["order_id"]);
    Kept { purchase, id, order, trap, buying }
}

#[tokio::test]
async fn before_the_pivot_it_is_undone() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part, moment) in [
        ("cart", "/snapshot", Moment::Before),
        ("inventory", "/internal/v1/reservations/", Moment::After),
        ("orders", "/internal/v1/orders/", Moment::Before),
        ("payments", "/payments/", Moment::After),
        ("inventory", "/pin", Moment::Before),
        // The very last moment: the next thing that is written would be the pivot.
        ("inventory", "/pin", Moment::After),
    ] {
        let Kept { purchase, id, trap, buying, .. } = kept(&shop, marie, service, part, moment).await;
        assert_eq!(shop.read(id).await["cancellable"], true);
        let cancelling = tokio::spawn(shop.cancel(marie, id).send());
        while !asked(&shop, id).await {
            tokio::task::yield_now().await;
        }
        trap.let_go();
        buying.await.unwrap().expect_problem(409, "checkout-cancelled");
        let body: Value = cancelling.await.unwrap().expect_status(200).json();
        assert_eq!((&body["state"], &body["failure"]["code"]), (&json!("cancelled"), &json!("checkout-cancelled")));
        let books = shop.books(id).await;
        assert!(["none", "voided"].contains(&books.payment.as_str()), "{part}: {books:?}");
        assert_eq!(shop.lines(purchase.cart).await.len(), 2);
        // Once more is no other answer, and the cart can be bought with another key.
        let _ = shop.cancel(marie, id).send().await.expect_status(200);
        let again = Purchase { key: Uuid::now_v7().to_string(), ..purchase };
        let _ = shop.check_out(&again).send().await.expect_status(201);
    }
    shop.audited().await;
}

async fn asked(shop: &Shop, id: Uuid) -> bool {
    use sdk::Executor as _;
    let sql = "select cancel_requested from checkouts where id = $1";
    let (asked,): (bool,) = shop.checkout.db().query_one(sql, sdk::params![id]).await.unwrap();
    asked
}

#[tokio::test]
async fn past_the_pivot_it_is_too_late() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part, moment) in [
        ("payments", "/capture", Moment::Before),
        ("payments", "/capture", Moment::After),
        ("cart", "/consume", Moment::Before),
    ] {
        let Kept { id, trap, buying, .. } = kept(&shop, marie, service, part, moment).await;
        let problem = shop.cancel(marie, id).send().await.expect_problem(409, "checkout-not-cancellable");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("running"), &json!([])));
        trap.let_go();
        let _ = buying.await.unwrap().expect_status(201);
        let problem = shop.cancel(marie, id).send().await.expect_problem(409, "checkout-not-cancellable");
        assert_eq!(problem["state"], "completed");
    }
    shop.audited().await;
}

/// Whoever was at it is gone: whoever calls it off undoes it.
#[tokio::test]
async fn one_that_nobody_works_on_is_undone_by_whoever_calls_it_off() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let Kept { id, buying, .. } = kept(&shop, marie, "inventory", "/pin", Moment::Before).await;
    buying.abort();
    shop.pass(LEASE_S);
    let body: Value = shop.cancel(marie, id).send().await.expect_status(200).json();
    assert_eq!(body["state"], "cancelled");
    shop.audited().await;
}

/// The customer cancels the order, which is pending, at every moment of its being paid for.
#[tokio::test]
async fn an_order_that_is_cancelled_while_it_is_paid_for_costs_nothing() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part, moment, payment, reservation) in [
        ("orders", "/internal/v1/orders/", Moment::After, "voided", "released"),
        ("payments", "/payments/", Moment::Before, "voided", "released"),
        ("payments", "/payments/", Moment::After, "voided", "released"),
        ("inventory", "/pin", Moment::Before, "voided", "released"),
        ("inventory", "/pin", Moment::After, "voided", "released"),
        ("payments", "/capture", Moment::Before, "voided", "released"),
        ("payments", "/capture", Moment::After, "captured", "released"),
        ("inventory", "/commit", Moment::Before, "captured", "released"),
        ("inventory", "/commit", Moment::After, "captured", "committed"),
        ("orders", "/confirm", Moment::Before, "captured", "committed"),
    ] {
        let context = format!("{part} {moment:?}");
        let Kept { id, order, trap, buying, purchase } = kept(&shop, marie, service, part, moment).await;
        let cancel = shop.orders.post(format!("/api/v1/orders/{order}/cancel")).as_customer(marie).json(&json!({}));
        let _ = cancel.send().await.expect_status(200);
        trap.let_go();
        buying.await.unwrap().expect_problem(409, "order-cancelled");
        shop.settle().await;
        let books = shop.books(id).await;
        let found = (books.order.as_str(), books.payment.as_str(), books.reservation.as_str());
        assert_eq!(found, ("cancelled", payment, reservation), "{context}");
        assert_eq!(books.refunded, books.captured, "{context}");
        assert_eq!(shop.lines(purchase.cart).await.len(), 2, "{context}");
        assert_eq!(shop.stock(COKE).await, (5_000, 0), "{context}");
    }
    shop.audited().await;
}

/// Confirmed, it is an order like any other: cancelled, its money and its goods come back.
#[tokio::test]
async fn an_order_that_is_cancelled_afterwards_is_paid_back_through_checkout() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
    let order = crate::support::uuid(&body["order_id"]);
    let cancel = shop.orders.post(format!("/api/v1/orders/{order}/cancel")).as_customer(marie).json(&json!({}));
    let _ = cancel.send().await.expect_status(200);
    shop.settle().await;
    let books = shop.books(crate::support::uuid(&body["id"])).await;
    assert_eq!((books.state.as_str(), books.order.as_str()), ("completed", "cancelled"));
    assert_eq!((books.captured, books.refunded), (1_118, 1_118));
    assert_eq!(shop.stock(COKE).await, (5_000, 0));
    shop.audited().await;
}
