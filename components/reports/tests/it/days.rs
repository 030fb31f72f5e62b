//! Days of 23 and 25 hours, and midnight: the business is in Toronto.

use reports::domain::Source;
use serde_json::Value;

use crate::business::{Business, Deal, Item};
use crate::support::{Town, cents};

async fn sold_at(instants: &[&str]) -> Town {
    let (town, mut business) = (Town::open().await, Business::default());
    for instant in instants {
        business.sell(&Deal::of(instant, 1, vec![Item { rates: (0, 0), ..Item::of(1, 1, 100) }]));
    }
    town.tell_all(&business.events);
    town.consume().await;
    town
}

async fn groups(town: &Town, query: &str) -> Vec<(String, i64)> {
    let body = town.read(&format!("sales?{query}")).await;
    let row = |row: &Value| (row["key"].as_str().unwrap().to_owned(), cents(&row["net"]));
    body["data"].as_array().unwrap().iter().map(row).collect()
}

fn expected(groups: &[(&str, i64)]) -> Vec<(String, i64)> {
    groups.iter().map(|(key, net)| ((*key).to_owned(), *net)).collect()
}

#[tokio::test]
async fn a_day_ends_at_midnight_in_toronto() {
    let instants =
        ["2026-07-02T03:59:59.999999Z", "2026-07-02T04:00:00Z", "2026-01-02T04:59:59Z", "2026-01-02T05:00:00Z"];
    let town = sold_at(&instants).await;
    let days = groups(&town, "group_by=day&from=2026-01-01&to=2026-12-31").await;
    assert_eq!(days, expected(&[("2026-01-01", 100), ("2026-01-02", 100), ("2026-07-01", 100), ("2026-07-02", 100)]));
    let midnight = groups(&town, "group_by=hour&from=2026-07-02&to=2026-07-02").await;
    assert_eq!(midnight, expected(&[("2026-07-02T00:00:00-04:00", 100)]));
}

#[tokio::test]
async fn the_hour_that_comes_twice_is_two() {
    // Every half hour of the 25.
    let instants: Vec<String> = (0..50)
        .map(|half| {
            (crate::support::at("2026-11-01T04:00:00Z") + jiff::SignedDuration::from_mins(30 * half)).to_string()
        })
        .collect();
    let town = sold_at(&instants.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let hours = groups(&town, "group_by=hour&from=2026-11-01&to=2026-11-01").await;
    assert_eq!(hours.len(), 25);
    assert!(hours.iter().all(|(_, net)| *net == 200));
    let keys: Vec<&str> = hours.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        keys[..4],
        [
            "2026-11-01T00:00:00-04:00",
            "2026-11-01T01:00:00-04:00",
            "2026-11-01T01:00:00-05:00",
            "2026-11-01T02:00:00-05:00"
        ]
    );
    assert_eq!(keys[24], "2026-11-01T23:00:00-05:00");
    assert_eq!(groups(&town, "group_by=day&from=2026-10-31&to=2026-11-02").await, expected(&[("2026-11-01", 5_000)]));
}

#[tokio::test]
async fn the_hour_that_does_not_come_is_none() {
    let instants: Vec<String> = (0..23)
        .map(|hour| (crate::support::at("2026-03-08T05:00:00Z") + jiff::SignedDuration::from_hours(hour)).to_string())
        .collect();
    let town = sold_at(&instants.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let hours = groups(&town, "group_by=hour&from=2026-03-08&to=2026-03-08").await;
    assert_eq!(hours.len(), 23);
    let keys: Vec<&str> = hours.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys[1..3], ["2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"]);
    assert_eq!(keys[22], "2026-03-08T23:00:00-04:00");
}

/// A day has ended in Toronto five hours after it has in Greenwich.
#[tokio::test]
async fn today_is_what_it_is_in_toronto() {
    let town = Town::open_at("2026-11-25T04:30:00Z").await;
    let body = town.read("consolidated").await;
    assert_eq!((&body["period"]["from"], &body["period"]["to"]), (&"2026-11-24".into(), &"2026-11-24".into()));
}

/// A void takes a sale back on its own day, and a return counts on the day and in the store of the return.
#[tokio::test]
async fn what_comes_back_counts_where_and_when_it_does() {
    let (town, mut business) = (Town::open().await, Business::default());
    let item = Item { rates: (0, 0), ..Item::of(1, 2, 100) };
    let mut kept = business.sell(&Deal::of("2026-11-10T15:00:00Z", 1, vec![item]));
    let called_off = business.sell(&Deal::of("2026-11-11T04:59:00Z", 1, vec![item]));
    business.void(called_off, crate::support::at("2026-11-11T05:01:00Z"));
    assert!(business.bring_back(&mut kept, &[1], 2, crate::support::at("2026-11-20T15:00:00Z")));
    town.tell_all(&business.events);
    town.consume().await;
    let days = groups(&town, "group_by=day&from=2026-11-01&to=2026-11-30").await;
    assert_eq!(days, expected(&[("2026-11-10", 200), ("2026-11-20", -100)]));
    let stores = groups(&town, "group_by=store&from=2026-11-01&to=2026-11-30").await;
    assert_eq!(stores, expected(&[("1", 200), ("2", -100)]));
    assert_eq!(town.feed(Source::Sales).await["consumed"], 4);
    town.audited().await;
}
