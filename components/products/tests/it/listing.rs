//! Lists: each filter, each order, every page.

use serde_json::{Value, json};

use crate::support::{
    DAY, SECOND, cad, created, etag, every_page, id, ids, later, lemonade, listed, manager, patched, priced, shop,
};

const SORTS: [&str; 7] = ["name", "-name", "price", "-price", "updated_at", "id", "relevance"];

#[tokio::test]
async fn every_order_pages_without_repeating_or_skipping() {
    let shop = shop().await;
    // Ties in every key: equal names, equal prices, equal times.
    for number in 0..30 {
        created(&shop, &lemonade(&format!("TIE-{number}"))).await;
    }
    for sort in SORTS {
        let q = if sort == "relevance" { "q=a&" } else { "" };
        let path = format!("/api/v1/products?{q}sort={sort}");
        let whole = every_page(&shop, &path, 200).await;
        assert!(whole.len() > 100, "{sort}");
        for limit in [1, 7, 50] {
            let paged = every_page(&shop, &path, limit).await;
            assert_eq!(ids(&paged), ids(&whole), "{sort} by {limit}");
        }
        let mut unique = ids(&whole);
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), whole.len(), "{sort}");
    }
}

#[tokio::test]
async fn each_order_is_what_it_says() {
    let shop = shop().await;
    let sorted = async |sort: &str| listed(&shop, &format!("?sort={sort}")).await;
    let cents = |item: &Value| item["price"]["amount"].as_i64().unwrap();
    assert!(sorted("price").await.iter().map(cents).is_sorted());
    assert!(sorted("-price").await.iter().map(cents).rev().is_sorted());
    assert!(ids(&sorted("id").await).is_sorted());
    let by_name = ids(&sorted("name").await);
    let mut backwards = ids(&sorted("-name").await);
    backwards.reverse();
    assert_eq!(by_name, backwards);
    assert_eq!(by_name, ids(&listed(&shop, "").await), "the default");
    let names: Vec<String> =
        sorted("name").await.iter().map(|item| item["name"].as_str().unwrap().to_lowercase()).collect();
    // Œufs stand between Noodles and Oignons, not after Z.
    let place = |start: &str| names.iter().position(|name| name.starts_with(start)).unwrap();
    assert!(place("nourriture") < place("œufs") && place("œufs") < place("oignons"));
    assert!(place("café") < place("capsules"));
}

#[tokio::test]
async fn the_order_by_update_puts_the_last_write_last() {
    let shop = shop().await;
    later(&shop, SECOND);
    patched(&shop, 3, json!({ "description": "frais" })).await;
    assert_eq!(ids(&listed(&shop, "?sort=updated_at").await).last(), Some(&3));
}

#[tokio::test]
async fn ids_answer_what_there_is_archived_or_not() {
    let shop = shop().await;
    let tag = etag(&shop, 2).await;
    let archived = manager(shop.delete("/api/v1/products/2")).header("if-match", tag).send().await;
    assert_eq!(archived.status, 204);

    let answer = shop.get("/api/v1/products?ids=3,2,1,999999,3").send().await.expect_status(200);
    let page: Value = answer.json();
    assert_eq!(ids(page["data"].as_array().unwrap()), [1, 2, 3]);
    assert_eq!(page["next_cursor"], json!(null));
    assert_eq!(page["data"][1]["status"], "archived");

    assert_eq!(ids(&listed(&shop, "?ids=1,2,3&status=active").await), [1, 3]);
    assert_eq!(ids(&listed(&shop, "?status=archived").await), [2]);
    assert_eq!(ids(&listed(&shop, "?ids=").await), [0; 0]);
    assert!(!ids(&listed(&shop, "").await).contains(&2), "active by default");
}

#[tokio::test]
async fn a_hundred_ids_come_in_one_page_and_more_are_refused() {
    let shop = shop().await;
    let list = |most: i64| (1..=most).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let answer = shop.get(format!("/api/v1/products?ids={}", list(100))).send().await;
    let page: Value = answer.expect_status(200).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 100);
    assert_eq!(page["next_cursor"], json!(null));
    let answer = shop.get(format!("/api/v1/products?ids={}", list(101))).send().await;
    answer.expect_problem(400, "invalid-query");
}

#[tokio::test]
async fn a_category_includes_those_below_it() {
    let shop = shop().await;
    let drinks = listed(&shop, "?category=soft-drinks").await;
    assert!(ids(&drinks).contains(&1));
    assert!(drinks.iter().all(|product| product["category"] == "soft-drinks"));
    let beverages = ids(&listed(&shop, "?category=beverages").await);
    assert!(beverages.contains(&1) && beverages.contains(&3) && beverages.contains(&5));
    assert!(!beverages.contains(&4), "milk is dairy");
    assert_eq!(listed(&shop, "?category=unheard-of").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_barcode_finds_its_product() {
    let shop = shop().await;
    assert_eq!(ids(&listed(&shop, "?barcode=628501000376").await), [1]);
    assert_eq!(ids(&listed(&shop, "?barcode=62850100037").await), [0; 0]);
}

#[tokio::test]
async fn updated_since_also_tells_of_prices_that_came_by_time_alone() {
    let shop = shop().await;
    let start = later(&shop, DAY) + jiff::SignedDuration::from_hours(1);
    let end = start + jiff::SignedDuration::from_hours(1);
    let promo = json!({
        "kind": "promo", "amount": cad(199), "starts_at": start.to_string(), "ends_at": end.to_string(),
    });
    priced(&shop, 1, promo).await;
    let since =
        async |instant: jiff::Timestamp| ids(&listed(&shop, &format!("?updated_since={instant}&sort=id")).await);
    let announced = shop.context().clock.now();
    assert_eq!(since(announced).await, [1], "the write itself");
    let mut seen = later(&shop, SECOND);
    assert_eq!(since(seen).await, [0; 0]);
    later(&shop, 2 * 1_800 * SECOND);
    assert_eq!(since(seen).await, [1], "the promo began");
    seen = later(&shop, SECOND);
    assert_eq!(since(seen).await, [0; 0]);
    later(&shop, 2 * 1_800 * SECOND);
    assert_eq!(since(seen).await, [1], "the promo ended");
}

#[tokio::test]
async fn a_store_sees_its_own_prices_and_sorts_by_them() {
    let shop = shop().await;
    let special = json!({ "kind": "regular", "store_id": 2, "amount": cad(1) });
    priced(&shop, 5, special).await;
    let cheapest = listed(&shop, "?store=2&sort=price").await;
    assert_eq!((cheapest[0]["id"].clone(), cheapest[0]["price"].clone()), (json!(5), cad(1)));
    assert_ne!(ids(&listed(&shop, "?store=1&sort=price").await)[0], 5);
    assert_ne!(ids(&listed(&shop, "?sort=price").await)[0], 5);
}

#[tokio::test]
async fn what_appears_meanwhile_does_not_disturb_the_pages() {
    let shop = shop().await;
    let first: Value = shop.get("/api/v1/products?sort=name&limit=100").send().await.json();
    let mut product = lemonade("AAA-1");
    product["name"] = json!("AAA, avant tout");
    created(&shop, &product).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = every_page(&shop, &format!("/api/v1/products?sort=name&after={cursor}"), 100).await;
    let mut all = ids(first["data"].as_array().unwrap());
    all.extend(ids(&rest));
    let mut unique = all.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), all.len());
    assert_eq!(all.len() + 1, listed(&shop, "").await.len());
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order() {
    let shop = shop().await;
    let page: Value = shop.get("/api/v1/products?sort=name&limit=1").send().await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let answer = shop.get(format!("/api/v1/products?sort=price&after={cursor}")).send().await;
    answer.expect_problem(400, "cursor-invalid");
    // Made up: a text that PostgreSQL cannot hold, a time before its calendar.
    for key in [json!({ "name": ["a\0", 1] }), json!({ "updated_at": ["-000001-01-01T00:00:00Z", 1] })] {
        let sort = key.as_object().unwrap().keys().next().unwrap().clone();
        let cursor = sdk::Cursor::encode(&key);
        let path = format!("/api/v1/products?sort={sort}&after={}", cursor.as_str());
        shop.get(path).send().await.expect_problem(400, "cursor-invalid");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_a_400_that_names_the_parameter() {
    let shop = shop().await;
    for (query, parameter, code) in [
        ("colour=red", "colour", "unknown-parameter"),
        ("limit=0", "limit", "out-of-range"),
        ("limit=201", "limit", "out-of-range"),
        ("limit=x", "limit", "invalid-value"),
        ("status=gone", "status", "invalid-value"),
        ("sort=colour", "sort", "invalid-value"),
        ("sort=relevance", "sort", "invalid-value"),
        ("ids=1,x", "ids", "invalid-value"),
        ("barcode=abc", "barcode", "invalid-value"),
        ("category=A%00", "category", "invalid-value"),
        ("updated_since=yesterday", "updated_since", "invalid-value"),
        ("updated_since=-000001-01-01T00:00:00Z", "updated_since", "invalid-value"),
        ("store=x", "store", "invalid-value"),
        ("q=a&q=b", "q", "duplicate-parameter"),
    ] {
        let answer = shop.get(format!("/api/v1/products?{query}")).send().await;
        let problem = answer.expect_problem(400, "invalid-query");
        let error = &problem["errors"][0];
        assert_eq!((&error["parameter"], &error["code"]), (&json!(parameter), &json!(code)), "{query}");
    }
    let answer = shop.get(format!("/api/v1/products?q={}", "a".repeat(101))).send().await;
    answer.expect_problem(400, "invalid-query");
}

#[tokio::test]
async fn a_new_product_is_listed_with_its_id() {
    let shop = shop().await;
    let answer = manager(shop.post("/api/v1/products")).json(&lemonade("QUOKKA-1")).send().await;
    let id = id(&answer.expect_status(201));
    assert_eq!(ids(&listed(&shop, "?q=quokka-1").await), [id]);
}
