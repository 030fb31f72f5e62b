//! What reports read: every change, once, with all that they need.

use sdk::Role;
use sdk::outbox::Published;
use serde_json::{Value, json};

use crate::support::{COKE, Made, Shop, TOTAL, cents};

async fn events_of(shop: &Shop, made: &Made) -> Vec<Published> {
    let subject = format!("order/{}", made.id);
    shop.app.events().await.into_iter().filter(|event| event.subject == subject).collect()
}

fn kinds(events: &[Published]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn every_change_is_told_without_a_gap_in_versions() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let one = json!({"lines": [{"product_id": COKE, "quantity": 1}]});
    let _ = shop.step(&made, Role::Pos, "processing").await.send().await.expect_status(200);
    let _ = shop.refund(&made, &one).send().await.expect_status(201);
    let _ = shop.cancel(&made).send().await.expect_status(200);
    let events = events_of(&shop, &made).await;
    assert_eq!(
        kinds(&events),
        ["order.created", "order.confirmed", "order.changed", "order.refunded", "order.cancelled", "order.refunded"]
    );
    let versions: Vec<i64> = events.iter().map(|event| event.subject_version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    shop.audited().await;
}

#[tokio::test]
async fn a_payload_has_all_that_reports_need_and_nothing_personal() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let code = shop.code(&made).await;
    let _ = shop.refund(&made, &json!({"goods": "keep"})).send().await.expect_status(201);
    let events = events_of(&shop, &made).await;
    let confirmed = &events[1].payload;
    assert_eq!((&confirmed["channel"], &confirmed["store_id"]), (&json!("online"), &json!(1)));
    assert!(confirmed["confirmed_at"].is_string());
    let amounts = ["gross", "discount", "subtotal", "gst", "qst", "deposits", "total", "captured", "refunded"];
    assert_eq!(amounts.map(|member| cents(&confirmed[member])), [947, 0, 947, 47, 94, 30, TOTAL, TOTAL, 0]);
    let line = &confirmed["lines"][0];
    assert_eq!((&line["product_id"], &line["quantity"], cents(&line["net"])), (&json!(COKE), &json!(2), 598));
    assert!(confirmed.get("refund").is_none());

    let refunded = &events.last().unwrap().payload;
    let refund = &refunded["refund"];
    assert_eq!((cents(&refund["total"]), &refund["goods"]), (TOTAL, &json!("keep")));
    assert_eq!(["net", "gst", "qst", "deposits"].map(|member| cents(&refund[member])), [947, 47, 94, 30]);
    assert_eq!(refund["lines"].as_array().unwrap().len(), 2);
    for event in &events {
        let text = event.payload.to_string();
        assert!(!text.contains(&code) && !text.contains("address"), "{text}");
    }
}

/// It was never a sale, so what goes back is no return.
#[tokio::test]
async fn a_payment_that_was_captured_too_late_is_told_apart_from_a_return() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    shop.peers.set(&made, "committed", "captured");
    let _ = shop.cancel(&made).send().await.expect_status(200);
    let events = events_of(&shop, &made).await;
    assert_eq!(kinds(&events), ["order.created", "order.cancelled", "order.changed", "order.refunded"]);
    assert!(events.iter().all(|event| event.payload["confirmed_at"] == Value::Null));
    shop.audited().await;
}

#[tokio::test]
async fn what_changes_nothing_tells_nothing() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let _ = shop.confirm(&made).send().await.expect_status(200);
    let _ = shop.make(&made).send().await.expect_status(200);
    let _ = shop.tell(&made, "authorized", 1, TOTAL).send().await.expect_status(200);
    shop.pick_up(&made, "1").send().await.expect_problem(409, "order-not-for-pickup");
    shop.step(&made, Role::Pos, "completed").await.send().await.expect_problem(409, "transition-not-allowed");
    assert_eq!(kinds(&events_of(&shop, &made).await), ["order.created", "order.confirmed"]);
}
