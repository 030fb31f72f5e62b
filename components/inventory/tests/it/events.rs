//! What others learn: from the events alone, the stock can be built anew.

use std::collections::BTreeMap;

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, NEWER, QUEBEC, WAREHOUSE, int, issue, receipt, uuid};

/// Type, subject, version, payload; in the order of the feed.
type Row = (String, String, i64, Value);

const ALL: &str = "select type, subject, subject_version, payload from outbox order by xid, seq";

/// Something of everything that changes stock.
async fn a_busy_day(depot: &Depot) {
    depot.deliver(MONTREAL, NEW, 20).await;
    depot.deliver(WAREHOUSE, NEW, 20).await;
    for (id, verbs) in [(1, &["pin", "commit"][..]), (2, &["release"]), (3, &["pin"])] {
        depot.reserve(id, &[(MONTREAL, NEW, 2), (MONTREAL, 1, 1)]).await;
        for verb in verbs {
            depot.turn(id, verb).await;
        }
    }
    depot.reserve(4, &[(MONTREAL, NEW, 1)]).await;
    depot.pass(60);
    depot.expire().await;
    let _ =
        issue(&depot.app, "s", &[(MONTREAL, NEW, 3), (MONTREAL, NEWER, 1)], "record").send().await.expect_status(201);
    let _ = receipt(&depot.app, "r", &[(QUEBEC, NEW, 1)]).send().await.expect_status(201);
    let _ = crate::support::count(&depot.app, QUEBEC, NEW, 4, "*").send().await.expect_status(200);
    let body = json!({"location_id": QUEBEC, "lines": [{"product_id": NEW, "quantity": 5}]});
    let request = depot.app.post("/api/v1/restock-requests").as_role(Role::Hq).json(&body);
    let path = request.send().await.expect_status(201).header("location").to_owned();
    let arrival = json!({"lines": [{"product_id": NEW, "received": 3, "lost": 1}]});
    for (verb, body) in [("approve", json!({})), ("ship", json!({})), ("receive", arrival), ("receive", json!({}))] {
        let request = depot.app.post(format!("{path}/{verb}")).as_role(Role::Hq).json(&body);
        let _ = request.send().await.expect_status(200);
    }
    depot.audited().await;
}

/// Invariants 23 to 25, for the part of them that is here: every version of every subject has one event,
/// and the last of them, or the sum of all, is the row.
#[tokio::test]
async fn the_stock_can_be_built_from_the_events_alone() {
    let depot = Depot::open().await;
    a_busy_day(&depot).await;
    let events: Vec<Row> = depot.ask(ALL).await;
    let mut versions: BTreeMap<String, i64> = BTreeMap::new();
    let mut built: BTreeMap<(i64, i64), (i64, i64, i64, i64)> = BTreeMap::new();
    for (kind, subject, version, payload) in &events {
        let last = versions.insert(subject.clone(), *version).unwrap_or(0);
        assert_eq!(*version, last + 1, "a gap in {subject}");
        if kind == "stock.changed" {
            let place = (int(&payload["location_id"]), int(&payload["product_id"]));
            assert_eq!(*subject, format!("stock/{}/{}", place.0, place.1));
            let sum = built.get(&place).map_or(0, |row| row.3) + int(&payload["delta"]);
            let row = (int(&payload["on_hand"]), int(&payload["reserved"]), int(&payload["in_transit"]), sum);
            assert_eq!(row.0, sum, "{payload}");
            built.insert(place, row);
        }
    }
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> =
        depot.ask("select location_id, product_id, on_hand, reserved, in_transit, version from stock").await;
    assert_eq!(rows.len(), built.len());
    for (location, product, on_hand, reserved, in_transit, version) in rows {
        assert_eq!(built[&(location, product)], (on_hand, reserved, in_transit, on_hand), "{location}/{product}");
        assert_eq!(versions[&format!("stock/{location}/{product}")], version);
    }
}

#[tokio::test]
async fn every_kind_of_event_is_told_in_its_order() {
    let depot = Depot::open().await;
    a_busy_day(&depot).await;
    let events: Vec<Row> = depot.ask(ALL).await;
    let of = |prefix: &str| -> Vec<String> {
        events.iter().filter(|(_, subject, ..)| subject.starts_with(prefix)).map(|(kind, ..)| kind.clone()).collect()
    };
    let reservation = |id: u128| of(&format!("reservation/{}", uuid(id)));
    assert_eq!(reservation(1), ["reservation.made", "reservation.pinned", "reservation.committed"]);
    assert_eq!(reservation(2), ["reservation.made", "reservation.released"]);
    assert_eq!(reservation(4), ["reservation.made", "reservation.expired"]);
    assert_eq!(
        of("restock/"),
        ["restock.requested", "restock.approved", "restock.shipped", "restock.partially_received", "restock.received"]
    );
    assert_eq!(of("discrepancy/"), ["discrepancy.recorded", "discrepancy.recorded"]);
    let kinds = |place: &str| -> Vec<(String, i64)> {
        let rows = events.iter().filter(|(_, subject, ..)| subject == place);
        rows.map(|(.., payload)| (payload["kind"].as_str().unwrap().to_owned(), int(&payload["delta"]))).collect()
    };
    let told = |kinds: &[(&str, i64)]| -> Vec<(String, i64)> {
        kinds.iter().map(|(kind, delta)| ((*kind).to_owned(), *delta)).collect()
    };
    assert_eq!(
        kinds(&format!("stock/{QUEBEC}/{NEW}")),
        told(&[("return", 1), ("count", 3), ("transit", 0), ("arrival", 3), ("arrival", 1)])
    );
    assert_eq!(kinds(&format!("stock/{WAREHOUSE}/{NEW}")), told(&[("adjustment", 20), ("dispatch", -5)]));
    // What the seed says is said in the words of the code.
    let members = |payload: &Value| payload.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let stock = || events.iter().filter(|(kind, ..)| kind == "stock.changed").map(|(.., payload)| payload);
    let opening = stock().find(|payload| payload["kind"] == "opening").unwrap();
    assert!(stock().all(|payload| members(payload) == members(opening)));
}

/// The order of a transaction's events is that in which they are read; the feed itself is the SDK's.
#[tokio::test]
async fn the_feed_begins_with_the_opening_stock() {
    let depot = Depot::open().await;
    let first = json!(depot.app.events().await[0]);
    assert_eq!(
        (&first["type"], &first["subject"], int(&first["subject_version"])),
        (&json!("stock.changed"), &json!("stock/1/1"), 1)
    );
    assert_eq!(int(&first["payload"]["on_hand"]), 240);
}
