//! Each rule of the audit, broken: it finds what breaks it, and nothing else does.

use inventory::api::audit::RULES;

use crate::support::{Depot, MONTREAL, NEW, QUEBEC, WAREHOUSE, issue, uuid, violations};
use sdk::Role;
use serde_json::json;

/// A rule, and a statement after which it does not hold.
const BROKEN: [(&str, &str); 9] = [
    (
        "reserved-is-on-hand",
        "alter table stock drop constraint stock_reserved_range;
         update stock set reserved = on_hand + 1 where location_id = 1 and product_id = 2;
         insert into reservations (id, status, ttl_s, expires_at, made_by, created_at, updated_at)
         values ('00000000-0000-7000-8000-000000000009', 'pinned', 1, now(), 'x', now(), now());
         insert into reservation_lines
         select '00000000-0000-7000-8000-000000000009', 1, 1, 2, reserved from stock
         where location_id = 1 and product_id = 2",
    ),
    (
        "reserved-is-sum-of-open-lines",
        "update stock set reserved = reserved + 1 where location_id = 1 and product_id = 2",
    ),
    ("on-hand-is-sum-of-movements", "update stock set on_hand = on_hand + 1 where location_id = 1 and product_id = 2"),
    (
        "line-moves-once",
        "alter table movements drop constraint movements_reference_line_key;
         insert into movements (location_id, product_id, delta, on_hand, kind, reference, line, actor, occurred_at)
         select 1, 2, d.delta, 1, 'adjustment', 'twice', 1, 'x', now() from (values (1), (-1)) d (delta)",
    ),
    (
        "committed-reservation-moves-its-lines",
        "alter table movements disable trigger user;
         update movements set reference = 'lost' where kind = 'order'",
    ),
    (
        "voucher-moves-its-lines",
        "alter table movements disable trigger user;
         update movements set reference = 'lost' where kind = 'sale'",
    ),
    (
        "in-transit-is-under-way",
        "update stock set in_transit = in_transit + 1 where location_id = 2 and product_id = 5000",
    ),
    ("shipments-conserve-units", "delete from discrepancies where kind = 'lost_in_transit'"),
    (
        "no-active-reservation-past-its-expiry",
        "update reservations set expires_at = now() - interval '1 hour' where status = 'active'",
    ),
];

/// Something of everything, so that a rule has something to look at.
async fn a_day(depot: &Depot) {
    depot.deliver(MONTREAL, NEW, 20).await;
    depot.deliver(WAREHOUSE, NEW, 20).await;
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    depot.turn(1, "pin").await;
    depot.turn(1, "commit").await;
    depot.reserve(2, &[(MONTREAL, NEW, 2)]).await;
    let _ = issue(&depot.app, "s", &[(MONTREAL, NEW, 30)], "record").send().await.expect_status(201);
    let body = json!({"location_id": QUEBEC, "lines": [{"product_id": NEW, "quantity": 5}]});
    let request = depot.app.post("/api/v1/restock-requests").as_role(Role::Hq).json(&body);
    let path = request.send().await.expect_status(201).header("location").to_owned();
    let arrival = json!({"lines": [{"product_id": NEW, "received": 2, "lost": 1}]});
    for (verb, body) in [("approve", json!({})), ("ship", json!({})), ("receive", arrival)] {
        let request = depot.app.post(format!("{path}/{verb}")).as_role(Role::Hq).json(&body);
        let _ = request.send().await.expect_status(200);
    }
    depot.audited().await;
}

#[tokio::test]
async fn every_rule_finds_what_breaks_it() {
    assert_eq!(
        RULES.iter().map(|rule| rule.invariant).collect::<Vec<_>>(),
        BROKEN.iter().map(|(rule, _)| *rule).collect::<Vec<_>>()
    );
    for (rule, statement) in BROKEN {
        let depot = Depot::open().await;
        a_day(&depot).await;
        depot.app.database().administer(statement).await;
        let found = violations(&depot.app).await;
        assert_eq!(found.len(), 1, "{rule}: {found:#?}");
        assert_eq!(found[0]["invariant"], rule);
        if rule == "no-active-reservation-past-its-expiry" {
            assert_eq!(found[0]["offender"]["reservation_id"], json!(uuid(2)));
        }
    }
}
