//! Who may do what: tills and managers sell, the head office reads, services behind.

use sdk::Role::{self, Anonymous, Customer, Hq, Logistics, Manager, Pos, Service};
use sdk::testing::TestRequest;
use serde_json::json;

use crate::support::{Shop, TILL, money, online, two_cokes_and_a_juice};

const ALL: [Role; 7] = [Anonymous, Customer, Pos, Manager, Logistics, Hq, Service];

/// Each request is one that is refused for another reason once it is let through, or has no effect on the others.
fn requests(shop: &Shop) -> Vec<(&'static str, Vec<Role>, TestRequest)> {
    let (readers, tellers) = (vec![Pos, Manager, Hq], vec![Pos, Manager]);
    let id = shop.id();
    let sale = |rest: &str| format!("/api/v1/sales/{id}{rest}");
    let session = |rest: &str| format!("/api/v1/sessions/{id}{rest}");
    let new_sale = two_cokes_and_a_juice(id, &[]);
    let back = json!({"session_id": id, "lines": [{"line": 1, "quantity": 1, "disposition": "damaged"}]});
    let opening = json!({"cashier": "Julie", "opening_float": money(0)});
    let movement = json!({"kind": "in", "amount": money(5), "reason": "x"});
    let app = &shop.app;
    vec![
        ("list registers", readers.clone(), app.get("/api/v1/registers")),
        ("register", readers.clone(), app.get("/api/v1/registers/7")),
        (
            "set up",
            vec![Manager, Hq],
            app.post("/api/v1/registers").json(&json!({"store_id": 1, "code": "", "name": ""})),
        ),
        ("list sessions", readers.clone(), app.get("/api/v1/registers/7/sessions")),
        ("open", tellers.clone(), app.post("/api/v1/registers/7/sessions").json(&opening)),
        ("session", readers.clone(), app.get(session(""))),
        ("close", tellers.clone(), app.post(session("/close")).json(&json!({"counted_cash": money(0)}))),
        ("movements", readers.clone(), app.get(session("/cash-movements"))),
        ("move", tellers.clone(), app.post(session("/cash-movements")).json(&movement)),
        ("x", readers.clone(), app.get(session("/x-report"))),
        ("z", readers.clone(), app.get(session("/z-report"))),
        ("list", readers.clone(), app.get("/api/v1/sales")),
        ("read", readers.clone(), app.get(sale(""))),
        ("receipt", readers.clone(), app.get(sale("/receipt"))),
        ("record", tellers.clone(), app.put(sale("")).json(&new_sale)),
        ("create", tellers.clone(), app.post("/api/v1/sales").idempotency_key("k").json(&new_sale)),
        ("void", tellers.clone(), app.post(sale("/void")).json(&json!({"reason": "x"}))),
        ("returns", readers, app.get(sale("/returns"))),
        ("bring back", tellers, app.post(sale("/returns")).json(&back)),
        ("online", vec![Service], app.put(format!("/internal/v1/sales/{id}")).json(&online(shop, 1))),
        ("read online", vec![Service], app.get(format!("/internal/v1/sales/{}", shop.id()))),
        ("events", vec![Service], app.get("/internal/v1/events")),
        ("audit", vec![Service], app.get("/internal/v1/audit")),
    ]
}

#[tokio::test]
async fn every_route_is_for_those_it_is_for() {
    let shop = Shop::open().await;
    for role in ALL {
        for (name, allowed, request) in requests(&shop) {
            let request = if role == Customer { request.as_customer(7) } else { request.as_role(role) };
            let response = request.send().await;
            let context = format!("{name} by {role:?}: {}", response.text());
            match response.status.as_u16() {
                401 => assert_eq!(role, Anonymous, "{context}"),
                403 => assert!(!allowed.contains(&role) && role != Anonymous, "{context}"),
                200 | 201 | 404 | 422 => assert!(allowed.contains(&role), "{context}"),
                _ => panic!("{context}"),
            }
        }
    }
}

/// A till works in its own sessions, and everybody else's are a manager's.
#[tokio::test]
async fn a_till_does_its_own_work_and_a_manager_that_of_any() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let other = |request: TestRequest| request.header("x-consumer-username", "pos-2");
    let card = || two_cokes_and_a_juice(session, &[("card", 1_118)]);
    for request in [
        shop.put(shop.id(), &card()),
        shop.move_cash(session, "in", 5),
        shop.close(session, 0),
        shop.void(&sale),
        shop.bring_back(&sale, session, &[(1, 1, "damaged")]),
    ] {
        other(request).send().await.expect_problem(403, "session-of-another");
    }
    let manager = |request: TestRequest| request.as_role(Manager);
    for (request, status) in [
        (shop.put(shop.id(), &card()), 201),
        (shop.move_cash(session, "in", 5), 201),
        (shop.bring_back(&sale, session, &[(1, 1, "damaged")]), 201),
        (shop.close(session, 0), 200),
    ] {
        let _ = manager(request).send().await.expect_status(status);
    }
    // What is sold here may come back there, to whoever stands there.
    let there = other(shop.open_drawer(21)).send().await.expect_status(201);
    let there = crate::support::uuid(&there.json::<serde_json::Value>()["id"]);
    let _ = other(shop.bring_back(&sale, there, &[(1, 1, "resalable")])).send().await.expect_status(201);
    shop.audited().await;
}
