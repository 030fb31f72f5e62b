//! Sales are found: by store, till, session, channel, state, number and time, a page at a time.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Shop, TILL, offline, online};

#[tokio::test]
async fn the_latest_come_first_and_filters_are_all_applied() {
    let shop = Shop::open().await;
    let start = shop.clock.now();
    let (one, two) = (shop.session(TILL).await, shop.session(21).await);
    let first = shop.sold(one).await;
    shop.pass(60);
    let second = shop.sold(two).await;
    shop.pass(60);
    let put = shop.app.put(format!("/internal/v1/sales/{}", shop.id())).as_role(Role::Service);
    let third: Value = put.json(&online(&shop, 1)).send().await.expect_status(201).json();
    shop.pass(60);
    let fourth = shop.sell(&offline(one, start, 299, &[("cash", 2_000)])).await;
    let _ = shop.void(&second).send().await.expect_status(200);
    let ids = |sales: &[&Value]| sales.iter().map(|sale| sale["id"].clone()).collect::<Vec<_>>();
    let listed = async |query: String| {
        let found = shop.listed(&query).await;
        found.iter().map(|sale| sale["id"].clone()).collect::<Vec<_>>()
    };
    // What was sold at one instant is in the order of the ids.
    assert_eq!(listed(String::new()).await, ids(&[&third, &second, &fourth, &first]));
    let middle = start.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    for (query, expected) in [
        ("?store=1".to_owned(), ids(&[&third, &fourth, &first])),
        ("?store=1&channel=store".to_owned(), ids(&[&fourth, &first])),
        ("?register=21".to_owned(), ids(&[&second])),
        (format!("?session={one}"), ids(&[&fourth, &first])),
        ("?status=voided".to_owned(), ids(&[&second])),
        ("?number=1-W-000001".to_owned(), ids(&[&third])),
        ("?number=9-9-000001".to_owned(), ids(&[])),
        (format!("?from={middle}"), ids(&[&third, &second])),
        (format!("?to={middle}"), ids(&[&fourth, &first])),
    ] {
        assert_eq!(listed(query.clone()).await, expected, "{query}");
    }
    let summary = &shop.listed("?number=1-2-000001").await[0];
    assert_eq!((&summary["units"], &summary["payable"]["amount"]), (&json!(3), &json!(1_120)));
}

/// Sold in one instant: the id decides.
#[tokio::test]
async fn pages_neither_repeat_nor_skip_also_within_an_instant() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(shop.sold(session).await["id"].as_str().unwrap().to_owned());
    }
    made.sort();
    made.reverse();
    let mut found = Vec::new();
    let mut path = "/api/v1/sales?limit=3&channel=store".to_owned();
    loop {
        let response = shop.app.get(&path).as_role(Role::Hq).send().await.expect_status(200);
        let list: Value = response.json();
        found.extend(list["data"].as_array().unwrap().iter().map(|sale| sale["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = list["next_cursor"].as_str() else { break };
        path = format!("/api/v1/sales?limit=3&channel=store&after={cursor}");
        assert_eq!(response.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(found, made);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let shop = Shop::open().await;
    for (query, parameter) in [
        ("?till=1", "till"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?status=lost", "status"),
        ("?price_differs=maybe", "price_differs"),
        ("?from=-009999-01-02T01:59:59Z", "from"),
        ("?to=yesterday", "to"),
    ] {
        let problem = shop.app.get(format!("/api/v1/sales{query}")).as_role(Role::Hq).send().await;
        let problem = problem.expect_problem(400, "invalid-query");
        assert_eq!(problem["errors"][0]["parameter"], parameter);
    }
    // Of another list, and of an instant that there is not.
    for cursor in
        ["W10", "e30", "WyItMDA5OTk5LTAxLTAyVDAxOjU5OjU5WiIsIjAwMDAwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd"]
    {
        for path in ["/api/v1/sales", "/api/v1/registers/12/sessions"] {
            let problem = shop.app.get(format!("{path}?after={cursor}")).as_role(Role::Hq).send().await;
            problem.expect_problem(400, "cursor-invalid");
        }
    }
}
