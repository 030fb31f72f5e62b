//! A day of the whole platform: fifteen tills in five stores and buyers online, the power fails in the middle, and
//! what reports say in the evening is what the tills have in their own books, to the cent.

mod online;
mod running;
mod tills;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::eventually;
use crate::support::host::{Host, Serve};
use crate::support::platform::SERVICES;

use running::Running;
use tills::{Book, Day};

const STORES: i64 = 5;
const TILLS: i64 = 3;
/// Sales of each till: 2,010 in all.
const SALES: usize = 134;
const BUYERS: usize = 3;
const PURCHASES: usize = 20;
/// What is under way breaks no rule for so long, and then a look at the feeds.
const GRACE: SignedDuration = SignedDuration::from_secs(70);

/// What a report says of some sales, or what a till has counted: cents by name.
pub type Sums = BTreeMap<&'static str, i64>;

/// What is compared, as reports call it.
const FIGURES: [&str; 11] =
    ["sales", "returns", "voids", "net", "gst", "qst", "deposits", "total", "refunded", "voided", "cash_rounding"];

#[tokio::test]
async fn a_day_in_five_stores_with_a_power_failure() {
    let running = Running::start().await;
    let day = Day::new(&running);
    let places = (1..=STORES).flat_map(|store| (1..=TILLS).map(move |till| (store, till)));
    let tills = places.map(|(store, till)| tokio::spawn(tills::work(day.clone(), store * 10 + till, SALES)));
    let tills: Vec<_> = tills.collect();
    let buyers: Vec<_> =
        (0..BUYERS).map(|number| tokio::spawn(online::buy(running.clone(), number, PURCHASES))).collect();
    running.wait("half of the day is over", async || day.sales() > SALES * 15 / 2).await;
    running.power_fails_and_comes_back().await;
    let books: Vec<Book> = join_all(tills).await.into_iter().map(|till| till.expect("no panic")).collect();
    let bought: i64 = join_all(buyers).await.into_iter().map(|buyer| buyer.expect("no panic")).sum();

    receipts_have_no_gap(&running).await;
    let upload = tills::offline(&day, 33, 1_000).await;
    let evening = Timestamp::now();
    reports_say_what_tills_have(&running, &books, &upload, bought).await;
    a_rebuild_changes_nothing(&running).await;
    another_reports_is_killed_and_says_the_same(&running).await;
    the_books_agree(&running, evening).await;
    running.stop().await;
}

/// From the first to the last, whatever was called off and whatever was sent twice.
async fn receipts_have_no_gap(running: &Running) {
    for register in (1..=STORES).flat_map(|store| [1, 2, 3, 9].map(|till| store * 10 + till)).chain([1_009]) {
        let path = format!("/api/v1/sales?register={register}");
        let numbers: BTreeSet<String> =
            running.all(&path).await.iter().map(|sale| sale["number"].as_str().expect("a number").to_owned()).collect();
        let counted: Vec<usize> = numbers.iter().map(|number| number[number.len() - 6..].parse().unwrap()).collect();
        let expected: Vec<usize> = (1..=numbers.len()).collect();
        assert_eq!(counted, expected, "of register {register}");
    }
}

async fn reports_say_what_tills_have(running: &Running, books: &[Book], upload: &Book, bought: i64) {
    let mut expected: BTreeMap<i64, Sums> = BTreeMap::new();
    for (store, figure, cents) in books.iter().chain([upload]).flat_map(Book::entries) {
        *expected.entry(store).or_default().entry(figure).or_default() += cents;
    }
    let stores = running.report(&format!("consolidated?{}&channel=store&max_staleness_ms=0", period())).await;
    assert_eq!(stores["freshness"]["complete"], true, "{:#}", stores["freshness"]);
    let found: BTreeMap<i64, Sums> = stores["by_store"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|store| (store["store_id"].as_i64().expect("a store"), figures(store)))
        .collect();
    assert_eq!(found, expected);
    let mut all = Sums::new();
    for (figure, cents) in expected.values().flatten() {
        *all.entry(figure).or_default() += cents;
    }
    assert_eq!(figures(&stores["totals"]), all);
    let online = running.report(&format!("consolidated?{}&channel=online", period())).await;
    assert_eq!((figures(&online["totals"])["total"], figures(&online["totals"])["refunded"]), (bought, 0));
    assert_eq!(figures(&online["totals"])["sales"], i64::try_from(BUYERS * PURCHASES).expect("few"));
    let everything = running.report(&format!("consolidated?{}", period())).await;
    for tax in ["gst", "qst"] {
        let by_rate = everything["taxes"].as_array().expect("a list").iter().filter(|of| of["tax"] == tax);
        let sum: i64 = by_rate.map(|of| cents(&of["net"]["tax"])).sum();
        assert_eq!(sum, cents(&everything["totals"][tax]), "{tax}");
    }
}

async fn a_rebuild_changes_nothing(running: &Running) {
    let before = running.report(&format!("consolidated?{}&max_staleness_ms=0", period())).await;
    let asked = running.hq(Method::POST, "/api/v1/reports/rebuilds", "rebuild", &json!({})).await;
    assert!(asked.status.is_success(), "{asked:?}");
    let path = format!("/api/v1/reports/rebuilds/{}", asked.json()["id"].as_str().expect("an id"));
    let mut rebuild = Value::Null;
    running
        .wait("the rebuild is in use", async || {
            rebuild = running.hq(Method::GET, &path, "", &Value::Null).await.expect_status(200).json();
            !rebuild["switched_at"].is_null()
        })
        .await;
    let compared = &rebuild["comparison"];
    assert_eq!((&compared["complete"], &compared["differing"]), (&json!(true), &json!(0)), "{rebuild:#}");
    assert!(compared["compared"].as_i64().is_some_and(|rows| rows > 2_000), "{rebuild:#}");
    let after = running.report(&format!("consolidated?{}", period())).await;
    for part in ["totals", "by_store", "by_channel", "taxes"] {
        assert_eq!(before[part], after[part], "{part}");
    }
}

/// One with a database of its own, which reads everything from the beginning, and is killed again and again meanwhile.
async fn another_reports_is_killed_and_says_the_same(running: &Running) {
    let database = Database::new().await;
    let platform = running.platform().await;
    let start = async || -> Host {
        let serve = Serve::service("reports").one_shard().database(&database);
        let serve = serve.secret("--service-secret-file", &platform.secret("service-secret"));
        let serve = serve.secret("--gateway-secret-file", "the-gateway");
        let peers = SERVICES.into_iter().filter(|name| *name != "reports");
        peers.fold(serve, |serve, name| serve.peer(name, platform.service(name))).start().await
    };
    let consumed = async || {
        let sum = "select coalesce(sum(consumed), 0)::bigint from feeds";
        database.number(sum).await
    };
    let all = "select max(events)::bigint from (select sum(consumed) as events from feeds group by epoch) as epochs";
    let all = platform.books().number("reports", all).await;
    let (mut host, mut kills) = (start().await, 0);
    while kills < 8 {
        let before = consumed().await;
        if before >= all {
            break;
        }
        // In the middle of something, whatever it is: of the first page, or of the fifth.
        eventually("it has read on", async || consumed().await > before).await;
        host.send(rustix::process::Signal::KILL);
        host.ended().await;
        (host, kills) = (start().await, kills + 1);
    }
    assert!(kills >= 3, "it had read everything after {kills} kills");
    let ours = running.report(&format!("consolidated?{}&max_staleness_ms=0", period())).await;
    let headers = [("x-gateway-secret", "the-gateway"), ("x-consumer-username", "hq"), ("x-consumer-groups", "hq")];
    let url = host.url(&format!("/api/v1/reports/consolidated?{}&max_staleness_ms=0", period()));
    eventually("it has read everything, and says the same", async || {
        let request = crate::support::client::request(Method::GET, &url, &headers);
        let theirs = running.client().send(request).await.expect_status(200).json();
        theirs["freshness"]["complete"] == true
            && ["totals", "by_store", "by_channel", "taxes", "top_products", "stock"]
                .iter()
                .all(|part| ours[part] == theirs[part])
    })
    .await;
}

/// A minute later, because what is under way breaks no rule.
async fn the_books_agree(running: &Running, evening: Timestamp) {
    let until = evening + GRACE;
    running
        .wait("all feeds are read up to a minute after the evening", async || {
            let feeds = running.report("freshness").await["data"].as_array().expect("a list").clone();
            let as_of = |feed: &Value| feed["as_of"].as_str().and_then(|as_of| as_of.parse::<Timestamp>().ok());
            feeds.len() == SERVICES.len() - 1 && feeds.iter().all(|feed| as_of(feed) >= Some(until))
        })
        .await;
    let found = running.report("reconciliation").await;
    for list in ["data", "unavailable", "unchecked"] {
        assert_eq!(found[list], json!([]), "{list}");
    }
    let books = running.platform().await.books();
    books.at_rest().await;
    books.audited().await;
}

/// The day in Toronto is the one in Greenwich, or the one before.
fn period() -> String {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("from={}&to={today}", today.yesterday().expect("a day"))
}

fn figures(of: &Value) -> Sums {
    let number = |figure: &'static str| of[figure].as_i64().unwrap_or_else(|| cents(&of[figure]));
    FIGURES.map(|figure| (figure, number(figure))).into()
}

pub fn cents(money: &Value) -> i64 {
    money["amount"].as_i64().unwrap_or_else(|| panic!("no money: {money}"))
}

pub fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}
