//! Money goes back for units that come back: to the cent, and never more than was captured.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, CUSTOMER, JUICE, Shop, TOTAL, cents, line};

fn units(product: i64, quantity: u32) -> Value {
    json!({"lines": [{"product_id": product, "quantity": quantity}]})
}

#[tokio::test]
async fn some_units_and_then_the_rest_are_exactly_what_was_paid() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let response = shop.refund(&made, &units(COKE, 1)).send().await.expect_status(201);
    assert_eq!(response.header("location"), format!("{}/refunds", made.path()));
    assert_eq!(response.header("etag"), shop.etag(&made).await);
    let first: Value = response.json();
    // Half of 5.98, 0.30, 0.59 and 0.20, the taxes half up: as in pricing's worked example.
    assert_eq!(["net", "gst", "qst", "deposits", "total"].map(|m| cents(&first[m])), [299, 15, 30, 10, 354]);
    assert_eq!((&first["goods"], &first["by"]), (&json!("restock"), &json!("consumer:manager-1")));
    let order = shop.read(&made).await;
    assert_eq!((&order["payment_status"], cents(&order["refunded"])), (&json!("partially-refunded"), 354));
    assert_eq!((&order["lines"][0]["returned"], &order["lines"][1]["returned"]), (&json!(1), &json!(0)));
    assert_eq!((shop.peers.restocked(COKE), shop.peers.payment(&made).refunded()), (1, 354));

    let rest: Value = shop.refund(&made, &json!({})).send().await.expect_status(201).json();
    assert_eq!(cents(&rest["total"]), TOTAL - 354);
    let order = shop.read(&made).await;
    assert_eq!((&order["payment_status"], cents(&order["refunded"])), (&json!("refunded"), TOTAL));
    assert_eq!(shop.peers.payment(&made).refunded(), TOTAL);
    assert_eq!((shop.peers.restocked(COKE), shop.peers.restocked(JUICE)), (2, 1));
    let refunds = shop.refunds(&made).await;
    assert_eq!((refunds[0]["id"].clone(), refunds[1]["id"].clone()), (first["id"].clone(), rest["id"].clone()));
    assert!(refunds.iter().all(|refund| refund["settled_at"].is_string()));
    shop.audited().await;
}

#[tokio::test]
async fn what_stays_with_the_customer_does_not_go_back_to_the_shelf() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let broken = json!({"lines": [{"product_id": COKE, "quantity": 2}], "goods": "keep", "reason": "broken"});
    let refund: Value = shop.refund(&made, &broken).send().await.expect_status(201).json();
    assert_eq!((&refund["goods"], &refund["reason"]), (&json!("keep"), &json!("broken")));
    assert_eq!((shop.peers.restocked(COKE), shop.client.calls("inventory")), (0, 0));
    assert_eq!(shop.peers.payment(&made).refunded(), 707);
    shop.audited().await;
}

#[tokio::test]
async fn more_than_there_is_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let _ = shop.refund(&made, &units(COKE, 1)).send().await.expect_status(201);
    for (body, pointer, code) in [
        (units(COKE, 2), "/lines/0/quantity", "returned-more-than-sold"),
        (units(COKE, u32::MAX), "/lines/0/quantity", "returned-more-than-sold"),
        (units(99, 1), "/lines/0/product_id", "product-not-ordered"),
        (units(COKE, 0), "/lines/0/quantity", "quantity-out-of-range"),
        (json!({"lines": []}), "/lines", "lines-out-of-range"),
        (
            json!({"lines": [{"product_id": COKE, "quantity": 1}, {"product_id": COKE, "quantity": 1}]}),
            "/lines/1/product_id",
            "product-repeated",
        ),
        (json!({"goods": "burn"}), "/goods", "invalid-value"),
        (json!({"amount": 5}), "/amount", "unknown-field"),
        (json!({"reason": "x".repeat(501)}), "/reason", "length-out-of-range"),
    ] {
        let problem = shop.refund(&made, &body).send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    assert_eq!(shop.refunds(&made).await.len(), 1);
    shop.audited().await;
}

#[tokio::test]
async fn what_is_not_paid_or_has_come_back_is_not_refunded() {
    let shop = Shop::open().await;
    let pending = shop.pending().await;
    let problem = shop.refund(&pending, &json!({})).send().await.expect_problem(409, "order-not-refundable");
    assert_eq!(problem["payment_status"], "unpaid");
    // Captured, but the checkout is not through: it may be cancelled, and then all of it goes back.
    shop.peers.set(&pending, "pinned", "captured");
    let _ = shop.tell(&pending, "captured", 1, TOTAL).send().await.expect_status(200);
    shop.refund(&pending, &json!({})).send().await.expect_problem(409, "order-not-refundable");

    let cancelled = shop.confirmed().await;
    let _ = shop.cancel(&cancelled).send().await.expect_status(200);
    shop.refund(&cancelled, &json!({})).send().await.expect_problem(409, "order-not-refundable");

    let returned = shop.confirmed().await;
    let _ = shop.refund(&returned, &json!({})).send().await.expect_status(201);
    for body in [json!({}), units(COKE, 1)] {
        shop.refund(&returned, &body).send().await.expect_problem(409, "nothing-left-to-refund");
    }
    shop.audited().await;
}

#[tokio::test]
async fn a_completed_order_comes_back_as_well() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    for to in ["processing", "ready", "completed"] {
        let _ = shop.step(&made, Role::Hq, to).await.send().await.expect_status(200);
    }
    let _ = shop.refund(&made, &json!({})).send().await.expect_status(201);
    assert_eq!(shop.state(&made).await, ("completed".to_owned(), "refunded".to_owned()));
    shop.audited().await;
}

/// Invariant 10, side by side: each of ten units comes back once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_refunds_at_once_never_exceed_what_was_captured() {
    let shop = Shop::open().await;
    let total = 3_330 + 167 + 332 + 100;
    let made = shop.confirmed_of(shop.draft(CUSTOMER, &[line(COKE, 10, 333)], total)).await;
    let answers = shop.at_once((0..30).map(|_| shop.refund(&made, &units(COKE, 1)))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(won.len(), 10);
    let refunded: i64 = won.iter().map(|answer| cents(&answer.json::<Value>()["total"])).sum();
    assert_eq!((refunded, shop.peers.payment(&made).refunded()), (total, total));
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        match lost.status.as_u16() {
            422 => drop(lost.expect_problem(422, "validation-failed")),
            _ => drop(lost.expect_problem(409, "nothing-left-to-refund")),
        }
    }
    assert_eq!(shop.peers.restocked(COKE), 10);
    shop.audited().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_that_is_sent_again_with_its_key_is_one() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let send = |quantity| shop.refund(&made, &units(COKE, quantity)).idempotency_key("refund-1").send();
    let (first, again) = (send(1).await.expect_status(201), send(1).await.expect_status(201));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    send(2).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(shop.peers.payment(&made).refunds.len(), 1);
    let same = (0..10).map(|_| shop.refund(&made, &units(JUICE, 1)).idempotency_key("refund-2"));
    for answer in shop.at_once(same).await.iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(409, "idempotency-in-progress");
    }
    assert_eq!(shop.peers.payment(&made).refunds.len(), 2);
    shop.audited().await;
}

#[tokio::test]
async fn what_cost_nothing_comes_back_for_nothing() {
    let shop = Shop::open().await;
    let mut free = line(COKE, 2, 0);
    free["unit_deposit"] = crate::support::money(0);
    let made = shop.confirmed_of(shop.draft(CUSTOMER, &[free], 0)).await;
    let refund: Value = shop.refund(&made, &units(COKE, 2)).send().await.expect_status(201).json();
    assert_eq!((cents(&refund["total"]), shop.peers.restocked(COKE)), (0, 2));
    assert_eq!(shop.client.calls("checkout"), 0, "there is no money to send back");
    assert!(shop.refunds(&made).await[0]["settled_at"].is_string());
    shop.audited().await;
}
