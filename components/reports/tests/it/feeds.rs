//! What is read of a feed, and what it costs.

use reports::domain::Source;
use serde_json::json;

use crate::business::{Business, Deal, Item, product, stock};
use crate::support::{Town, at, event, int};

#[tokio::test]
async fn what_means_nothing_is_counted_and_skipped() {
    let town = Town::open().await;
    let now = at("2026-11-24T12:00:00Z");
    town.tell(Source::Sales, event("sale.framed", "sale/1", 1, now, json!({"anything": [1]})));
    town.tell(Source::Customers, event("customer.registered", "customer/1", 1, now, json!({})));
    town.tell(Source::Cart, event("cart.changed", "cart/1", 7, now, json!({})));
    town.tell(Source::Products, product(1, 4, "Coke"));
    town.consume().await;
    let feed = town.feed(Source::Sales).await;
    assert_eq!((&feed["consumed"], &feed["ignored"], &feed["rejected"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(feed["last_event_at"], "2026-11-24T12:00:00Z");
    for source in [Source::Customers, Source::Cart, Source::Products] {
        let feed = town.feed(source).await;
        assert_eq!((&feed["consumed"], &feed["ignored"]), (&json!(1), &json!(0)), "{source:?}");
    }
    // Carts and products do not begin with version 1; everybody else does.
    assert_eq!(town.count("select count(*) from missing").await, 0);
    town.audited().await;
}

/// However long the page is: each statement writes all rows of a table.
#[tokio::test]
async fn a_page_is_a_handful_of_statements() {
    let mut costs = Vec::new();
    for sales in [1, 400] {
        let (town, mut business) = (Town::open().await, Business::default());
        for _ in 0..sales {
            business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, vec![Item::of(1, 1, 299), Item::of(2, 1, 349)]));
        }
        town.tell_all(&business.events);
        let position =
            reports::store::feeds::position(town.app.db(), Source::Sales, reports::store::feeds::Which::Live);
        let position = position.await.unwrap().unwrap();
        let before = town.app.db().round_trips();
        reports::consuming::advance(town.app.context(), &position, &mut None).await.unwrap();
        costs.push(town.app.db().round_trips() - before);
        assert_eq!(int(&town.feed(Source::Sales).await["consumed"]), sales);
    }
    // Begin, cursor, versions read and written, sales, documents, lines, tenders, stores, commit.
    assert_eq!(costs, [10, 10]);
}

#[tokio::test]
async fn a_feed_without_news_costs_two_statements() {
    let town = Town::open().await;
    town.consume().await;
    let before = town.app.db().round_trips();
    reports::consuming::follow(
        town.app.context(),
        Source::Sales,
        reports::store::feeds::Which::Live,
        reports::consuming::Until(at("2030-01-01T00:00:00Z")),
    )
    .await
    .unwrap();
    assert_eq!(town.app.db().round_trips() - before, 2);
}

#[tokio::test]
async fn pages_become_shorter_when_they_are_too_long() {
    let (town, mut business) = (Town::open().await, Business::default());
    let items: Vec<Item> = (1..=150).map(|product| Item::of(product, 1, 100)).collect();
    for _ in 0..60 {
        business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, items.clone()));
    }
    town.tell_all(&business.events);
    town.consume().await;
    assert_eq!(town.feed(Source::Sales).await["consumed"], 60);
    assert_eq!(town.count("select count(*) from entries").await, 60 * 150);
    let limit = town.count("select page_limit::bigint from feeds where source = 'sales'").await;
    assert!(limit < 500, "{limit}");
    town.audited().await;
}

/// Two transactions of a source may tell of a subject in the order in which they began.
#[tokio::test]
async fn versions_may_come_in_another_order() {
    let town = Town::open().await;
    town.tell(Source::Inventory, stock((1, 1), 1, 10, 10, "normal", "opening/1"));
    town.tell(Source::Inventory, stock((1, 1), 3, -1, 7, "low", "issue/b"));
    town.consume().await;
    assert_eq!(town.count("select count(*) from missing").await, 1);
    town.audited().await;
    town.tell(Source::Inventory, stock((1, 1), 2, -2, 8, "normal", "issue/a"));
    town.consume().await;
    assert_eq!(town.count("select count(*) from missing").await, 0);
    let rows: Vec<(i64, i64, String)> = town.ask("select version, on_hand, level from stock").await;
    assert_eq!(rows, [(3, 7, "low".to_owned())]);
    assert_eq!(town.count("select sum(delta)::bigint from movements").await, 7);
    town.audited().await;
}

#[tokio::test]
async fn what_is_told_twice_counts_once_and_is_told() {
    let (town, mut business) = (Town::open().await, Business::default());
    business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, vec![Item::of(1, 1, 299)]));
    // In one page, and in two.
    town.tell_all(&business.events);
    town.tell_all(&business.events);
    town.consume().await;
    let net = |body: serde_json::Value| body["totals"]["net"]["amount"].as_i64().unwrap();
    assert_eq!(net(town.read("consolidated").await), 299);
    assert_eq!(town.count("select count(*) from repeats").await, 1);
    town.tell_all(&business.events);
    // Another event of the same version is no better.
    let mut forged = business.events[0].1.clone();
    forged["event_id"] = json!("00000000-0000-7000-8000-000000000001");
    forged["payload"]["sale_id"] = json!("00000000-0000-7000-8000-000000000002");
    town.tell(Source::Sales, forged);
    town.consume().await;
    assert_eq!(net(town.read("consolidated").await), 299);
    let broken: Vec<String> = town.broken().await.into_iter().map(|(invariant, _)| invariant).collect();
    assert_eq!(broken, ["reports/no-event-is-told-twice"; 2]);
}
