//! Each rule of the audit notices what it is there for.

use serde_json::{Value, json};

use crate::support::Desk;

#[tokio::test]
async fn a_broken_rule_is_noticed_and_no_other() {
    for (damage, invariant) in [
        (
            "alter table customers drop constraint customers_email_unique;
             update customers set email = 'Marie@example.com' where id = 2",
            "one-account-per-email",
        ),
        (
            "alter table customers drop constraint customers_empty_once_erased;
             update customers set status = 'erased', erased_at = now() where id = 2",
            "nothing-personal-is-left-of-the-erased",
        ),
        ("update customers set status = 'suspended' where id = 1", "only-the-active-have-live-tokens"),
        ("update refresh_tokens set used_at = now()", "live-families-have-one-unused-token"),
        ("update addresses set is_default = false", "one-address-is-the-default"),
        ("update loyalty_accounts set balance = 71 where customer_id = 1", "balance-is-sum-of-ledger"),
        ("update loyalty_entries set points = 71", "balance-is-sum-of-ledger"),
        ("delete from loyalty_accounts where customer_id = 2", "every-customer-has-a-loyalty-account"),
    ] {
        let desk = Desk::open().await;
        let marie = desk.register("marie").await;
        desk.register("luc").await;
        desk.signed_in(&marie).await;
        desk.address(&marie, "1, rue A").await;
        let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
        assert_eq!(desk.audit().await, json!([]));
        desk.app.database().administer(damage).await;
        let audit = desk.audit().await;
        let broken: Vec<&Value> = audit.as_array().unwrap().iter().map(|violation| &violation["invariant"]).collect();
        assert_eq!(broken, [invariant], "{damage}");
    }
}
