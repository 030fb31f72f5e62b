//! The books of all services: nothing is found where nothing is wrong, and each rule finds what breaks it.

use std::collections::BTreeSet;

use reports::domain::Source;
use sdk::testing::Fault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::business::{Business, Deal, Item, stock_at};
use crate::support::{Town, at, event, money};

/// When everything happened: well before it is looked at.
const THEN: &str = "2026-11-24T15:00:00Z";

/// A purchase, as the books of all services have it. Each is told what it says, once.
#[derive(Clone, Debug)]
struct Purchase {
    checkout: Value,
    order: Value,
    sale: Option<Value>,
    reservation: Value,
    /// Of what is on hand, with what they refer to.
    movements: Vec<(i64, String)>,
    at: &'static str,
}

fn id(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap().to_owned()
}

impl Purchase {
    /// Two cokes, bought and paid for.
    fn made() -> Purchase {
        let (checkout, order, reservation) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let mut business = Business::default();
        let deal = Deal::of(THEN, 100, vec![Item::of(1, 2, 299)]);
        business.sell(&Deal { channel: "online", cashier: None, cash: false, ..deal });
        let sale_of = |source| business.events.iter().find(|(of, _)| *of == source).unwrap().1["payload"].clone();
        let (mut sale, mut told) = (sale_of(Source::Sales), sale_of(Source::Orders));
        sale["order_id"] = json!(order);
        told["order_id"] = json!(order);
        told["checkout_id"] = json!(checkout);
        Purchase {
            checkout: json!({
                "checkout_id": checkout, "state": "completed", "order_id": order, "reservation_id": reservation,
                "expected": told["total"], "total": told["total"], "created_at": THEN, "ended_at": THEN,
            }),
            reservation: json!({
                "id": reservation, "status": "committed",
                "lines": [{"line": 1, "location_id": 100, "product_id": 1, "quantity": 2}],
            }),
            movements: vec![(-2, format!("reservation/{reservation}"))],
            order: told,
            sale: Some(sale),
            at: THEN,
        }
    }

    /// The same, cancelled when it was paid for: money and goods are back.
    fn cancelled() -> Purchase {
        let mut purchase = Purchase::made();
        let order = id(&purchase.order, "order_id");
        purchase.order["status"] = json!("cancelled");
        purchase.order["payment_status"] = json!("refunded");
        purchase.order["refunded"] = purchase.order["captured"].clone();
        purchase.order["refund"] = json!({
            "refund_id": Uuid::now_v7(), "goods": "restock", "reason": null, "net": purchase.order["subtotal"],
            "gst": purchase.order["gst"], "qst": purchase.order["qst"], "deposits": purchase.order["deposits"],
            "total": purchase.order["total"], "lines": [{
                "product_id": 1, "quantity": 2, "net": purchase.order["subtotal"], "gst": purchase.order["gst"],
                "qst": purchase.order["qst"], "deposit": money(0), "total": purchase.order["total"],
            }],
        });
        purchase.movements.push((2, format!("receipt/order-{order}-cancelled")));
        purchase
    }

    /// Given up before anything was captured.
    fn given_up() -> Purchase {
        let mut purchase = Purchase::made();
        purchase.checkout["state"] = json!("failed");
        purchase.reservation["status"] = json!("released");
        for (member, value) in [
            ("status", json!("cancelled")),
            ("payment_status", json!("voided")),
            ("confirmed_at", Value::Null),
            ("captured", money(0)),
        ] {
            purchase.order[member] = value;
        }
        (purchase.sale, purchase.movements) = (None, Vec::new());
        purchase
    }

    fn tell(&self, town: &Town) {
        let now = at(self.at);
        let order = id(&self.order, "order_id");
        let checkout = id(&self.checkout, "checkout_id");
        let kind = if self.order.get("refund").is_some() { "order.refunded" } else { "order.changed" };
        town.tell(Source::Orders, event(kind, &format!("order/{order}"), 1, now, self.order.clone()));
        let subject = format!("checkout/{checkout}");
        town.tell(Source::Checkout, event("checkout.completed", &subject, 1, now, self.checkout.clone()));
        let subject = format!("reservation/{}", id(&self.reservation, "id"));
        town.tell(Source::Inventory, event("reservation.committed", &subject, 1, now, self.reservation.clone()));
        if let Some(sale) = &self.sale {
            let subject = format!("sale/{}", id(sale, "sale_id"));
            town.tell(Source::Sales, event("sale.completed", &subject, 1, now, sale.clone()));
        }
        for (delta, reference) in &self.movements {
            // The row goes on from what the last one left.
            let told: Vec<Value> = {
                let books = town.told.books();
                let events = &books["inventory"].events;
                events.iter().filter(|event| event["type"] == "stock.changed").cloned().collect()
            };
            let before = told.last().map_or(1_000, |event| event["payload"]["on_hand"].as_i64().unwrap());
            let version = i64::try_from(told.len()).unwrap() + 1;
            let delta_told = if version == 1 { 1_000 + delta } else { *delta };
            // The very first one opens with a thousand, which is told apart.
            if version == 1 {
                town.tell(Source::Inventory, stock_at(now, (100, 1), 1, 1_000, 1_000, "normal", "opening/100"));
                town.tell(Source::Inventory, stock_at(now, (100, 1), 2, *delta, before + delta, "normal", reference));
            } else {
                let row = stock_at(now, (100, 1), version, delta_told, before + delta, "normal", reference);
                town.tell(Source::Inventory, row);
            }
        }
    }
}

async fn names(town: &Town) -> BTreeSet<String> {
    town.broken().await.into_iter().map(|(invariant, _)| invariant).collect()
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_wrong() {
    let town = Town::open().await;
    for purchase in [Purchase::made(), Purchase::cancelled(), Purchase::given_up(), Purchase::made()] {
        purchase.tell(&town);
    }
    let body = town.read("reconciliation?max_staleness_ms=0").await;
    assert_eq!(
        (&body["data"], &body["unavailable"], &body["unchecked"], &body["freshness"]["complete"]),
        (&json!([]), &json!([]), &json!([]), &json!(true))
    );
}

/// A kind of purchase, what is done to it, and the rules that find that.
type Plant = (fn() -> Purchase, fn(&mut Purchase), &'static [&'static str]);

const PLANTED: &[Plant] = &[
    (Purchase::made, |p| p.sale = None, &["paid-order-has-one-sale"]),
    (Purchase::made, |p| p.order["captured"] = money(1), &["confirmed-order-is-captured"]),
    (
        Purchase::made,
        |p| {
            p.order["confirmed_at"] = Value::Null;
            p.order["status"] = json!("pending");
        },
        &[
            "captured-order-is-confirmed",
            "online-sale-has-a-paid-order",
            "committed-reservation-has-a-paid-order",
            "completed-checkout-has-a-paid-order",
        ],
    ),
    (
        Purchase::made,
        |p| p.sale.as_mut().unwrap()["order_id"] = json!(Uuid::now_v7()),
        &["paid-order-has-one-sale", "online-sale-has-a-paid-order"],
    ),
    (
        Purchase::made,
        |p| {
            p.reservation["status"] = json!("released");
            p.movements.clear();
        },
        &["paid-order-has-a-committed-reservation"],
    ),
    (
        Purchase::made,
        |p| p.checkout["reservation_id"] = json!(Uuid::now_v7()),
        &["paid-order-has-a-committed-reservation", "committed-reservation-has-a-paid-order"],
    ),
    (Purchase::made, |p| p.movements.clear(), &["committed-reservation-takes-its-units-once"]),
    (Purchase::made, |p| p.movements[0].0 = -1, &["committed-reservation-takes-its-units-once"]),
    (Purchase::made, |p| p.movements.push(p.movements[0].clone()), &["committed-reservation-takes-its-units-once"]),
    (
        Purchase::made,
        |p| p.sale.as_mut().unwrap()["total"] = money(1),
        &["one-total", "reports/documents-are-sums-of-lines", "reports/documents-are-paid"],
    ),
    (Purchase::made, |p| p.checkout["total"] = money(1), &["one-total"]),
    (Purchase::made, |p| p.checkout["expected"] = money(1), &["one-total"]),
    (
        Purchase::cancelled,
        |p| p.order["refunded"] = money(0),
        &["cancelled-order-keeps-no-money", "reports/refunded-is-sum-of-refunds"],
    ),
    (Purchase::cancelled, |p| drop(p.movements.pop()), &["cancelled-order-keeps-no-units"]),
    (Purchase::cancelled, |p| p.movements[1].0 = 1, &["cancelled-order-keeps-no-units"]),
    (
        Purchase::cancelled,
        |p| p.order["refund"]["lines"][0]["net"] = money(1),
        &["reports/documents-are-sums-of-lines"],
    ),
    (Purchase::given_up, |p| p.reservation["status"] = json!("pinned"), &["cancelled-order-keeps-no-units"]),
    (Purchase::given_up, |p| p.order["payment_status"] = json!("authorized"), &["no-authorization-is-left"]),
    (
        Purchase::given_up,
        |p| {
            p.reservation["status"] = json!("committed");
            p.movements.push((-2, format!("reservation/{}", id(&p.reservation, "id"))));
        },
        &["cancelled-order-keeps-no-units"],
    ),
];

#[tokio::test]
async fn each_rule_finds_what_breaks_it_a_minute_after_it_does() {
    for (place, (purchase, plant, expected)) in PLANTED.iter().enumerate() {
        let town = Town::open_at("2026-11-24T15:00:30Z").await;
        let mut purchase = purchase();
        plant(&mut purchase);
        Purchase::made().tell(&town);
        purchase.tell(&town);
        let own = |names: &BTreeSet<String>| names.iter().all(|name| name.starts_with("reports/"));
        // Still under way.
        let early = names(&town).await;
        assert!(own(&early), "{place}: {early:?}");
        town.pass(60);
        let found = names(&town).await;
        assert_eq!(found, expected.iter().map(|name| (*name).to_owned()).collect(), "{place}");
    }
}

/// Every rule that joins services is in the list above, or in another test.
#[test]
fn no_rule_is_left_untried() {
    let tried: BTreeSet<&str> = PLANTED.iter().flat_map(|(_, _, rules)| *rules).copied().collect();
    for rule in reports::store::rules::RULES {
        assert!(tried.contains(rule.invariant) || rule.invariant == "no-version-is-missing", "{}", rule.invariant);
    }
}

#[tokio::test]
async fn goods_that_a_customer_keeps_are_not_missed() {
    let town = Town::open().await;
    let mut purchase = Purchase::cancelled();
    purchase.order["refund"]["goods"] = json!("keep");
    purchase.movements.pop();
    purchase.tell(&town);
    assert_eq!(names(&town).await, BTreeSet::new());
}

#[tokio::test]
async fn a_version_that_is_missing_is_found_when_it_has_had_its_time() {
    let town = Town::open().await;
    town.tell(Source::Orders, event("order.created", "order/1", 2, at(THEN), Purchase::given_up().order));
    town.consume().await;
    assert_eq!(names(&town).await, BTreeSet::new());
    town.pass(61);
    let broken = town.broken().await;
    assert_eq!(broken.len(), 1, "{broken:?}");
    let (invariant, offender) = &broken[0];
    assert_eq!(invariant, "no-version-is-missing");
    assert_eq!((&offender["subject"], &offender["low"], &offender["high"]), (&json!("order/1"), &json!(1), &json!(1)));
}

/// What a source has not told yet breaks no rule, however long ago it was.
#[tokio::test]
async fn a_source_that_lags_is_waited_for() {
    let town = Town::open_at(THEN).await;
    town.consume().await;
    town.client.set_fault("sales", Some(Fault::Down));
    Purchase::made().tell(&town);
    town.pass(3_600);
    let body = town.read("reconciliation?max_staleness_ms=0").await;
    assert_eq!(body["data"], json!([]));
    assert_eq!((&body["unavailable"], &body["freshness"]["complete"]), (&json!(["sales"]), &json!(false)));
    town.client.set_fault("sales", None);
    assert_eq!(names(&town).await, BTreeSet::new());
}

#[tokio::test]
async fn what_was_never_told_is_not_called_right() {
    let town = Town::open().await;
    town.client.set_fault("sales", Some(Fault::Status(500)));
    Purchase::made().tell(&town);
    let body = town.read("reconciliation?max_staleness_ms=0").await;
    let unchecked: Vec<&str> =
        body["unchecked"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(unchecked, ["paid-order-has-one-sale", "online-sale-has-a-paid-order", "one-total"]);
    assert_eq!((&body["data"], &body["unavailable"]), (&json!([]), &json!(["sales"])));
}

/// It hides no other, and is not called kept.
#[tokio::test]
async fn a_rule_that_takes_too_long_is_named() {
    let town = Town::open().await;
    Purchase { sale: None, ..Purchase::made() }.tell(&town);
    town.consume().await;
    town.app
        .database()
        .administer(
            "alter table repeats rename to repeats_kept;
             create view repeats as select r.* from repeats_kept r cross join (select pg_sleep(60) offset 0) s",
        )
        .await;
    let body = town.read("reconciliation").await;
    assert_eq!(body["unchecked"], json!(["reports/no-event-is-told-twice"]));
    assert_eq!(body["data"][0]["invariant"], "paid-order-has-one-sale");
}

#[tokio::test]
async fn what_services_say_of_themselves_is_in_it() {
    let town = Town::open().await;
    let violation = json!({"invariant": "reserved-is-on-hand", "offender": {"location_id": 1, "product_id": 7}});
    town.told.books().entry("inventory".to_owned()).or_default().violations = vec![violation];
    let body = town.read("reconciliation?max_staleness_ms=0").await;
    assert_eq!(
        body["data"],
        json!([{
            "invariant": "inventory/reserved-is-on-hand",
            "offender": {"location_id": 1, "product_id": 7},
            "detail": "inventory breaks a rule of its own",
        }])
    );
    let findings = reports::reconciling::reconcile(town.app.context()).await.unwrap();
    let counts = findings.counts();
    assert_eq!((counts["inventory"], counts["orders"], counts["paid-order-has-one-sale"]), (1, 0, 0));
    reports::tasks::reconcile(town.app.context().clone()).await.unwrap();
}

/// What breaks a rule of its own, in what was made of a sale, its return, another one that was called off, and an
/// order with a refund; and the rules that find it.
const BROKEN: &[(&str, &[&str])] = &[
    ("update entries set qst_cents = qst_cents + 1 where kind = 'sale'", &["documents-are-sums-of-lines"]),
    ("delete from documents where kind = 'void'", &["lines-have-a-document", "sale-was-told-whole"]),
    ("update tenders set amount_cents = amount_cents + 1 where kind = 'return'", &["documents-are-paid"]),
    ("update sales set total_cents = total_cents + 1 where status = 'voided'", &["sale-was-told-whole"]),
    ("update sales set refunded_cents = 0", &["returned-is-sum-of-returns"]),
    ("update orders set refunded_cents = 0", &["refunded-is-sum-of-refunds"]),
    ("update entries set quantity = -3 where kind = 'return'", &["returned-is-at-most-sold"]),
    ("update stock set on_hand = on_hand + 1", &["stock-is-sum-of-movements"]),
    (
        "insert into repeats (epoch, source, subject, version, event_id, seen_at)
            select epoch, 'sales', 's', 1, gen_random_uuid(), now() from epochs",
        &["no-event-is-told-twice"],
    ),
    (
        "insert into rejected_events (epoch, source, digest, event, reason, rejected_at)
            select epoch, 'sales', 'd', 'e', 'r', now() from epochs",
        &["every-event-can-be-read"],
    ),
];

#[tokio::test]
async fn each_rule_of_its_own_finds_what_breaks_it() {
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    for (statement, expected) in BROKEN {
        let (town, mut business) = (Town::open().await, Business::default());
        let deal = Deal::of(THEN, 1, vec![Item::of(1, 2, 299)]);
        let mut kept = business.sell(&deal);
        business.bring_back(&mut kept, &[1], 1, deal.at);
        let called_off = business.sell(&deal);
        business.void(called_off, deal.at);
        let mut online = business.sell(&Deal { channel: "online", cashier: None, cash: false, ..deal.clone() });
        business.bring_back(&mut online, &[1], 1, deal.at);
        town.tell_all(&business.events);
        town.tell(Source::Inventory, stock_at(deal.at, (1, 1), 1, 5, 5, "normal", "opening/1"));
        town.consume().await;
        town.audited().await;
        town.app.database().administer(statement).await;
        let found: BTreeSet<String> =
            town.app.violations().await.into_iter().map(|violation| violation.invariant).collect();
        assert_eq!(found, expected.iter().map(|name| (*name).to_owned()).collect(), "{statement}");
        tried.extend(*expected);
    }
    for rule in reports::api::audit::RULES {
        assert!(tried.contains(rule.invariant), "{} was not tried", rule.invariant);
    }
}
