//! The OpenAPI document that is checked in is the one that the code makes, and that is served.

use inventory::api::document::document;
use sdk::Role;
use sdk::testing::assert_openapi;
use serde_json::{Value, json};

use crate::support::{Depot, uuid};

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&inventory::SERVICE, &document(), 34).await;
}

#[tokio::test]
async fn every_operation_of_it_is_answered() {
    let depot = Depot::open().await;
    let document = serde_json::to_value(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let id = uuid(1).to_string();
        let path = path.replace("{id}", &id).replace("{ref}", "x").replace("{location}", "1").replace("{product}", "1");
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let response = depot.app.request(method, &path).send().await;
            assert_ne!(response.status, 405, "{path}");
            if response.status == 404 {
                assert_ne!(response.problem()["code"], "not-found", "{path}");
            }
        }
    }
}

#[test]
fn every_operation_says_who_and_what() {
    let document = serde_json::to_value(document()).unwrap();
    let open = ["/api/v1/locations", "/api/v1/stock/availability/{product}"];
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let at = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{at}");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
            assert_eq!(operation["security"].is_null(), open.contains(&path.as_str()), "{at}");
            assert_eq!(
                responses.contains_key("401") && responses.contains_key("403"),
                !open.contains(&path.as_str()),
                "{at}"
            );
        }
    }
    let count = &document["paths"]["/api/v1/stock/{location}/{product}"]["put"]["responses"];
    assert!(count.get("412").is_some() && count.get("428").is_some());
}

/// What a reader copies from the document is accepted.
#[tokio::test]
async fn its_examples_are_accepted() {
    let depot = Depot::open().await;
    let document = serde_json::to_value(document()).unwrap();
    // A property that refers to an id has no room for an example of its own.
    let ids = [("product_id", 42), ("location_id", 1), ("source_id", 100), ("destination_id", 1)];
    let example = |name: &str| -> Value {
        let properties = document["components"]["schemas"][name]["properties"].as_object().unwrap().iter();
        let value = |name: &str, property: &Value| {
            let id = ids.iter().find(|(id, _)| *id == name).map(|(_, id)| json!(id));
            property.get("example").cloned().or(id)
        };
        properties.filter_map(|(name, property)| Some((name.clone(), value(name, property)?))).collect()
    };
    let mut adjustment = example("NewAdjustment");
    adjustment["reason"] = json!("damage");
    adjustment["lines"] = json!([example("DeltaLine")]);
    let mut restock = example("NewRestockRequest");
    restock["lines"] = json!([example("ProductLine")]);
    let mut transfer = example("NewTransfer");
    transfer["lines"] = json!([example("ProductLine")]);
    for (path, body) in [("adjustments", adjustment), ("restock-requests", restock), ("transfers", transfer)] {
        let request = depot.app.post(format!("/api/v1/{path}")).as_role(Role::Hq).json(&body);
        let response = request.send().await;
        assert_eq!(response.status, 201, "{path}: {}", response.text());
    }
    let count = depot.app.put("/api/v1/stock/1/42").as_role(Role::Hq).header("if-match", "*").json(&example("Count"));
    let _ = count.send().await.expect_status(200);
    let mut reservation = example("NewReservation");
    reservation["lines"] = json!([example("QuantityLine")]);
    let request = depot.app.put(format!("/internal/v1/reservations/{}", uuid(1))).as_role(Role::Service);
    let _ = request.json(&reservation).send().await.expect_status(201);
    depot.audited().await;
}
