//! What the world is told of carts: every version once.

use sdk::{Executor as _, params};
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, SPRITE, Shop, add};

async fn kinds(shop: &Shop) -> Vec<String> {
    let text = |event: sdk::outbox::Published| format!("{} {}", event.kind, event.subject_version);
    shop.app.events().await.into_iter().map(text).collect()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn every_change_of_a_cart_is_told_with_its_version() {
    let shop = Shop::open().await;
    let cart = shop.cart_of(json!({"customer_id": 7, "store_id": 2})).await;
    shop.add(&cart, COKE, 2).await;
    let tag = shop.add(&cart, SPRITE, 1).await;
    let patch = shop.app.patch(format!("{cart}/items/{COKE}")).json(&json!({"delta": -1}));
    let _ = patch.send().await.expect_status(200);
    shop.app.put(format!("{cart}/items/{COKE}")).header("if-match", tag).json(&json!({"quantity": 9})).send().await;
    let tag = shop.read(&cart).await["version"].to_string();
    let put = shop.app.put(format!("{cart}/items/{COKE}")).header("if-match", format!("\"{tag}\""));
    let put = put.json(&json!({"quantity": 5})).send().await.expect_status(200);
    let delete = shop.app.delete(format!("{cart}/items/{SPRITE}")).header("if-match", put.header("etag"));
    let _ = delete.send().await.expect_status(204);

    let expected =
        ["cart.created 1", "cart.changed 2", "cart.changed 3", "cart.changed 4", "cart.changed 5", "cart.changed 6"];
    assert_eq!(kinds(&shop).await, expected);
    let events = shop.app.events().await;
    let who = |event: &Value| (event["cart_id"].clone(), event["customer_id"].clone(), event["store_id"].clone());
    for event in &events {
        assert_eq!(event.subject, format!("cart/{}", id(&cart)));
        assert_eq!(who(&event.payload), (json!(id(&cart)), json!(7), json!(2)));
        assert!(event.traceparent.is_some());
    }
    let lines: Vec<(Value, Value)> =
        events.iter().skip(1).map(|e| (e.payload["product_id"].clone(), e.payload["quantity"].clone())).collect();
    assert_eq!(lines, [(1, 2), (2, 1), (1, 1), (1, 5), (2, 0)].map(|(product, units)| (json!(product), json!(units))));
    assert!(shop.app.violations().await.is_empty());
}

#[tokio::test]
async fn what_changes_nothing_is_not_told() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let add = || add(&shop.app, &cart, COKE, 2).idempotency_key("k");
    let _ = add().send().await.expect_status(200);
    let _ = add().send().await.expect_status(200);
    let _ = shop.app.patch(format!("{cart}/items/{COKE}")).json(&json!({"delta": -3})).send().await.expect_status(409);
    assert_eq!(kinds(&shop).await, ["cart.created 1", "cart.changed 2"]);
    assert!(shop.app.violations().await.is_empty());
}

#[tokio::test]
async fn a_merge_a_purchase_and_the_end_are_told() {
    let shop = Shop::open().await;
    let (guest, cart) = (shop.cart().await, shop.cart_of(json!({"customer_id": 7})).await);
    shop.add(&guest, COKE, 2).await;
    let merge = shop.app.post(format!("{cart}/merge")).json(&json!({"from": id(&guest)}));
    let _ = merge.send().await.expect_status(200);
    let checkout = "0190d3f0-7c1e-7000-8000-000000000001";
    let body = json!({"checkout_id": checkout, "lines": [
        {"product_id": COKE, "quantity": 1}, {"product_id": JUICE, "quantity": 1},
    ]});
    for _ in 0..2 {
        let consume = shop.app.post(format!("/internal/v1/carts/{}/consume", id(&cart)));
        let _ = consume.as_role(sdk::Role::Service).json(&body).send().await.expect_status(200);
    }
    shop.pass(200 * 24 * 3_600);
    cart::tasks::expire(shop.app.context().clone()).await.unwrap();

    let events = shop.app.events().await;
    let of = |path: &str| -> Vec<(String, i64)> {
        let subject = format!("cart/{}", id(path));
        let own = events.iter().filter(|event| event.subject == subject);
        own.map(|event| (event.kind.clone(), event.subject_version)).collect()
    };
    let told =
        |kinds: &[&str]| -> Vec<(String, i64)> { kinds.iter().map(|kind| (*kind).to_owned()).zip(1..).collect() };
    assert_eq!(of(&guest), told(&["cart.created", "cart.changed", "cart.merged"]));
    assert_eq!(of(&cart), told(&["cart.created", "cart.changed", "cart.consumed", "cart.expired"]));
    let find = |kind: &str| events.iter().find(|event| event.kind == kind).unwrap().payload.clone();
    assert_eq!(find("cart.merged")["merged_into"], id(&cart));
    let taken = json!([
        {"product_id": COKE, "quantity": 1, "taken": 1}, {"product_id": JUICE, "quantity": 1, "taken": 0},
    ]);
    assert_eq!((&find("cart.consumed")["checkout_id"], &find("cart.consumed")["lines"]), (&json!(checkout), &taken));
    assert!(shop.app.violations().await.is_empty());
}

/// The audit sees a version that nobody was told of.
#[tokio::test]
async fn a_change_that_is_not_told_is_found() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    shop.app.db().execute("update carts set version = version + 1", params![]).await.unwrap();
    let found = shop.app.violations().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].invariant, "version-is-that-of-the-last-event");
    assert_eq!(found[0].offender["cart_id"], id(&cart));
}
