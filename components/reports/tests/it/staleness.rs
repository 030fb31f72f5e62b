//! How much a report knows, and that it never says more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use reports::domain::Source;
use sdk::testing::Fault;
use serde_json::{Value, json};

use crate::business::{Business, Deal, Item, product};
use crate::support::{Town, event, int};

fn one_sale() -> Business {
    let mut business = Business::default();
    business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, vec![Item::of(1, 1, 299)]));
    business
}

#[tokio::test]
async fn without_a_word_about_it_nothing_is_read_and_that_is_said() {
    let town = Town::open().await;
    town.tell_all(&one_sale().events);
    let body = town.read("consolidated").await;
    assert_eq!(body["totals"]["sales"], 0);
    let unread = |source| json!({"source": source, "as_of": null, "lag_ms": null});
    let sources = ["products", "inventory", "orders", "sales"].map(unread);
    assert_eq!(
        body["freshness"],
        json!({"complete": false, "max_staleness_ms": 10_000, "as_of": null, "lag_ms": null, "sources": sources})
    );
    assert_eq!(town.client.calls("sales"), 0);
}

#[tokio::test]
async fn with_none_everything_that_was_told_is_in_it() {
    let town = Town::open().await;
    let paths = [
        "consolidated?",
        "dashboard?",
        "sales?group_by=day&",
        "top-products?",
        "taxes?period=2026-11&",
        "freshness?",
        "reconciliation?",
    ];
    for path in paths {
        let mut business = one_sale();
        business.events.push((Source::Products, product(1, 1, "Coke")));
        let told = town.told.books().get("sales").map_or(0, |books| books.events.len());
        town.tell_all(&business.events);
        let body = town.read(&format!("{path}max_staleness_ms=0")).await;
        assert_eq!(body["freshness"]["complete"], true, "{path}");
        assert_eq!(body["freshness"]["lag_ms"], 0, "{path}");
        assert_eq!(town.feed(Source::Sales).await["consumed"], told + 1, "{path}");
        town.pass(1);
    }
}

#[tokio::test]
async fn what_is_fresh_enough_is_not_read_again() {
    let town = Town::open().await;
    town.consume().await;
    let calls = town.client.calls("sales");
    town.pass(5);
    let body = town.read("consolidated?max_staleness_ms=5000").await;
    assert_eq!((&body["freshness"]["complete"], &body["freshness"]["lag_ms"]), (&json!(true), &json!(5_000)));
    assert_eq!(town.client.calls("sales"), calls);
    let body = town.read("consolidated?max_staleness_ms=4999").await;
    assert_eq!((&body["freshness"]["complete"], &body["freshness"]["lag_ms"]), (&json!(true), &json!(0)));
    assert_eq!(town.client.calls("sales"), calls + 1);
    // Whoever does not ask is told the truth as well.
    town.pass(11);
    let body = town.read("consolidated").await;
    assert_eq!((&body["freshness"]["complete"], &body["freshness"]["lag_ms"]), (&json!(false), &json!(11_000)));
}

#[tokio::test]
async fn a_source_that_is_away_makes_no_report_wait_for_ever_or_lie() {
    let town = Town::open().await;
    town.consume().await;
    town.pass(3);
    for fault in [Fault::Down, Fault::Hang, Fault::Status(503)] {
        town.client.set_fault("sales", Some(fault));
        let began = std::time::Instant::now();
        let body = town.read("consolidated?max_staleness_ms=0").await;
        assert!(began.elapsed() < std::time::Duration::from_secs(12), "{fault:?}");
        let freshness = &body["freshness"];
        assert_eq!((&freshness["complete"], &freshness["lag_ms"]), (&json!(false), &json!(3_000)), "{fault:?}");
        let of = |source: &str| {
            let sources = freshness["sources"].as_array().unwrap();
            int(&sources.iter().find(|of| of["source"] == source).unwrap()["lag_ms"])
        };
        assert_eq!((of("sales"), of("orders")), (3_000, 0));
    }
    assert_eq!(town.feed(Source::Sales).await["failures"], 3);
}

/// Somebody who tells faster than can be read: the report is given up to a point, and says so.
#[tokio::test]
async fn a_feed_without_an_end_ends_the_reading_and_not_the_report() {
    let town = Town::open().await;
    let endless = Router::new().route(
        "/internal/v1/events",
        get(|| async {
            let told = || event("cart.changed", &format!("cart/{}", uuid::Uuid::now_v7()), 1, now(), json!({}));
            let data: Vec<Value> = (0..500).map(|_| told()).collect();
            let horizon = json!({"settled": 1, "newest": 2});
            json!({"data": data, "next_cursor": uuid::Uuid::now_v7().to_string(), "horizon": horizon}).to_string()
        }),
    );
    town.client.connect("cart", endless);
    let body = town.read("freshness?max_staleness_ms=0").await;
    assert_eq!(body["freshness"]["complete"], false);
    let feed = town.feed(Source::Cart).await;
    assert_eq!(
        (int(&feed["consumed"]), &feed["as_of"]),
        (i64::from(reports::consuming::PAGES_MAX) * 500, &Value::Null)
    );
}

/// A transaction that takes long may tell something that comes before what others have told since.
#[tokio::test]
async fn what_is_held_back_longer_than_a_report_waits_is_said_to_be_missing() {
    let town = Town::open().await;
    town.consume().await;
    town.tell_all(&one_sale().events);
    town.told.books().get_mut("sales").unwrap().held_back = 1;
    town.pass(3);
    let body = town.read("consolidated?max_staleness_ms=0").await;
    let freshness = &body["freshness"];
    assert_eq!((&freshness["complete"], &freshness["lag_ms"]), (&json!(false), &json!(3_000)));
    assert_eq!(body["totals"]["sales"], 0);
    // Less than was asked for, and known: it was there before that sale.
    let body = town.read("consolidated?max_staleness_ms=3000").await;
    assert_eq!(body["freshness"]["complete"], true);
    town.told.books().get_mut("sales").unwrap().held_back = 0;
    let body = town.read("consolidated?max_staleness_ms=0").await;
    assert_eq!((&body["freshness"]["complete"], &body["totals"]["sales"]), (&json!(true), &json!(1)));
}

/// Otherwise nothing would ever be known of a service that is always at work.
#[tokio::test]
async fn what_is_told_after_the_question_is_not_waited_for() {
    let town = Town::open().await;
    let told = Arc::new(AtomicI64::new(0));
    // Of each answer, the newest event is held back; the next one shows it.
    let busy = {
        let told = told.clone();
        let answer = move || async move {
            let newest = told.fetch_add(1, SeqCst);
            let told = (newest > 0).then(|| event("cart.changed", &format!("cart/{newest}"), 1, now(), json!({})));
            let data: Vec<Value> = told.into_iter().collect();
            let horizon = json!({"settled": newest + 1, "newest": newest + 1});
            json!({"data": data, "next_cursor": newest.to_string(), "horizon": horizon}).to_string()
        };
        Router::new().route("/internal/v1/events", get(answer))
    };
    town.client.connect("cart", busy);
    let body = town.read("freshness?max_staleness_ms=0").await;
    assert_eq!(body["freshness"]["complete"], true);
    assert_eq!((int(&town.feed(Source::Cart).await["consumed"]), told.load(SeqCst)), (1, 2));
}

/// One that was built before feeds had it: what it tells counts, and that it is all is not claimed.
#[tokio::test]
async fn a_service_that_does_not_say_where_its_feed_ends_is_read() {
    let town = Town::open().await;
    let silent = get(|RawQuery(query): RawQuery| async move {
        let is_first = !query.unwrap().contains("after");
        let data = is_first.then(|| event("cart.changed", "cart/1", 1, now(), json!({})));
        json!({"data": data.into_iter().collect::<Vec<_>>(), "next_cursor": "c1"}).to_string()
    });
    town.client.connect("cart", Router::new().route("/internal/v1/events", silent));
    town.consume().await;
    let feed = town.feed(Source::Cart).await;
    assert_eq!((&feed["consumed"], &feed["as_of"]), (&json!(1), &Value::Null));
}

fn now() -> jiff::Timestamp {
    crate::support::at("2026-11-24T12:00:00Z")
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let town = Town::open().await;
    for (path, parameter, code) in [
        ("consolidated?max_staleness_ms=-1", "max_staleness_ms", "out-of-range"),
        ("consolidated?max_staleness_ms=86400001", "max_staleness_ms", "out-of-range"),
        ("consolidated?max_staleness_ms=now", "max_staleness_ms", "invalid-value"),
        ("consolidated?from=2026-11-02&to=2026-11-01", "to", "invalid-value"),
        ("consolidated?from=2024-01-01&to=2026-01-01", "to", "invalid-value"),
        ("consolidated?from=1900-01-01", "from", "invalid-value"),
        ("consolidated?from=yesterday", "from", "invalid-value"),
        ("consolidated?shop=1", "shop", "unknown-parameter"),
        ("consolidated?channel=phone", "channel", "invalid-value"),
        ("sales?from=2026-11-01", "group_by", "missing-parameter"),
        ("sales?group_by=weather", "group_by", "invalid-value"),
        ("top-products?limit=0", "limit", "out-of-range"),
        ("top-products?limit=201", "limit", "out-of-range"),
        ("top-products?by=luck", "by", "invalid-value"),
        ("taxes", "period", "missing-parameter"),
        ("taxes?period=2026-13", "period", "invalid-value"),
        ("taxes?period=2026", "period", "invalid-value"),
        ("dashboard?store=1", "store", "unknown-parameter"),
        ("freshness?x=1", "x", "unknown-parameter"),
        ("reconciliation?x=1", "x", "unknown-parameter"),
    ] {
        let problem = town.get(path).send().await.expect_problem(400, "invalid-query");
        let error = &problem["errors"][0];
        assert_eq!((&error["parameter"], &error["code"]), (&json!(parameter), &json!(code)), "{path}: {problem}");
    }
}
