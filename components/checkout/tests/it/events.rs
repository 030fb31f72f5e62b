//! What the world is told of a checkout: two things, once each.

use serde_json::{Value, json};

use crate::support::{Shop, money};

#[tokio::test]
async fn a_checkout_is_told_of_when_it_is_accepted_and_when_it_ends() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for token in ["tok_ok", "tok_declined"] {
        let purchase = shop.purchase(marie, token).await;
        shop.check_out(&purchase).send().await;
        let _ = shop.check_out(&purchase).send().await;
    }
    let events = shop.checkout.events().await;
    let kinds: Vec<(&str, i64)> = events.iter().map(|event| (event.kind.as_str(), event.subject_version)).collect();
    assert_eq!(
        kinds,
        [("checkout.accepted", 1), ("checkout.completed", 2), ("checkout.accepted", 1), ("checkout.failed", 2)]
    );
    let told = |place: usize| -> &Value { &events[place].payload };
    assert_eq!(
        (&told(0)["state"], &told(0)["total"], &told(0)["expected"]),
        (&json!("running"), &Value::Null, &money(1_118))
    );
    assert_eq!(
        (&told(1)["state"], &told(1)["total"], &told(1)["failure"]),
        (&json!("completed"), &money(1_118), &Value::Null)
    );
    assert_eq!((&told(1)["store_id"], &told(1)["location_id"]), (&json!(100), &json!(100)));
    assert_eq!(told(3)["failure"], "payment-declined");
    assert!(events.iter().all(|event| event.traceparent.is_some()));
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains("tok_") && !text.contains("Tremblay"), "{text}");
}
