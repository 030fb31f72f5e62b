//! The opening assortment.

use products::domain::product::is_gtin;
use serde_json::Value;

use crate::support::{cad, every_page, listed, product, shop};

#[tokio::test]
async fn the_first_five_are_those_that_others_rely_on() {
    let shop = shop().await;
    for (id, name, cents, deposit, tax) in [
        (1, "Coke", 299, 10, "standard"),
        (2, "Sprite", 279, 10, "standard"),
        (3, "Apple Juice", 349, 10, "standard"),
        (4, "Chocolate Milk", 425, 0, "zero-rated"),
        (5, "Café", 599, 0, "zero-rated"),
    ] {
        let product = product(&shop, id).await;
        assert_eq!(product["name"], name);
        assert_eq!(product["price"], cad(cents));
        assert_eq!(product["price_kind"], "regular");
        assert_eq!(product["deposit"], cad(deposit));
        assert_eq!(product["tax_category"], tax);
        assert_eq!(product["status"], "active");
    }
    assert_eq!(product(&shop, 1).await["sku"], "COKE-355");
}

#[tokio::test]
async fn the_assortment_is_that_of_a_shop() {
    let shop = shop().await;
    let products = listed(&shop, "?sort=id").await;
    assert!(products.len() > 200, "{}", products.len());
    for product in &products {
        let barcode = product["barcode"].as_str().unwrap();
        assert!(is_gtin(barcode), "{barcode}");
        assert!(product["name_en"].is_string() && product["name_fr"].is_string());
        let cents = product["price"]["amount"].as_i64().unwrap();
        assert!((50..5_000).contains(&cents), "{product}");
    }
    for member in ["sku", "barcode", "name", "name_en"] {
        let mut values: Vec<&Value> = products.iter().map(|product| &product[member]).collect();
        values.sort_by_key(|value| value.to_string());
        values.dedup();
        assert_eq!(values.len(), products.len(), "{member}");
    }
    let categories = every_page(&shop, "/api/v1/categories", 7).await;
    let leaves = categories.iter().filter(|category| !category["parent"].is_null()).count();
    assert!(leaves >= 12, "{leaves}");
    for code in categories.iter().map(|category| category["code"].as_str().unwrap()) {
        let among = listed(&shop, &format!("?category={code}")).await;
        assert!(!among.is_empty(), "{code}");
    }
}

#[tokio::test]
async fn one_tax_category_differs_for_qst_only() {
    let shop = shop().await;
    let categories = every_page(&shop, "/api/v1/tax-categories", 2).await;
    let rates: Vec<[&str; 3]> = categories
        .iter()
        .map(|category| ["code", "gst", "qst"].map(|member| category[member].as_str().unwrap()))
        .collect();
    assert_eq!(
        rates,
        [
            ["food-gst-only", "5.000", "0.000"],
            ["gst-only", "5.000", "0.000"],
            ["standard", "5.000", "9.975"],
            ["zero-rated", "0.000", "0.000"],
        ]
    );
}
