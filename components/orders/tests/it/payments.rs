//! Payment events: each counts once, in whatever order they arrive.

use sdk::new_uuid_v7;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Made, Shop, TOTAL, cents};

async fn outcome(shop: &Shop, made: &Made, kind: &str, event: u128) -> (String, String) {
    let told: Value = shop.tell(made, kind, event, TOTAL).send().await.expect_status(200).json();
    let text = |member: &str| told[member].as_str().unwrap().to_owned();
    (text("outcome"), text("payment_status"))
}

fn is(outcome: &str, payment: &str) -> (String, String) {
    (outcome.to_owned(), payment.to_owned())
}

#[tokio::test]
async fn an_event_counts_once() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    assert_eq!(outcome(&shop, &made, "declined", 9).await, is("ignored", "unpaid"));
    assert_eq!(outcome(&shop, &made, "authorized", 1).await, is("applied", "authorized"));
    let version = shop.etag(&made).await;
    assert_eq!(outcome(&shop, &made, "authorized", 1).await, is("duplicate", "authorized"));
    assert_eq!(outcome(&shop, &made, "authorized", 2).await, is("ignored", "authorized"));
    assert_eq!(shop.etag(&made).await, version);
    assert_eq!(outcome(&shop, &made, "captured", 3).await, is("applied", "paid"));
    let order = shop.read(&made).await;
    assert_eq!((cents(&order["captured"]), &order["status"]), (TOTAL, &json!("pending")));
    shop.peers.set(&made, "committed", "captured");
    let _ = shop.confirm(&made).send().await.expect_status(200);
    assert_eq!(outcome(&shop, &made, "captured", 3).await, is("duplicate", "paid"));
    let timeline = shop.timeline(&made).await;
    assert_eq!(timeline.iter().filter(|entry| entry.starts_with("payment")).count(), 2, "{timeline:?}");
    shop.audited().await;
}

#[tokio::test]
async fn an_id_that_stands_for_another_event_is_refused() {
    let shop = Shop::open().await;
    let (made, other) = (shop.pending().await, shop.pending().await);
    let _ = shop.tell(&made, "authorized", 1, TOTAL).send().await.expect_status(200);
    shop.tell(&made, "captured", 1, TOTAL).send().await.expect_problem(422, "event-differs");
    shop.tell(&other, "authorized", 1, TOTAL).send().await.expect_problem(422, "event-differs");
    assert_eq!(shop.state(&made).await.1, "authorized");
    assert_eq!(shop.state(&other).await.1, "unpaid");
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let shop = Shop::open().await;
    let mut event = 0;
    for kinds in [["authorized", "captured", "confirm"], ["captured", "authorized", "voided"]] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let made = shop.pending().await;
            shop.peers.set(&made, "committed", "captured");
            for place in order {
                event += 1;
                match kinds[place] {
                    "confirm" => drop(shop.confirm(&made).send().await.expect_status(200)),
                    kind => drop(shop.tell(&made, kind, event, TOTAL).send().await.expect_status(200)),
                }
            }
            let _ = shop.confirm(&made).send().await.expect_status(200);
            assert_eq!(shop.state(&made).await, is("confirmed", "paid"), "{kinds:?} {order:?}");
        }
    }
    shop.audited().await;
}

#[tokio::test]
async fn a_void_ends_a_payment_that_was_not_captured() {
    for kinds in [["authorized", "voided"], ["voided", "authorized"]] {
        let shop = Shop::open().await;
        let made = shop.pending().await;
        for (event, kind) in (1..).zip(kinds) {
            let _ = shop.tell(&made, kind, event, TOTAL).send().await.expect_status(200);
        }
        assert_eq!(shop.state(&made).await, is("pending", "voided"), "{kinds:?}");
    }
}

/// The order was cancelled before the payment was authorized: the void found nothing, and is needed now.
#[tokio::test]
async fn an_authorization_of_a_cancelled_order_is_voided() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    shop.peers.books().payments.clear();
    let _ = shop.cancel(&made).send().await.expect_status(200);
    assert_eq!(shop.state(&made).await, is("cancelled", "unpaid"));
    shop.peers.set(&made, "released", "authorized");
    assert_eq!(outcome(&shop, &made, "authorized", 1).await, is("applied", "authorized"));
    shop.settle().await;
    assert_eq!(shop.peers.payment(&made).state, "voided");
    assert_eq!(shop.state(&made).await, is("cancelled", "voided"));
    shop.audited().await;
}

#[tokio::test]
async fn a_refund_that_went_back_is_settled_by_its_event_as_well() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    shop.client.set_down("checkout", true);
    let refund: Value = shop.refund(&made, &json!({})).send().await.expect_status(201).json();
    shop.client.set_down("checkout", false);
    let id: Uuid = serde_json::from_value(refund["id"].clone()).unwrap();
    // Done, and only the answer was lost.
    shop.peers.books().payments.get_mut(&made.payment).unwrap().refunds.insert(id, TOTAL);
    let tell = |event: u128, refund: Uuid, amount: i64| {
        let body = json!({
            "event_id": Uuid::from_u128(event), "order_id": made.id, "payment_id": made.payment,
            "type": "refunded", "refund_id": refund, "amount": crate::support::money(amount),
        });
        shop.app.post("/internal/v1/payment-events").as_role(sdk::Role::Service).json(&body).send()
    };
    let problem = tell(1, new_uuid_v7(&shop.clock), TOTAL).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "refund-not-found");
    let problem = tell(1, id, TOTAL - 1).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "amount-differs");
    assert_eq!(tell(1, id, TOTAL).await.expect_status(200).json::<Value>()["outcome"], "applied");
    assert_eq!(tell(1, id, TOTAL).await.expect_status(200).json::<Value>()["outcome"], "duplicate");
    assert!(shop.refunds(&made).await[0]["settled_at"].is_string());
    let calls = shop.client.calls("checkout");
    shop.pass(600);
    shop.settle().await;
    assert_eq!(shop.client.calls("checkout"), calls, "nobody has to be told");
    shop.audited().await;
}

#[tokio::test]
async fn what_does_not_fit_the_order_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let (made, other) = (shop.pending().await, shop.pending().await);
    let problem = shop.tell(&made, "captured", 1, TOTAL - 1).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/amount");
    let swapped = Made { payment: other.payment, ..made.clone() };
    let problem = shop.tell(&swapped, "captured", 1, TOTAL).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/payment_id");
    let problem = shop.tell(&made, "lost", 1, TOTAL).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/type");
    let problem = shop.tell(&made, "refunded", 1, TOTAL).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/refund_id");
    let nobody = shop.two_cokes_and_a_juice(7);
    shop.tell(&nobody, "captured", 1, TOTAL).send().await.expect_problem(404, "order-not-found");
    // None of them was remembered.
    assert_eq!(outcome(&shop, &made, "captured", 1).await, is("applied", "paid"));
}
