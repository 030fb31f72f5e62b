//! Prices: when and where each is in force.

use serde_json::{Value, json};

use crate::support::{
    DAY, SECOND, add_price, cad, etag, every_page, id, later, manager, price_of, priced, product, shop,
};

#[tokio::test]
async fn a_dated_price_comes_into_force_at_its_instant_and_changes_the_etag() {
    let shop = shop().await;
    let price = json!({ "kind": "regular", "amount": cad(319), "starts_at": "2026-11-23T17:00:00Z" });
    priced(&shop, 1, price).await;
    let announced = etag(&shop, 1).await;
    later(&shop, DAY - SECOND);
    assert_eq!(price_of(&shop, 1, None).await, 299);
    assert_eq!(etag(&shop, 1).await, announced);
    later(&shop, SECOND);
    assert_eq!(price_of(&shop, 1, None).await, 319);
    assert_ne!(etag(&shop, 1).await, announced, "by time alone");

    let patch = manager(shop.patch("/api/v1/products/1")).header("if-match", &announced);
    let answer = patch.json(&json!({ "name": "Coca" })).send().await;
    answer.expect_problem(412, "precondition-failed");
}

#[tokio::test]
async fn a_new_regular_price_ends_the_one_before_it() {
    let shop = shop().await;
    let answer = add_price(&shop, 1, json!({ "kind": "regular", "amount": cad(309) })).await;
    let answer = answer.expect_status(201);
    let path = format!("/api/v1/products/1/prices/{}", id(&answer));
    assert_eq!(answer.header("location"), path);
    assert_eq!(shop.get(&path).send().await.json::<Value>(), answer.json::<Value>());
    let prices = every_page(&shop, "/api/v1/products/1/prices", 1).await;
    assert_eq!(
        prices[0],
        json!({
            "id": 1, "product_id": 1, "kind": "regular", "store_id": null, "amount": cad(299),
            "starts_at": "2024-01-01T05:00:00Z", "ends_at": "2026-11-22T17:00:00Z",
            "created_at": "2024-01-01T05:00:00Z",
        })
    );
    assert_eq!(prices[1]["starts_at"], "2026-11-22T17:00:00Z");
    assert_eq!(prices[1]["ends_at"], json!(null));
    assert_eq!(prices.len(), 2);
    assert_eq!(product(&shop, 1).await["version"], 2);
}

/// Two people who have seen the same price: one sets theirs, the other is told before anything is written.
#[tokio::test]
async fn a_price_that_is_meant_for_what_was_seen_is_not_added_to_anything_else() {
    let shop = shop().await;
    let tag = async || shop.get("/api/v1/products/1?store=1").send().await.header("etag").to_owned();
    let seen = tag().await;
    let set = |cents: i64, tag: &str, key: &str| {
        let path = "/api/v1/products/1/prices?store=1";
        let post = manager(shop.post(path)).header("if-match", tag).header("idempotency-key", key);
        post.json(&json!({ "kind": "regular", "store_id": 1, "amount": cad(cents) })).send()
    };
    let (one, other) = tokio::join!(set(309, &seen, "one"), set(319, &seen, "other"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    let refused = if statuses[0] == 412 { one } else { other };
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
    refused.expect_problem(412, "precondition-failed");
    let prices = every_page(&shop, "/api/v1/products/1/prices", 200).await;
    assert_eq!(prices.iter().filter(|price| price["store_id"] == 1).count(), 1);

    // A repetition is answered as before: its tag is the one of before the change.
    later(&shop, SECOND);
    let tag = tag().await;
    let added = set(329, &tag, "again").await.expect_status(201);
    assert_eq!(set(329, &tag, "again").await.expect_status(201).json::<Value>(), added.json::<Value>());
    set(339, "seven", "malformed").await.expect_problem(400, "if-match-invalid");
}

#[tokio::test]
async fn a_price_before_one_that_is_announced_is_refused() {
    let shop = shop().await;
    let at = |day| json!({ "kind": "regular", "amount": cad(309), "starts_at": format!("2026-12-{day}T05:00:00Z") });
    priced(&shop, 1, at("10")).await;
    for day in ["05", "10"] {
        add_price(&shop, 1, at(day)).await.expect_problem(409, "price-overlap");
    }
    priced(&shop, 1, at("15")).await;
    let prices = every_page(&shop, "/api/v1/products/1/prices", 200).await;
    let periods: Vec<_> = prices.iter().map(|price| (&price["starts_at"], &price["ends_at"])).collect();
    assert_eq!(
        periods,
        [
            (&json!("2024-01-01T05:00:00Z"), &json!("2026-12-10T05:00:00Z")),
            (&json!("2026-12-10T05:00:00Z"), &json!("2026-12-15T05:00:00Z")),
            (&json!("2026-12-15T05:00:00Z"), &json!(null)),
        ]
    );
}

#[tokio::test]
async fn a_promo_wins_over_regular_and_a_store_over_all() {
    let shop = shop().await;
    let tomorrow = "2026-11-23T17:00:00Z";
    let next_week = "2026-11-29T17:00:00Z";
    for price in [
        json!({ "kind": "regular", "store_id": 1, "amount": cad(249) }),
        json!({ "kind": "promo", "amount": cad(259), "starts_at": tomorrow, "ends_at": next_week }),
        json!({ "kind": "promo", "store_id": 2, "amount": cad(269), "starts_at": tomorrow, "ends_at": next_week }),
    ] {
        priced(&shop, 1, price).await;
    }
    // Without promos: store 1 has its own regular price.
    for (store, cents) in [(None, 299), (Some(1), 249), (Some(2), 299)] {
        assert_eq!(price_of(&shop, 1, store).await, cents);
    }
    later(&shop, DAY);
    // A promo for all wins over store 1's own regular price, although that is lower.
    for (store, cents) in [(None, 259), (Some(1), 259), (Some(2), 269)] {
        assert_eq!(price_of(&shop, 1, store).await, cents);
    }
    assert_eq!(product(&shop, 1).await["price_kind"], "promo");
    later(&shop, 6 * DAY);
    for (store, cents) in [(None, 299), (Some(1), 249), (Some(2), 299)] {
        assert_eq!(price_of(&shop, 1, store).await, cents, "the end is not a part of the period");
    }
}

#[tokio::test]
async fn a_stores_own_price_may_end() {
    let shop = shop().await;
    let own = json!({
        "kind": "regular", "store_id": 3, "amount": cad(199), "ends_at": "2026-11-23T17:00:00Z",
    });
    priced(&shop, 1, own).await;
    assert_eq!(price_of(&shop, 1, Some(3)).await, 199);
    later(&shop, DAY);
    assert_eq!(price_of(&shop, 1, Some(3)).await, 299);
}

#[tokio::test]
async fn promos_of_one_store_do_not_overlap_but_those_of_two_may() {
    let shop = shop().await;
    let promo = |store: Option<i64>, from: &str, to: &str| {
        json!({
            "kind": "promo", "store_id": store, "amount": cad(199),
            "starts_at": format!("2026-12-{from}T05:00:00Z"), "ends_at": format!("2026-12-{to}T05:00:00Z"),
        })
    };
    priced(&shop, 1, promo(Some(1), "05", "10")).await;
    for (from, to) in [("05", "10"), ("09", "12"), ("01", "06"), ("06", "07"), ("01", "20")] {
        let answer = add_price(&shop, 1, promo(Some(1), from, to)).await;
        answer.expect_problem(409, "price-overlap");
    }
    for other in
        [promo(Some(1), "10", "12"), promo(Some(1), "01", "05"), promo(Some(2), "05", "10"), promo(None, "05", "10")]
    {
        priced(&shop, 1, other).await;
    }
    priced(&shop, 2, promo(Some(1), "05", "10")).await;
}

#[tokio::test]
async fn a_price_that_makes_no_sense_is_refused() {
    let shop = shop().await;
    for (price, pointer) in [
        (json!({ "kind": "regular", "amount": cad(1), "starts_at": "2026-11-22T16:59:59Z" }), "/starts_at"),
        (json!({ "kind": "regular", "amount": cad(1), "ends_at": "2026-12-01T05:00:00Z" }), "/ends_at"),
        (json!({ "kind": "promo", "amount": cad(1) }), "/ends_at"),
        (json!({ "kind": "promo", "amount": cad(-1), "ends_at": "2026-12-01T05:00:00Z" }), "/amount/amount"),
        (json!({ "kind": "sale", "amount": cad(1) }), "/kind"),
        (json!({ "kind": "regular", "amount": cad(1), "store_id": 0 }), "/store_id"),
        (json!({ "kind": "regular" }), "/amount"),
    ] {
        let answer = add_price(&shop, 1, price).await;
        let problem = answer.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let price = json!({ "kind": "regular", "amount": cad(1) });
    add_price(&shop, 999_999, price).await.expect_problem(404, "product-not-found");
    assert_eq!(product(&shop, 1).await["version"], 1);
}

#[tokio::test]
async fn a_price_is_added_once_for_a_key_even_when_its_start_is_past_by_then() {
    let shop = shop().await;
    let price = json!({ "kind": "regular", "amount": cad(309), "starts_at": "2026-11-22T17:00:01Z" });
    let post = || {
        let post = manager(shop.post("/api/v1/products/1/prices")).idempotency_key("p-1");
        post.json(&price).send()
    };
    let first = post().await.expect_status(201);
    later(&shop, DAY);
    let second = post().await.expect_status(201);
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn prices_are_filtered_and_paged() {
    let shop = shop().await;
    for month in 1..=9 {
        for store in [1, 2] {
            let promo = json!({
                "kind": "promo", "store_id": store, "amount": cad(200 + month),
                "starts_at": format!("2027-{month:02}-01T05:00:00Z"),
                "ends_at": format!("2027-{month:02}-08T05:00:00Z"),
            });
            priced(&shop, 1, promo).await;
        }
    }
    let whole = every_page(&shop, "/api/v1/products/1/prices", 200).await;
    assert_eq!(whole.len(), 19);
    for limit in [1, 2, 3, 19] {
        assert_eq!(every_page(&shop, "/api/v1/products/1/prices", limit).await, whole);
    }
    let promos = every_page(&shop, "/api/v1/products/1/prices?kind=promo&store=2", 4).await;
    assert_eq!(promos.len(), 9);
    assert!(promos.iter().all(|price| price["store_id"] == 2 && price["kind"] == "promo"));

    let empty = every_page(&shop, "/api/v1/products/2/prices?kind=promo", 4).await;
    assert_eq!(empty, [] as [Value; 0]);
    let answer = shop.get("/api/v1/products/999999/prices").send().await;
    answer.expect_problem(404, "product-not-found");
    let answer = shop.get("/api/v1/products/2/prices/1").send().await;
    answer.expect_problem(404, "price-not-found");
    let answer = shop.get("/api/v1/products/1/prices?at=now").send().await;
    answer.expect_problem(400, "invalid-query");
}

#[tokio::test]
async fn the_database_itself_refuses_a_gap() {
    let shop = shop().await;
    for statement in [
        "delete from prices where product_id = 1",
        "update prices set valid = tstzrange(lower(valid), '2027-01-01') where product_id = 1",
        "insert into products (sku, name, category_code, tax_category_code, created_at, updated_at)
         values ('X', 'x', 'dairy', 'standard', now(), now())",
    ] {
        let refused = sdk::Executor::execute(shop.db(), statement, sdk::params![]).await.unwrap_err();
        assert_eq!(refused.constraint(), Some("products_regular_price"), "{statement}");
    }
}

#[tokio::test]
async fn a_replica_whose_clock_runs_behind_shows_the_product_all_the_same() {
    let shop = shop().await;
    let (product, _) = crate::support::created(&shop, &crate::support::lemonade("LIMX-355")).await;
    let clock = sdk::Clock::fixed("2026-11-22T16:59:58Z".parse().unwrap());
    let behind = sdk::testing::TestApp::of(&products::SERVICE).clock(clock).replica_of(&shop);
    assert_eq!(price_of(&behind, product, None).await, 259);
}
