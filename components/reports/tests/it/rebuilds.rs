//! A rebuild gives the same tables, row for row (25), while the feeds go on and workers are killed.

use reports::domain::Source;
use sdk::Role;
use sdk::testing::{Fault, TestRequest};
use serde_json::{Value, json};

use crate::business::{Business, Deal, Item, product, stock};
use crate::support::{Town, assert_same, int};

fn begin(town: &Town, key: &str) -> TestRequest {
    town.app.post("/api/v1/reports/rebuilds").as_role(Role::Hq).idempotency_key(key)
}

async fn begun(town: &Town) -> Value {
    let response = begin(town, &uuid::Uuid::now_v7().to_string()).send().await.expect_status(202);
    let body: Value = response.json();
    assert_eq!(response.header("location"), format!("/api/v1/reports/rebuilds/{}", body["id"].as_str().unwrap()));
    body
}

async fn step(town: &Town) {
    reports::tasks::rebuild(town.app.context().clone()).await.unwrap();
}

async fn read(town: &Town, rebuild: &Value) -> Value {
    town.read(&format!("rebuilds/{}", rebuild["id"].as_str().unwrap())).await
}

fn business(sales: i64) -> Business {
    let mut business = Business::default();
    for number in 0..sales {
        let mut made = business.sell(&Deal::of("2026-11-24T15:00:00Z", 1 + number % 5, vec![Item::of(number, 2, 299)]));
        if number % 3 == 0 {
            business.bring_back(&mut made, &[1], 2, crate::support::at("2026-11-24T16:00:00Z"));
        }
        business.events.push((Source::Products, product(number, 2, "x")));
        business.events.push((Source::Inventory, stock((1, number), 2, number, number, "over", "opening/1")));
    }
    business
}

#[tokio::test]
async fn what_is_built_again_is_the_same_row_for_row() {
    let town = Town::open().await;
    town.tell_all(&business(30).events);
    // Something of everything that is out of the ordinary as well.
    town.tell(Source::Sales, json!({"no": "event"}));
    let again = town.told.books()["products"].events[0].clone();
    town.tell(Source::Products, again);
    town.consume().await;
    let before = town.tables().await;
    assert!(["missing", "repeats", "rejected_events"].iter().all(|table| !before[table].is_empty()), "{before:?}");
    town.pass(3_600);

    let rebuild = begun(&town).await;
    assert_eq!((&rebuild["status"], &rebuild["requested_by"]), (&json!("building"), &json!("consumer:hq-1")));
    step(&town).await;
    let found = read(&town, &rebuild).await;
    assert_eq!((&found["status"], &found["progress"]), (&json!("switched"), &json!([])));
    let comparison = &found["comparison"];
    assert_eq!((&comparison["complete"], &comparison["differing"]), (&json!(true), &json!(0)), "{comparison:#}");
    let rows: usize = before.values().map(Vec::len).sum();
    assert_eq!(comparison["compared"], rows);
    assert_same(&town.tables().await, &before);
    // What was replaced is gone.
    step(&town).await;
    assert_eq!(town.count("select count(*) from epochs").await, 1);
    assert_eq!(town.count("select count(distinct epoch) from entries").await, 1);
    assert_eq!(town.count("select count(distinct epoch) from feeds").await, 1);
    // And it goes on from there.
    town.tell_all(&business(1).events);
    town.consume().await;
    assert_eq!(town.tables().await["sales"].len(), before["sales"].len() + 1);
}

#[tokio::test]
async fn whoever_rebuilds_under_load_and_is_killed_goes_on() {
    let town = Town::open().await;
    let business = business(400);
    let (early, late) = business.events.split_at(business.events.len() / 2);
    town.tell_all(early);
    town.consume().await;
    let rebuild = begun(&town).await;
    let (mut polls, mut late) = (1, late.chunks(25));
    loop {
        if let Some(part) = late.next() {
            town.tell_all(part);
        }
        let work = async {
            step(&town).await;
            town.consume().await;
        };
        let mut work = std::pin::pin!(work);
        // As in `kills`: the worker is gone after so many steps.
        let mut count = 0;
        std::future::poll_fn(|cx| {
            count += 1;
            if count > polls { std::task::Poll::Ready(()) } else { work.as_mut().poll(cx) }
        })
        .await;
        polls += 7;
        if late.len() == 0 && read(&town, &rebuild).await["status"] == "switched" {
            break;
        }
    }
    town.consume().await;
    let comparison = &read(&town, &rebuild).await["comparison"];
    assert_eq!((&comparison["complete"], &comparison["differing"]), (&json!(true), &json!(0)), "{comparison:#}");
    let plain = Town::open().await;
    plain.tell_all(&business.events);
    plain.consume().await;
    assert_same(&town.tables().await, &plain.tables().await);
    town.audited().await;
}

/// The two meet though neither is at the end of the feed, and though their pages begin at other places.
#[tokio::test]
async fn a_rebuild_stops_where_the_live_one_is_and_goes_on_beside_it() {
    let town = Town::open().await;
    town.tell_all(&business(700).events);
    let position = |which| reports::store::feeds::position(town.app.db(), Source::Products, which);
    use reports::store::feeds::Which::{Building, Live};
    let live = position(Live).await.unwrap().unwrap();
    let short = reports::store::feeds::Position { page_limit: 333, ..live };
    reports::consuming::advance(town.app.context(), &short, &mut None).await.unwrap();
    begun(&town).await;
    let building = position(Building).await.unwrap().unwrap();
    assert!(!building.beside_live);
    reports::consuming::advance(town.app.context(), &building, &mut None).await.unwrap();
    assert!(position(Building).await.unwrap().unwrap().beside_live);
    let counts = "select count(*) from products group by epoch order by epoch";
    assert_eq!(town.ask::<(i64,)>(counts).await, [(333,), (333,)]);
    town.consume().await;
    assert_eq!(town.ask::<(i64,)>(counts).await, [(700,), (700,)]);
}

#[tokio::test]
async fn what_differs_is_told_and_put_right() {
    let town = Town::open().await;
    town.tell_all(&business(10).events);
    town.consume().await;
    let right = town.tables().await;
    for sql in [
        "update entries set net_cents = net_cents + 1 where kind = 'sale' and product_id = 4",
        "delete from products where product_id = 5",
        "insert into stores (epoch, store_id) select epoch, 99 from epochs",
    ] {
        town.app.database().administer(sql).await;
    }
    let rebuild = begun(&town).await;
    step(&town).await;
    let found = read(&town, &rebuild).await;
    let comparison = &found["comparison"];
    assert_eq!((&found["status"], &comparison["differing"]), (&json!("switched"), &json!(4)));
    let differences: Vec<(&str, &str)> = comparison["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| (difference["table"].as_str().unwrap(), difference["side"].as_str().unwrap()))
        .collect();
    for expected in [("entries", "live"), ("entries", "rebuilt"), ("products", "rebuilt"), ("stores", "live")] {
        assert!(differences.contains(&expected), "{expected:?}: {differences:?}");
    }
    assert_same(&town.tables().await, &right);
}

/// Ranges of keys, compared one after the other: what is in none of the live one's is found too.
#[tokio::test]
async fn a_large_table_is_compared_in_pieces() {
    let town = Town::open().await;
    for number in 1..=12_000 {
        town.tell(Source::Products, product(number, 1, "x"));
    }
    town.consume().await;
    for sql in [
        "delete from products where product_id in (1, 6000, 12000)",
        "update products set name = 'y' where product_id = 5001",
    ] {
        town.app.database().administer(sql).await;
    }
    let rebuild = begun(&town).await;
    step(&town).await;
    let comparison = &read(&town, &rebuild).await["comparison"];
    assert_eq!((&comparison["complete"], int(&comparison["differing"])), (&json!(true), 5));
    assert_eq!(town.count("select count(*) from products where epoch = 2").await, 12_000);
}

#[tokio::test]
async fn a_rebuild_waits_for_a_source_and_reports_go_on() {
    let town = Town::open().await;
    town.tell_all(&business(5).events);
    town.consume().await;
    let rebuild = begun(&town).await;
    town.client.set_fault("sales", Some(Fault::Down));
    step(&town).await;
    let found = read(&town, &rebuild).await;
    assert_eq!((&found["status"], &found["comparison"]), (&json!("building"), &Value::Null));
    let of = |source: &str| {
        let progress = found["progress"].as_array().unwrap();
        let feed = progress.iter().find(|feed| feed["source"] == source).unwrap();
        (int(&feed["consumed"]), int(&feed["of"]))
    };
    assert_eq!((of("sales"), of("products")), ((0, 7), (5, 5)));
    assert_eq!(town.read("consolidated").await["totals"]["sales"], 5);
    town.client.set_fault("sales", None);
    step(&town).await;
    assert_eq!(read(&town, &rebuild).await["status"], "switched");
}

#[tokio::test]
async fn there_is_one_at_a_time_and_a_second_click_is_the_first() {
    let town = Town::open().await;
    town.app.warm_up().await;
    let sent: Vec<_> = (0..8).map(|click| tokio::spawn(begin(&town, &format!("key-{}", click % 2)).send())).collect();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for (click, response) in sent.into_iter().enumerate() {
        let response = response.await.unwrap();
        match response.status.as_u16() {
            202 => accepted.push((click % 2, response.json::<Value>()["id"].clone())),
            409 => refused += 1,
            _ => panic!("{}", response.text()),
        }
    }
    assert!(!accepted.is_empty() && accepted.iter().all(|one| *one == accepted[0]), "{accepted:?}");
    assert!(refused >= 4, "{refused}");
    let (key, id) = accepted[0].clone();
    assert_eq!(town.count("select count(*) from rebuilds").await, 1);
    let problem = begin(&town, "another").send().await.expect_problem(409, "rebuild-in-progress");
    assert_eq!(problem["rebuild_id"], id);
    step(&town).await;
    let replayed = begin(&town, &format!("key-{key}")).send().await.expect_status(202);
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.json::<Value>()["id"]), ("true", &id));
    let _ = begin(&town, "another").send().await.expect_status(202);
}
