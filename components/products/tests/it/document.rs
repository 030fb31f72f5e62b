//! The OpenAPI document: what is checked in is what the code says, and it covers every route.

use products::api::document::document;
use sdk::testing::assert_openapi;
use serde_json::{Value, json};

use crate::support::{cad, created, manager, priced, shop};

#[tokio::test]
async fn the_document_is_what_the_code_says_and_what_is_served() {
    assert_openapi(&products::SERVICE, &document(), 20).await;
}

#[test]
fn every_operation_has_an_example_or_a_schema() {
    let document = serde_json::to_value(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let at = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{at}");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
            assert!(responses.contains_key("503"), "{at}");
            if !operation["security"].is_null() {
                assert!(responses.contains_key("401") && responses.contains_key("403"), "{at}");
            }
        }
    }
}

#[test]
fn schemas_do_not_collide() {
    let document = serde_json::to_value(document()).unwrap();
    // Two types called Tax would be one schema.
    assert_eq!(document["components"]["schemas"]["Tax"]["enum"], json!(["gst", "qst"]));
    assert!(document["components"]["schemas"]["QuoteTax"]["properties"]["taxable"].is_object());
}

#[tokio::test]
async fn its_examples_are_accepted() {
    let shop = shop().await;
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let example = |name: &str| -> Value {
        let properties = schemas[name]["properties"].as_object().unwrap().iter();
        properties.filter_map(|(name, property)| Some((name.clone(), property.get("example")?.clone()))).collect()
    };
    let mut product = example("NewProduct");
    product["price"] = cad(259);
    assert!(product["barcode"].is_string());
    let (id, _) = created(&shop, &product).await;
    let mut price = example("NewPrice");
    price["kind"] = json!("regular");
    price["amount"] = cad(299);
    priced(&shop, id, price).await;
    let mut rate = example("NewRate");
    rate["tax"] = json!("qst");
    for (path, body) in [
        ("/api/v1/categories", example("NewCategory")),
        ("/api/v1/tax-categories", example("NewTaxCategory")),
        ("/api/v1/tax-categories/standard/rates", rate),
    ] {
        let answer = manager(shop.post(path)).json(&body).send().await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    }
    let quote = shop.post("/api/v1/price-quotes").json(&schemas["QuoteRequest"]["example"]).send().await;
    assert_eq!(quote.expect_status(200).json::<Value>()["payable"], cad(1_120));
}

#[tokio::test]
async fn every_operation_of_it_is_answered() {
    let shop = shop().await;
    let document = serde_json::to_value(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "1").replace("{price_id}", "1").replace("{code}", "standard");
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let answer = shop.request(method, &path).send().await;
            assert_ne!(answer.status, 405, "{path}");
            assert!(answer.status != 404 || path.contains("categories/standard"), "{path}");
        }
    }
}
