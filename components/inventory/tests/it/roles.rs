//! Who may do what; who may not learns nothing about the rest of the request.

use axum::http::Method;
use sdk::Role;
use serde_json::json;

use crate::support::{Depot, MONTREAL, stock_path, uuid};

const EVERYBODY: [Role; 7] =
    [Role::Anonymous, Role::Customer, Role::Pos, Role::Manager, Role::Logistics, Role::Hq, Role::Service];

const STAFF: &[Role] = &[Role::Pos, Role::Manager, Role::Logistics, Role::Hq, Role::Service];
const KEEPERS: &[Role] = &[Role::Manager, Role::Logistics, Role::Hq];
const STOREKEEPERS: &[Role] = &[Role::Manager, Role::Hq];
const SHIPPERS: &[Role] = &[Role::Logistics, Role::Hq];
const SERVICES: &[Role] = &[Role::Service];

#[tokio::test]
async fn each_role_may_do_what_is_written() {
    let depot = Depot::open().await;
    let id = uuid(1);
    let row = stock_path(MONTREAL, 1);
    let mut rules: Vec<(Method, String, &[Role])> = vec![
        (Method::GET, "/api/v1/locations".to_owned(), &EVERYBODY),
        (Method::GET, "/api/v1/stock/availability/1".to_owned(), &EVERYBODY),
        (Method::GET, "/api/v1/stock".to_owned(), STAFF),
        (Method::GET, row.clone(), STAFF),
        (Method::GET, "/api/v1/movements".to_owned(), STAFF),
        (Method::GET, "/api/v1/alerts".to_owned(), STAFF),
        (Method::GET, "/api/v1/discrepancies".to_owned(), STAFF),
        (Method::PUT, row, KEEPERS),
        (Method::POST, "/api/v1/adjustments".to_owned(), KEEPERS),
        (Method::GET, format!("/internal/v1/reservations/{id}"), SERVICES),
        (Method::PUT, format!("/internal/v1/reservations/{id}"), SERVICES),
        (Method::PUT, "/internal/v1/issues/x".to_owned(), SERVICES),
        (Method::PUT, "/internal/v1/receipts/x".to_owned(), SERVICES),
        (Method::GET, "/internal/v1/events".to_owned(), SERVICES),
        (Method::GET, "/internal/v1/audit".to_owned(), SERVICES),
    ];
    for verb in ["pin", "commit", "release"] {
        rules.push((Method::POST, format!("/internal/v1/reservations/{id}/{verb}"), SERVICES));
    }
    for (path, asks) in [("/api/v1/restock-requests", STOREKEEPERS), ("/api/v1/transfers", KEEPERS)] {
        rules.push((Method::GET, path.to_owned(), STAFF));
        rules.push((Method::GET, format!("{path}/{id}"), STAFF));
        rules.push((Method::POST, path.to_owned(), asks));
        for (verb, may) in
            [("approve", SHIPPERS), ("reject", SHIPPERS), ("ship", SHIPPERS), ("receive", asks), ("cancel", asks)]
        {
            rules.push((Method::POST, format!("{path}/{id}/{verb}"), may));
        }
    }
    assert_eq!(rules.len(), 34, "one for each operation of the document");
    for (method, path, may) in rules {
        for role in EVERYBODY {
            // A body that cannot be right, so that whoever may has an effect on nothing.
            let request = depot.app.request(method.clone(), &path).as_role(role).header("if-match", "*");
            let response = request.json(&json!({"wrong": true})).send().await;
            let context = format!("{role:?} {method} {path}: {}", response.text());
            match (may.contains(&role), role) {
                (true, _) => assert!(![401, 403, 405].contains(&response.status.as_u16()), "{context}"),
                (false, Role::Anonymous) => assert_eq!(response.status, 401, "{context}"),
                (false, _) => assert_eq!(response.status, 403, "{context}"),
            }
        }
    }
    depot.audited().await;
}
