//! Events that cannot be read stop nothing: they are put aside, whole, and told of.

use reports::domain::Source;
use serde_json::{Value, json};

use crate::business::{Business, Deal, Item, product};
use crate::support::{Town, at, event, int};

async fn broken(town: &Town) -> Vec<String> {
    town.broken().await.into_iter().map(|(invariant, _)| invariant).collect()
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_put_aside_whole() {
    let (town, mut business) = (Town::open().await, Business::default());
    business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, vec![Item::of(1, 1, 299)]));
    let mut bad = business.events[0].1.clone();
    bad["event_id"] = json!("00000000-0000-7000-8000-000000000001");
    bad["subject"] = json!("sale/bad");
    bad["payload"]["gross"]["amount"] = json!(2.5);
    town.tell(Source::Sales, bad.clone());
    town.tell_all(&business.events);
    town.consume().await;
    let feed = town.feed(Source::Sales).await;
    assert_eq!((&feed["consumed"], &feed["rejected"]), (&json!(2), &json!(1)));
    let rows: Vec<(String, String)> = town.ask("select event, reason from rejected_events").await;
    assert_eq!(serde_json::from_str::<Value>(&rows[0].0).unwrap(), bad);
    assert!(rows[0].1.contains("2.5"), "{}", rows[0].1);
    assert_eq!(town.read("consolidated").await["totals"]["sales"], 1);
    assert_eq!(broken(&town).await, ["reports/every-event-can-be-read"]);
    // Its version is known: the next one leaves no gap.
    assert_eq!(town.count("select count(*) from subjects where subject = 'sale/bad'").await, 1);
}

#[tokio::test]
async fn what_is_not_even_an_event_is_put_aside() {
    let town = Town::open().await;
    for junk in [json!(null), json!(7), json!({"event_id": "x"}), json!([])] {
        town.tell(Source::Orders, junk);
    }
    let mut late = product(1, 1, "x");
    late["occurred_at"] = json!("yesterday");
    town.tell(Source::Products, late);
    town.tell(Source::Products, product(2, 1, "y"));
    town.consume().await;
    assert_eq!(town.feed(Source::Orders).await["rejected"], 4);
    assert_eq!(town.count("select count(*) from products").await, 1);
    assert_eq!(town.count("select count(*) from rejected_events").await, 5);
}

/// What Rust can read and PostgreSQL cannot keep: the page is taken event by event, until the one is found.
#[tokio::test]
async fn what_cannot_be_stored_is_found_and_put_aside() {
    let town = Town::open().await;
    for number in 1..=20 {
        let name = if number == 13 { "nul \u{0} here".to_owned() } else { format!("Product {number}") };
        town.tell(Source::Products, product(number, 1, &name));
    }
    // A key that no index takes, and an instant that no calendar has.
    let subject: String = (0..5_000).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    town.tell(Source::Orders, event("order.framed", &subject, 1, at("2026-11-24T12:00:00Z"), json!({})));
    let mut business = Business::default();
    business.sell(&Deal::of("-009990-01-02T00:00:00Z", 1, vec![Item::of(1, 1, 299)]));
    business.sell(&Deal::of("2026-11-24T12:00:00Z", 1, vec![Item::of(1, 1, 299)]));
    town.tell_all(&business.events);
    town.consume().await;
    assert_eq!(town.count("select count(*) from products").await, 19);
    let feed = town.feed(Source::Products).await;
    assert_eq!((&feed["consumed"], &feed["rejected"], &feed["failures"]), (&json!(20), &json!(1), &json!(0)));
    assert_eq!(town.read("consolidated").await["totals"]["sales"], 1);
    let rejected: Vec<(String, String)> = town.ask("select source, reason from rejected_events order by source").await;
    let sources: Vec<&str> = rejected.iter().map(|(source, _)| source.as_str()).collect();
    assert_eq!(sources, ["orders", "products", "sales"], "{rejected:?}");
    // Pages grow again.
    let limits: Vec<(i32,)> = town.ask("select page_limit from feeds where source = 'products'").await;
    assert!(limits[0].0 > 1, "{limits:?}");
    assert!(int(&town.feed(Source::Orders).await["consumed"]) == 1);
}
