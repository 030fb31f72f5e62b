//! Who may do what: customers with their own orders, staff by their role, services behind.

use sdk::Role::{self, Anonymous, Customer, Hq, Logistics, Manager, Pos, Service};
use sdk::testing::TestRequest;
use serde_json::{Value, json};

use crate::support::{CUSTOMER, Shop};

const ALL: [Role; 7] = [Anonymous, Customer, Pos, Manager, Logistics, Hq, Service];
const STAFF: [Role; 4] = [Pos, Manager, Logistics, Hq];
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Each request is one that is refused for another reason once it is let through: 404, or 200 for what has
/// no order.
fn requests(shop: &Shop) -> Vec<(&'static str, Vec<Role>, TestRequest)> {
    let order = |rest: &str| format!("/api/v1/orders/{NOBODY}{rest}");
    let internal = |rest: &str| format!("/internal/v1/orders/{NOBODY}{rest}");
    let mut seen = STAFF.to_vec();
    seen.push(Customer);
    let event = json!({
        "event_id": NOBODY, "order_id": NOBODY, "payment_id": NOBODY, "type": "captured",
        "amount": {"amount": 1, "currency": "CAD"},
    });
    let step = shop.app.post(order("/transitions")).header("if-match", "*").json(&json!({"to": "processing"}));
    vec![
        ("list", seen.clone(), shop.app.get("/api/v1/orders")),
        ("read", seen.clone(), shop.app.get(order(""))),
        ("timeline", seen.clone(), shop.app.get(order("/timeline"))),
        ("refunds", seen.clone(), shop.app.get(order("/refunds"))),
        ("cancel", seen, shop.app.post(order("/cancel")).json(&json!({}))),
        ("transition", STAFF.to_vec(), step),
        ("pickup", STAFF.to_vec(), shop.app.post(order("/pickup")).json(&json!({"code": "1"}))),
        ("refund", vec![Manager, Hq], shop.app.post(order("/refunds")).json(&json!({}))),
        ("make", vec![Service], shop.app.put(internal("")).json(&shop.two_cokes_and_a_juice(CUSTOMER).draft)),
        ("read for services", vec![Service], shop.app.get(internal(""))),
        ("confirm", vec![Service], shop.app.post(internal("/confirm"))),
        ("compensate", vec![Service], shop.app.post(internal("/cancel")).json(&json!({}))),
        ("payment event", vec![Service], shop.app.post("/internal/v1/payment-events").json(&event)),
        ("events", vec![Service], shop.app.get("/internal/v1/events")),
        ("audit", vec![Service], shop.app.get("/internal/v1/audit")),
    ]
}

#[tokio::test]
async fn every_route_is_for_those_it_is_for() {
    let shop = Shop::open().await;
    for role in ALL {
        for (name, allowed, request) in requests(&shop) {
            // The last, because it makes what the others do not find.
            if name == "make" && role == Service {
                continue;
            }
            let request = if role == Customer { request.as_customer(CUSTOMER) } else { request.as_role(role) };
            let response = request.send().await;
            let context = format!("{name} by {role:?}: {}", response.text());
            match response.status.as_u16() {
                401 => assert_eq!(role, Anonymous, "{context}"),
                403 => assert!(!allowed.contains(&role) && role != Anonymous, "{context}"),
                // 204: an order that is called off before it is made.
                200 | 204 | 404 => assert!(allowed.contains(&role), "{context}"),
                _ => panic!("{context}"),
            }
        }
    }
}

/// Invariant 29.
#[tokio::test]
async fn a_customer_never_learns_of_somebody_elses_order() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let before = shop.read(&made).await;
    let other = CUSTOMER + 1;
    let path = |rest: &str| format!("{}{rest}", made.path());
    let nobody = |rest: &str| format!("/api/v1/orders/{NOBODY}{rest}");
    for rest in ["", "/timeline", "/refunds"] {
        let theirs = shop.app.get(path(rest)).as_customer(other).send().await;
        let mut theirs = theirs.expect_problem(404, "order-not-found");
        let mut none =
            shop.app.get(nobody(rest)).as_customer(other).send().await.expect_problem(404, "order-not-found");
        // The same words but for the id that was asked for.
        for problem in [&mut theirs, &mut none] {
            for member in ["instance", "detail"] {
                let text = problem[member].as_str().unwrap().replace(&made.id.to_string(), NOBODY);
                problem[member] = text.into();
            }
        }
        assert_eq!(theirs, none);
        let _ = shop.app.get(path(rest)).as_customer(CUSTOMER).send().await.expect_status(200);
    }
    let cancel = shop.app.post(path("/cancel")).as_customer(other).json(&json!({}));
    cancel.send().await.expect_problem(404, "order-not-found");
    assert_eq!(shop.read(&made).await, before);

    for (query, customer, count) in
        [("", other, 0), ("?customer=7", other, 0), ("", CUSTOMER, 1), ("?customer=8", 7, 0)]
    {
        let list = shop.app.get(format!("/api/v1/orders{query}")).as_customer(customer).send().await;
        let list: Value = list.expect_status(200).json();
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query} {customer}");
    }
    shop.audited().await;
}

/// The gateway vouches for a token, and the token names nobody.
#[tokio::test]
async fn a_customer_without_an_id_is_nobody() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    let read = shop.app.get(made.path()).as_role(Customer);
    read.send().await.expect_problem(401, "authentication-required");
}

#[tokio::test]
async fn the_code_is_for_the_customers_eyes_alone() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let code = shop.code(&made).await;
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let hidden = |order: &Value| order.get("pickup_code").is_none();
    for role in STAFF {
        let order: Value = shop.app.get(made.path()).as_role(role).send().await.expect_status(200).json();
        assert!(hidden(&order), "{role:?}");
    }
    let internal: Value = shop.app.get(made.internal()).as_role(Service).send().await.expect_status(200).json();
    assert!(hidden(&internal));
    let again: Value = shop.make(&made).send().await.expect_status(200).json();
    assert!(hidden(&again));
}
