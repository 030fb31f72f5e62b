//! The audit finds nothing in what the service does, and each rule finds what breaks it.

use serde_json::{Value, json};

use crate::support::{COKE, Shop};

/// What breaks a rule, of an order that was cancelled (`{c}`) or of one that is being picked and of which
/// one coke came back (`{p}`); and the rules that find it.
const BROKEN: [(&str, &[&str]); 13] = [
    (
        "update orders set refunded_cents = refunded_cents - 1 where id = '{c}'",
        &["cancelled-order-keeps-no-money", "refunded-is-sum-of-refunds"],
    ),
    ("update order_lines set returned = 2 where order_id = '{p}' and line = 1", &["returned-is-sum-of-refund-lines"]),
    ("update refund_lines set total_cents = total_cents + 1 where order_id = '{p}'", &["refund-is-sum-of-its-lines"]),
    ("update refunds set settled_at = null where order_id = '{p}'", &["refund-has-an-effect"]),
    ("update orders set status = 'completed' where id = '{p}'", &["status-is-end-of-timeline"]),
    (
        "insert into timeline (order_id, position, what, from_state, to_state, actor, at)
            values ('{p}', 99, 'status', 'confirmed', 'processing', 'x', now())",
        &["timeline-steps-are-allowed"],
    ),
    (
        "insert into timeline (order_id, position, what, from_state, to_state, actor, at)
            values ('{p}', 99, 'status', 'processing', 'completed', 'x', now());
         update orders set status = 'completed' where id = '{p}'",
        &["timeline-steps-are-allowed"],
    ),
    (
        "update orders set captured_cents = 0, refunded_cents = 0, payment_status = 'authorized' where id = '{c}'",
        &["refunded-is-sum-of-refunds", "status-is-end-of-timeline", "cancelled-order-has-no-authorization"],
    ),
    ("update orders set confirmed_at = null where id = '{p}'", &["confirmed-order-is-captured"]),
    (
        "update order_lines set gross_cents = gross_cents + 1, discount_cents = discount_cents + 1
            where order_id = '{p}' and line = 2",
        &["totals-are-sums-of-lines"],
    ),
    (
        "update order_lines set unit_price_cents = unit_price_cents + 1 where order_id = '{p}' and line = 2",
        &["totals-are-sums-of-lines"],
    ),
    (
        "update orders set gst_cents = gst_cents + 1, qst_cents = qst_cents - 1 where id = '{p}';
         update order_lines set gst_cents = gst_cents + 1, qst_cents = qst_cents - 1
            where order_id = '{p}' and line = 1",
        &["taxes-recompute"],
    ),
    ("update orders set version = version + 1 where id = '{p}'", &["version-counts-events"]),
];

#[tokio::test]
async fn each_rule_finds_what_breaks_it() {
    let shop = Shop::open().await;
    let mut known: Vec<Value> = Vec::new();
    for (statement, expected) in BROKEN {
        let cancelled = shop.confirmed().await;
        let _ = shop.cancel(&cancelled).send().await.expect_status(200);
        let picked = shop.confirmed().await;
        let _ = shop.step(&picked, sdk::Role::Pos, "processing").await.send().await.expect_status(200);
        let one = json!({"lines": [{"product_id": COKE, "quantity": 1}], "goods": "keep"});
        let _ = shop.refund(&picked, &one).send().await.expect_status(201);
        let before = shop.violations().await;
        assert!(before.len() == known.len() && before.iter().all(|v| known.contains(v)), "{before:#?}");

        let statement = statement.replace("{c}", &cancelled.id.to_string()).replace("{p}", &picked.id.to_string());
        shop.app.database().administer(&statement).await;
        let violations = shop.violations().await;
        let mut found: Vec<&str> = Vec::new();
        for violation in violations.iter().filter(|violation| !known.contains(violation)) {
            found.push(violation["invariant"].as_str().unwrap());
        }
        assert_eq!(found, expected, "{statement}: {violations:#?}");
        known = violations;
    }
}
