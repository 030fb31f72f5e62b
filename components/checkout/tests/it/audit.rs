//! An audit finds what it is for.

use sdk::{Executor, params};

use crate::support::Shop;

/// A statement that breaks each rule, in the order of the rules.
fn breaking() -> Vec<(&'static str, String)> {
    let failed = "(select id from checkouts where state = 'failed')";
    let completed = "(select id from checkouts where state = 'completed')";
    let of_completed = "(select payment_id from checkouts where state = 'completed')";
    vec![
        (
            "ended-checkout-is-undone",
            format!("delete from checkout_steps where step = 'release' and checkout_id = {failed}"),
        ),
        (
            "completed-checkout-took-every-step",
            "update checkout_steps set state = 'refused' where step = 'commit'".to_owned(),
        ),
        (
            "completed-checkout-undid-nothing",
            format!(
                "insert into checkout_steps select id, 'void', 'done', 0, now(), now(), null from checkouts where id = {completed}"
            ),
        ),
        ("pivot-is-the-capture", format!("update checkouts set pivoted_at = null where id = {completed}")),
        (
            "captured-and-failed-is-refunded",
            format!(
                "update checkouts set state = 'failed', failure = 'order-cancelled', ended_at = ended_at - interval '1 hour' where id = {completed}"
            ),
        ),
        (
            "refunds-are-within-what-was-captured",
            format!("insert into payment_refunds values (gen_random_uuid(), {of_completed}, 9999, now())"),
        ),
        (
            "every-checkout-ends",
            format!(
                "update checkouts set state = 'running', ended_at = null, token = 't', created_at = created_at - interval '1 hour' where id = {completed}"
            ),
        ),
        ("total-is-what-the-customer-was-told", format!("update checkouts set total_cents = 1 where id = {completed}")),
        ("version-counts-events", format!("update checkouts set version = 7 where id = {completed}")),
        ("provider-agrees", format!("update provider_payments set status = 'voided' where id = {of_completed}")),
        (
            "provider-holds-no-money-for-nobody",
            "insert into provider_payments values (gen_random_uuid(), 1, 't', 'captured', null, 0, now(), now())"
                .to_owned(),
        ),
        (
            "provider-refunds-add-up",
            format!("update provider_payments set refunded_cents = 1 where id = {of_completed}"),
        ),
    ]
}

#[tokio::test]
async fn every_rule_finds_what_breaks_it() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for token in ["tok_ok", "tok_declined"] {
        let purchase = shop.purchase(marie, token).await;
        shop.check_out(&purchase).send().await;
    }
    assert!(shop.checkout.violations().await.is_empty());
    let breaking = breaking();
    let rules: Vec<&str> = checkout::api::audit::RULES.iter().map(|rule| rule.invariant).collect();
    // That there is one live checkout of a cart, an index keeps.
    let kept = "cart-has-one-live-checkout";
    let tried: Vec<&str> = breaking.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules.iter().filter(|rule| **rule != kept).copied().collect::<Vec<_>>(), tried);
    for (rule, sql) in breaking {
        let found: Result<(), sdk::Problem> = shop
            .checkout
            .db()
            .transaction(|tx| {
                let sql = sql.clone();
                async move {
                    assert!(tx.execute(&sql, params![]).await.unwrap() >= 1, "{rule}");
                    let of = checkout::api::audit::RULES.iter().find(|known| known.invariant == rule).unwrap();
                    let offenders = format!("select to_jsonb(o) from ({}) o", of.offenders);
                    let found: Vec<(serde_json::Value,)> = tx.query(&offenders, params![]).await.unwrap();
                    assert!(!found.is_empty(), "{rule}");
                    // And nothing has happened.
                    Err(sdk::Problem::not_found("undone"))
                }
            })
            .await;
        assert_eq!(found.unwrap_err().get_code(), "undone");
    }
    assert!(shop.checkout.violations().await.is_empty());
}
