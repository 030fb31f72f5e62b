//! Orders are found: by whom, of which state, where and when, a page at a time.

use sdk::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Shop;

async fn listed(shop: &Shop, query: &str) -> Value {
    shop.app.get(format!("/api/v1/orders{query}")).as_role(Role::Hq).send().await.expect_status(200).json()
}

fn ids(list: &Value) -> Vec<Uuid> {
    list["data"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_latest_come_first_and_filters_are_all_applied() {
    let shop = Shop::open().await;
    let start = shop.clock.now();
    let first = shop.confirmed().await;
    shop.pass(60);
    let mut second = shop.two_cokes_and_a_juice(8);
    second.draft["store_id"] = json!(2);
    let second = shop.pending_of(second).await;
    shop.pass(60);
    let third = shop.pending().await;
    let (one, two, three) = (first.id, second.id, third.id);

    assert_eq!(ids(&listed(&shop, "").await), [three, two, one]);
    assert_eq!(ids(&listed(&shop, "?status=confirmed").await), [one]);
    assert_eq!(ids(&listed(&shop, "?customer=8").await), [two]);
    assert_eq!(ids(&listed(&shop, "?store=1").await), [three, one]);
    assert_eq!(ids(&listed(&shop, "?store=1&status=pending").await), [three]);
    let middle = start.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    assert_eq!(ids(&listed(&shop, &format!("?from={middle}")).await), [three, two]);
    assert_eq!(ids(&listed(&shop, &format!("?to={middle}")).await), [one]);
    let last = middle.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(ids(&listed(&shop, &format!("?from={middle}&to={last}")).await), [two]);

    let list = listed(&shop, "?status=confirmed").await;
    let order = &list["data"][0];
    assert_eq!((&order["units"], &order["total"]["amount"]), (&json!(3), &json!(1_118)));
    assert_eq!((&order["number"], &order["method"]), (&json!("O-100001"), &json!("delivery")));
}

/// Made in one instant: the id decides.
#[tokio::test]
async fn pages_neither_repeat_nor_skip_also_within_an_instant() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(shop.pending().await.id);
    }
    made.sort();
    made.reverse();
    let mut found = Vec::new();
    let mut path = "/api/v1/orders?limit=3&status=pending".to_owned();
    loop {
        let response = shop.app.get(&path).as_role(Role::Hq).send().await.expect_status(200);
        let list: Value = response.json();
        found.extend(ids(&list));
        let Some(cursor) = list["next_cursor"].as_str() else {
            assert_eq!(response.header("link"), "");
            break;
        };
        path = format!("/api/v1/orders?limit=3&status=pending&after={cursor}");
        assert_eq!(response.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(found, made);
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let shop = Shop::open().await;
    for (query, parameter) in [
        ("?state=pending", "state"),
        ("?status=lost", "status"),
        ("?customer=x", "customer"),
        ("?from=yesterday", "from"),
        ("?to=-005000-01-01T00:00:00Z", "to"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
    ] {
        let get = shop.app.get(format!("/api/v1/orders{query}")).as_role(Role::Hq);
        let problem = get.send().await.expect_problem(400, "invalid-query");
        assert_eq!(problem["errors"][0]["parameter"], parameter);
    }
    let get = shop.app.get("/api/v1/orders?after=x").as_role(Role::Hq);
    get.send().await.expect_problem(400, "cursor-invalid");
}

#[tokio::test]
async fn an_order_that_the_client_has_is_not_sent_again() {
    let shop = Shop::open().await;
    let made = shop.confirmed().await;
    let read = |tag: String| shop.app.get(made.path()).as_role(Role::Hq).header("if-none-match", tag).send();
    let tag = shop.etag(&made).await;
    let unchanged = read(tag.clone()).await.expect_status(304);
    assert_eq!((unchanged.header("etag"), unchanged.text().as_str()), (tag.as_str(), ""));
    assert_eq!(unchanged.header("cache-control"), "private, no-cache");
    let _ = shop.step(&made, Role::Logistics, "processing").await.send().await.expect_status(200);
    let changed = read(tag).await.expect_status(200);
    assert_eq!(changed.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn a_timeline_comes_in_pages() {
    let shop = Shop::open().await;
    let made = shop.ready_for_pickup().await;
    let path = format!("{}/timeline?limit=3", made.path());
    let first: Value = shop.app.get(&path).as_role(Role::Pos).send().await.expect_status(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = shop.app.get(format!("{path}&after={cursor}")).as_role(Role::Pos);
    let rest: Value = rest.send().await.expect_status(200).json();
    let positions = first["data"].as_array().unwrap().iter().chain(rest["data"].as_array().unwrap());
    let positions: Vec<i64> = positions.map(|entry| entry["position"].as_i64().unwrap()).collect();
    assert_eq!((positions, &rest["next_cursor"]), (vec![1, 2, 3, 4, 5], &Value::Null));
}
