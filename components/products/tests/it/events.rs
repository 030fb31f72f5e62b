//! The feed has every version of every product, once; the audit finds what is amiss.

use serde_json::json;

use crate::support::{SECOND, cad, created, later, lemonade, manager, shop, without_price};

#[tokio::test]
async fn the_first_products_are_told_of() {
    let shop = shop().await;
    let (products,): (i64,) =
        sdk::Executor::query_one(shop.db(), "select count(*) from products", sdk::params![]).await.unwrap();
    let events = shop.events().await;
    assert_eq!(events.len(), usize::try_from(products).unwrap());
    let coke = &events[0];
    assert_eq!((coke.kind.as_str(), coke.subject.as_str(), coke.subject_version), ("product.created", "product/1", 1));
    assert_eq!((&coke.payload["price"], &coke.payload["status"]), (&cad(299), &json!("active")));
    assert_eq!(shop.violations().await, []);
}

#[tokio::test]
async fn every_version_is_told_of_once() {
    let shop = shop().await;
    let before = shop.events().await.len();
    let (id, tag) = created(&shop, &lemonade("LIMO-1")).await;
    let product = format!("/api/v1/products/{id}");
    let replaced = manager(shop.put(&product)).header("if-match", &tag);
    let mut other = without_price(lemonade("LIMO-1"));
    other["name"] = json!("Limonade rose");
    let tag = replaced.json(&other).send().await.expect_status(200).header("etag").to_owned();
    let patch = json!({"name": "Limonade"});
    let _ = manager(shop.patch(&product)).header("if-match", &tag).json(&patch).send().await.expect_status(200);
    later(&shop, SECOND);
    let price = json!({"kind": "regular", "amount": cad(279)});
    let _ = manager(shop.post(format!("{product}/prices"))).json(&price).send().await.expect_status(201);
    later(&shop, SECOND);
    let line = json!({"sku": "LIMO-1", "name": "Limonade", "category": "soft-drinks", "tax_category": "standard",
        "deposit": cad(10), "price": cad(289)});
    for outcome in ["updated", "unchanged"] {
        let body = format!("{line}\n");
        let import = manager(shop.post("/api/v1/products/import")).body("application/x-ndjson", body);
        assert_eq!(import.send().await.expect_status(200).json::<serde_json::Value>()["outcome"], outcome);
    }
    let tag = shop.get(&product).send().await.header("etag").to_owned();
    let _ = manager(shop.delete(&product)).header("if-match", &tag).send().await.expect_status(204);

    let events = shop.events().await;
    let told: Vec<_> = events[before..].iter().map(|event| (event.kind.as_str(), event.subject_version)).collect();
    let changed = "product.changed";
    let expected =
        [("product.created", 1), (changed, 2), (changed, 3), (changed, 4), (changed, 5), ("product.archived", 6)];
    assert_eq!(told, expected);
    assert!(events[before..].iter().all(|event| event.subject == format!("product/{id}")));
    assert_eq!(events[before + 3].payload["price"], cad(279));
    assert_eq!(events.last().unwrap().payload["status"], "archived");
    assert_eq!(shop.violations().await, []);
}

#[tokio::test]
async fn a_version_without_an_event_is_found() {
    let shop = shop().await;
    shop.database().administer("update products set version = version + 1 where id = 2").await;
    let found = shop.violations().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].invariant, "every-version-is-an-event");
    assert_eq!(found[0].offender, json!({"product_id": 2, "version": 2}));
}
