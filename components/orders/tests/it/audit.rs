//! The audit finds nothing in what the service does, and each rule finds what breaks it.

use serde_json::{Value, json};

use crate::support::{COKE, Shop};

#[tokio::test]
async fn each_rule_finds_what_breaks_it() {
    for (statement, expected) in [
        (
            "update orders set refunded_cents = refunded_cents - 1 where status = 'cancelled'",
            vec!["cancelled-order-keeps-no-money", "refunded-is-sum-of-refunds"],
        ),
        (
            "update order_lines set returned = 2 where returned = 1 and quantity = 2",
            vec!["returned-is-sum-of-refund-lines"],
        ),
        (
            "update refund_lines set total_cents = total_cents + 1 where quantity = 1 and line = 1",
            vec!["refund-is-sum-of-its-lines"],
        ),
        ("update refunds set settled_at = null where goods = 'keep'", vec!["refund-has-an-effect"]),
        ("update orders set status = 'completed' where status = 'processing'", vec!["status-is-end-of-timeline"]),
        (
            "insert into timeline (order_id, position, what, from_state, to_state, actor, at)
                select id, 99, 'status', 'confirmed', 'processing', 'x', now() from orders where status = 'processing'",
            vec!["timeline-steps-are-allowed"],
        ),
        (
            "insert into timeline (order_id, position, what, from_state, to_state, actor, at)
                select id, 99, 'status', 'processing', 'completed', 'x', now()
                from orders where status = 'processing';
             update orders set status = 'completed' where status = 'processing'",
            vec!["timeline-steps-are-allowed"],
        ),
        (
            "update orders set captured_cents = 0, refunded_cents = 0, payment_status = 'authorized'
                where status = 'cancelled'",
            vec!["refunded-is-sum-of-refunds", "status-is-end-of-timeline", "cancelled-order-has-no-authorization"],
        ),
        ("update orders set confirmed_at = null where status = 'processing'", vec!["confirmed-order-is-captured"]),
        (
            "update order_lines set gross_cents = gross_cents + 1, discount_cents = discount_cents + 1
                where returned = 0",
            vec!["totals-are-sums-of-lines"],
        ),
        (
            "update order_lines set unit_price_cents = unit_price_cents + 1 where returned = 0",
            vec!["totals-are-sums-of-lines"],
        ),
        (
            "update orders set gst_cents = gst_cents + 1, qst_cents = qst_cents - 1 where status = 'processing';
             update order_lines l set gst_cents = l.gst_cents + 1, qst_cents = l.qst_cents - 1
                from orders o where o.id = l.order_id and o.status = 'processing' and l.line = 1",
            vec!["taxes-recompute"],
        ),
        ("update orders set version = version + 1 where status = 'processing'", vec!["version-counts-events"]),
    ] {
        let shop = Shop::open().await;
        // One that is cancelled, and one of which some came back and some did not.
        let cancelled = shop.confirmed().await;
        let _ = shop.cancel(&cancelled).send().await.expect_status(200);
        let made = shop.confirmed().await;
        let _ = shop.step(&made, sdk::Role::Pos, "processing").await.send().await.expect_status(200);
        let one = json!({"lines": [{"product_id": COKE, "quantity": 1}], "goods": "keep"});
        let _ = shop.refund(&made, &one).send().await.expect_status(201);
        shop.audited().await;
        shop.app.database().administer(statement).await;
        let violations = shop.violations().await;
        let mut found: Vec<&str> = violations.iter().map(|v: &Value| v["invariant"].as_str().unwrap()).collect();
        found.dedup();
        assert_eq!(found, expected, "{statement}: {violations:#?}");
    }
}
