//! A real feed: transactions that are long and short, and roll back; every event once.

use reports::domain::Source;
use sdk::outbox::{Event, publish};
use sdk::testing::TestApp;
use sdk::{DbError, Definition, Executor, Tx, params};
use serde_json::json;
use tokio::sync::{Barrier, Notify};

use crate::support::Town;

const WRITERS: usize = 4;
const EVENTS: i64 = 20;

sdk::service! {
    name: "teller",
    router: |context| sdk::outbox::routes(&context),
    migrations: &[sdk::Migration { version: 1, name: "events", sql: sdk::outbox::MIGRATION_SQL }],
}

/// A writer of products, some of whose transactions take long, and some of which come to nothing.
async fn write(app: &TestApp, writer: usize) {
    for version in 1..=EVENTS {
        let payload = json!({
            "product_id": writer, "sku": "S", "name": format!("v{version}"), "category": "c", "status": "active",
        });
        let event = || Event::new("product.changed", format!("product/{writer}"), version, &payload).unwrap();
        let (context, event) = (app.context(), &event);
        let attempt = |fails: bool| {
            app.db().transaction(move |tx| async move {
                publish(&tx, context, vec![event()]).await?;
                if version % 5 == 0 {
                    // As a statement that takes long: others begin and end meanwhile.
                    let _: Vec<(String,)> = tx.query("select pg_sleep(0.02)::text", params![]).await?;
                }
                if fails { Err(DbError::Unexpected("no".to_owned())) } else { Ok(()) }
            })
        };
        if version % 3 == 0 {
            attempt(true).await.unwrap_err();
        }
        attempt(false).await.unwrap();
    }
}

#[tokio::test]
async fn no_event_of_a_busy_feed_is_skipped_or_repeated() {
    let service: &'static Definition = &SERVICE;
    let town = Town::open().await;
    let teller = TestApp::of(service).build().await;
    town.client.connect("products", teller.router());
    let replica = town.replica();
    let total = i64::try_from(WRITERS).unwrap() * EVENTS;
    let writers = futures_util::future::join_all((0..WRITERS).map(|writer| write(&teller, writer)));
    let readers = async {
        while town.feed(Source::Products).await["consumed"] != total {
            tokio::join!(town.consume(), async { reports::tasks::consume(replica.context().clone()).await.unwrap() });
        }
    };
    let all = async { tokio::join!(writers, readers) };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("an event was skipped");
    let rows: Vec<(i64, i64, String)> =
        town.ask("select product_id, version, name from products order by product_id").await;
    let expected: Vec<(i64, i64, String)> =
        (0..WRITERS).map(|writer| (i64::try_from(writer).unwrap(), EVENTS, format!("v{EVENTS}"))).collect();
    assert_eq!(rows, expected);
    assert_eq!(town.count("select count(*) from repeats").await + town.count("select count(*) from missing").await, 0);
}

/// As a till asks the moment its sale was acknowledged, while somebody else's transaction takes its time.
#[tokio::test]
async fn a_report_waits_for_what_a_running_transaction_holds_back() {
    let service: &'static Definition = &SERVICE;
    let town = Town::open().await;
    let teller = TestApp::of(service).build().await;
    town.client.connect("products", teller.router());
    let context = teller.context();
    let tell = async |tx: &Tx, product: i64| {
        let payload = json!({
            "product_id": product, "sku": "S", "name": "Coke", "category": "c", "status": "active",
        });
        let event = Event::new("product.changed", format!("product/{product}"), 1, &payload).unwrap();
        publish(tx, context, vec![event]).await
    };
    let (began, told) = (Barrier::new(2), Notify::new());
    let (tell, began, told) = (&tell, &began, &told);
    let long = teller.db().transaction(|tx| async move {
        tell(&tx, 1).await?;
        began.wait().await;
        told.notified().await;
        Ok::<_, DbError>(())
    });
    let asked = async {
        began.wait().await;
        teller.db().transaction(|tx| async move { tell(&tx, 2).await }).await.unwrap();
        let (report, ()) = tokio::join!(town.read("freshness?max_staleness_ms=0"), async {
            // The feed was asked, and had nothing to show.
            while town.feed(Source::Products).await["read_at"].is_null() {
                tokio::task::yield_now().await;
            }
            assert_eq!(town.feed(Source::Products).await["consumed"], 0);
            told.notify_one();
        });
        report
    };
    let (result, report) = tokio::join!(long, asked);
    result.unwrap();
    assert_eq!(report["freshness"]["complete"], true);
    assert_eq!(town.feed(Source::Products).await["consumed"], 2);
}
