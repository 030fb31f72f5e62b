//! What happens at once: of each kind of race, the one outcome that is right.

use futures_util::future::join_all;
use sdk::testing::TestApp;
use serde_json::{Value, json};

use crate::support::{
    SECOND, add_price, cad, created, etag, id, ids, later, lemonade, listed, manager, price_of, product, shop,
    without_price,
};

const AT_ONCE: usize = 20;

/// For races: see [`TestApp::warm_up`].
async fn warm_shop() -> TestApp {
    let shop = shop().await;
    shop.warm_up().await;
    shop
}

#[tokio::test]
async fn of_twenty_puts_with_one_etag_exactly_one_wins() {
    let shop = warm_shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let answers = join_all((0..AT_ONCE).map(|number| {
        let mut body = without_price(lemonade("LIMX-355"));
        body["name"] = json!(format!("Limonade {number}"));
        let put = manager(shop.put(format!("/api/v1/products/{id}")));
        put.header("if-match", &tag).json(&body).send()
    }))
    .await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.expect_problem(412, "precondition-failed");
    }
    let after = product(&shop, id).await;
    assert_eq!(after, winners[0].json::<Value>());
    assert_eq!(after["version"], 2);
}

#[tokio::test]
async fn of_twenty_patches_with_one_etag_exactly_one_wins_whatever_they_say() {
    let shop = warm_shop().await;
    let tag = etag(&shop, 1).await;
    let answers = join_all((0..AT_ONCE).map(|_| {
        let patch = manager(shop.patch("/api/v1/products/1")).header("if-match", &tag);
        patch.json(&json!({ "name": "Coke classique" })).send()
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), AT_ONCE - 1);
    assert_eq!(product(&shop, 1).await["version"], 2);
}

#[tokio::test]
async fn one_put_that_a_gateway_sends_twenty_times_is_written_once() {
    let shop = warm_shop().await;
    let (id, tag) = created(&shop, &lemonade("LIMX-355")).await;
    let mut body = without_price(lemonade("LIMX-355"));
    body["name"] = json!("Limonade rose");
    let answers = join_all((0..AT_ONCE).map(|_| {
        let put = manager(shop.put(format!("/api/v1/products/{id}")));
        put.header("if-match", &tag).json(&body).send()
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(product(&shop, id).await["version"], 2);
}

#[tokio::test]
async fn of_twenty_overlapping_promos_exactly_one_is_added() {
    let shop = warm_shop().await;
    let answers = join_all((0..AT_ONCE).map(|number| {
        let number = i64::try_from(number).unwrap();
        let promo = json!({
            "kind": "promo",
            "amount": cad(100 + number),
            "starts_at": format!("2026-12-{:02}T05:00:00Z", 1 + number),
            "ends_at": "2027-01-01T05:00:00Z",
        });
        add_price(&shop, 1, promo)
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        loser.expect_problem(409, "price-overlap");
    }
    let prices: Value = shop.get("/api/v1/products/1/prices?kind=promo").send().await.json();
    assert_eq!(prices["data"].as_array().unwrap().len(), 1);
    assert_eq!(product(&shop, 1).await["version"], 2, "the losers left no trace");
}

#[tokio::test]
async fn regular_prices_that_start_at_once_leave_one_at_any_instant() {
    let shop = warm_shop().await;
    later(&shop, SECOND);
    let answers = join_all((0..AT_ONCE).map(|number| {
        let amount = cad(100 + i64::try_from(number).unwrap());
        add_price(&shop, 1, json!({ "kind": "regular", "amount": amount }))
    }))
    .await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(winners.len(), 1);
    let amount = winners[0].json::<Value>()["amount"]["amount"].as_i64().unwrap();
    assert_eq!(price_of(&shop, 1, None).await, amount);
    let prices: Value = shop.get("/api/v1/products/1/prices").send().await.json();
    let [first, second] = prices["data"].as_array().unwrap().as_slice() else {
        panic!("{prices}");
    };
    assert_eq!(first["ends_at"], second["starts_at"]);
    assert_eq!(second["ends_at"], json!(null));
}

#[tokio::test]
async fn one_key_twenty_times_at_once_creates_one_product() {
    let shop = warm_shop().await;
    let post = || {
        let post = manager(shop.post("/api/v1/products")).idempotency_key("checkout-1");
        post.json(&lemonade("LIMX-355")).send()
    };
    let answers = join_all((0..AT_ONCE).map(|_| post())).await;
    for answer in &answers {
        match answer.status.as_u16() {
            201 => assert_eq!(answer.json::<Value>()["sku"], "LIMX-355"),
            _ => {
                answer.expect_problem(409, "idempotency-in-progress");
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
    }
    let fresh = answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotent-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    let replayed = post().await.expect_status(201);
    assert_eq!(ids(&listed(&shop, "?q=limx-355").await), [id(&replayed)]);
}

#[tokio::test]
async fn one_sku_twenty_times_at_once_without_a_key_is_taken_once() {
    let shop = warm_shop().await;
    let answers =
        join_all((0..AT_ONCE).map(|_| manager(shop.post("/api/v1/products")).json(&lemonade("LIMX-355")).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        loser.expect_problem(409, "sku-taken");
    }
}

#[tokio::test]
async fn imports_at_once_make_one_product_each() {
    let shop = warm_shop().await;
    let lines: String = (0..10).map(|n| format!("{}\n", lemonade(&format!("IMP-{n}")))).collect();
    let answers = join_all((0..5).map(|_| {
        let post = manager(shop.post("/api/v1/products/import"));
        post.body("application/x-ndjson", lines.clone()).send()
    }))
    .await;
    let mut created = 0;
    for answer in answers {
        for line in answer.expect_status(200).text().lines() {
            let result: Value = serde_json::from_str(line).unwrap();
            created += usize::from(result["outcome"] == "created");
            assert!(["created", "unchanged"].contains(&result["outcome"].as_str().unwrap()), "{line}");
        }
    }
    assert_eq!(created, 10);
}
