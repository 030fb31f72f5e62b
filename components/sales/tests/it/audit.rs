//! The audit finds nothing in what the service does, and each rule finds what breaks it.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Shop, TILL, online, two_cokes_and_a_juice};

/// What breaks a rule, of a closed session (`{c}`) with two sales, one of them (`{s}`) paid in cash, of which one
/// coke came back (`{r}`), and of one that was paid by card (`{k}`); and the rules that find it.
const BROKEN: [(&str, &[&str]); 18] = [
    ("update registers set last_sale = last_sale + 1 where id = 12", &["receipts-are-gapless"]),
    ("update registers set last_return = last_return + 1 where id = 12", &["returns-are-gapless"]),
    ("update registers set last_z = last_z + 1 where id = 12", &["z-reports-are-gapless"]),
    ("update sales set seq = 99 where id = '{s}'", &["receipts-are-gapless"]),
    (
        "update sale_payments set amount_cents = amount_cents + 5 where sale_id = '{s}'",
        &["payments-less-change-are-payable", "a-drawer-adds-up"],
    ),
    (
        "update sales set change_cents = 5 where id = '{k}';
         update sale_payments set amount_cents = amount_cents + 5 where sale_id = '{k}'",
        &["payments-less-change-are-payable", "a-drawer-adds-up"],
    ),
    ("update sessions set expected_cents = expected_cents + 1 where id = '{c}'", &["a-drawer-adds-up"]),
    (
        "update sessions set report = jsonb_set(report, '{sales}', '3') where id = '{c}'",
        &["a-z-report-is-sum-of-its-rows"],
    ),
    (
        "update sessions set report = jsonb_set(report, '{gst,amount}', '1') where id = '{c}'",
        &["a-z-report-is-sum-of-its-rows"],
    ),
    (
        "update sale_lines set gross_cents = gross_cents + 1, discount_cents = discount_cents + 1
            where sale_id = '{s}' and line = 2",
        &["totals-are-sums-of-lines"],
    ),
    (
        "update sale_lines set unit_price_cents = unit_price_cents + 1 where sale_id = '{s}' and line = 2",
        &["totals-are-sums-of-lines"],
    ),
    (
        "update sales set gst_cents = gst_cents + 1, qst_cents = qst_cents - 1 where id = '{s}';
         update sale_lines set gst_cents = gst_cents + 1, qst_cents = qst_cents - 1 where sale_id = '{s}' and line = 1;
         update sessions set report = jsonb_set(jsonb_set(report, '{gst,amount}', '95'), '{qst,amount}', '187')
            where id = '{c}'",
        &["taxes-recompute"],
    ),
    ("update sale_lines set returned = 2 where sale_id = '{s}' and line = 1", &["returned-is-sum-of-return-lines"]),
    ("update sales set refunded_cents = refunded_cents - 1 where id = '{s}'", &["refunded-is-sum-of-returns"]),
    (
        "update return_refunds set amount_cents = amount_cents + 5 where return_id = '{r}'",
        &["a-drawer-adds-up", "return-is-sum-of-its-lines-and-is-paid-back"],
    ),
    (
        "update return_refunds set amount_cents = amount_cents + 770 where return_id = '{r}'",
        &["a-drawer-adds-up", "return-is-sum-of-its-lines-and-is-paid-back", "refunds-are-within-what-was-paid"],
    ),
    ("delete from effects where reference = '{s}'", &["what-is-sold-is-issued"]),
    ("update sales set version = version + 1 where id = '{s}'", &["version-counts-events"]),
];

#[tokio::test]
async fn each_rule_finds_what_breaks_it() {
    for (statement, expected) in BROKEN {
        let shop = Shop::open().await;
        let session = shop.session(TILL).await;
        let sale = shop.sold(session).await;
        let card = shop.sell(&two_cokes_and_a_juice(session, &[("card", 1_118)])).await;
        let back = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
        let back: Value = back.json();
        let _ = shop.close(session, 0).send().await.expect_status(200);
        let put = shop.app.put(format!("/internal/v1/sales/{}", shop.id())).as_role(Role::Service);
        let _ = put.json(&online(&shop, 1)).send().await.expect_status(201);
        shop.audited().await;
        let mut statement = statement.to_owned();
        for (name, id) in [
            ("{c}", json!(session)),
            ("{s}", sale["id"].clone()),
            ("{k}", card["id"].clone()),
            ("{r}", back["id"].clone()),
        ] {
            statement = statement.replace(name, id.as_str().unwrap());
        }
        // Whoever administers the database gets around the triggers, and is found all the same.
        let unguarded = format!("set session_replication_role = replica; {statement}");
        shop.app.database().administer(&unguarded).await;
        let violations = shop.violations().await;
        let mut found: Vec<&str> =
            violations.iter().map(|violation| violation["invariant"].as_str().unwrap()).collect();
        found.dedup();
        assert_eq!(found, expected, "{statement}: {violations:#?}");
    }
}
