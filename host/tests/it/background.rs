//! Background tasks run again and again, one run at a time, in the version that serves.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{eventually, guest};

const OVERLAPS: &str = "select count(*) from runs a join runs b on a.id < b.id \
                        and b.started_at < coalesce(a.ended_at, 'infinity') and a.ended_at is not null";

async fn start(database: &Database) -> Host {
    Serve::guest("background").admin_token().database(database).start().await
}

async fn runs(database: &Database, version: u32) -> i64 {
    database.number(&format!("select count(*) from runs where version = {version} and ended_at is not null")).await
}

async fn reach(database: &Database, version: u32, count: i64) {
    eventually(&format!("{count} runs of version {version}"), async || runs(database, version).await >= count).await;
}

#[tokio::test]
pub async fn tasks_run_again_and_again_and_do_not_overlap() {
    let database = Database::new().await;
    let host = start(&database).await;
    reach(&database, 1, 5).await;
    assert_eq!(database.number(OVERLAPS).await, 0);
    let metrics = host.metrics().await;
    let count =
        |task, outcome| metrics.value("component_background_runs_total", &[("task", task), ("outcome", outcome)]);
    assert!(count("record", "ok") >= 5.0);
    assert!(count("fail", "error") >= 1.0);
    let told = |record: &Value| {
        record["level"] == "WARN" && record["task"] == "fail" && record["error"] == "this task always fails"
    };
    host.log.tells("of the failure", told).await;
}

#[tokio::test]
pub async fn tasks_go_on_in_the_version_that_serves() {
    let database = Database::new().await;
    let mut host = start(&database).await;
    reach(&database, 1, 2).await;
    host.put(&guest::bytes("background-2")).await.expect_status(200);
    reach(&database, 2, 3).await;
    let of_the_old = runs(&database, 1).await;
    reach(&database, 2, 6).await;
    assert_eq!(runs(&database, 1).await, of_the_old, "the old version still runs");
    host.put(&guest::bytes("background")).await.expect_status(200);
    reach(&database, 1, of_the_old + 3).await;
    assert_eq!(database.number(OVERLAPS).await, 0);
    // Every run ended, also the one that a swap found running, and the one that the end of the host did.
    host.send(Signal::TERM);
    assert!(host.ended().await.success());
    assert_eq!(database.number("select count(*) from runs where ended_at is null").await, 0);
}

#[tokio::test]
async fn tasks_go_on_after_a_rollback() {
    let database = Database::new().await;
    let host = start(&database).await;
    host.put(&guest::bytes("background-2")).await.expect_status(200);
    reach(&database, 2, 2).await;
    let said = crate::support::command::administer(&host, "rollback", &["background".as_ref()]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    reach(&database, 1, 2).await;
    assert_eq!(database.number(OVERLAPS).await, 0);
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_ended() {
    let database = Database::new().await;
    let serve = Serve::guest("background").database(&database);
    let host = serve.arg("--task-timeout-ms", "60").start().await;
    eventually("runs are ended", async || {
        let labels = [("task", "record"), ("outcome", "timeout")];
        host.metrics().await.find("component_background_runs_total", &labels).is_some_and(|count| count >= 3.0)
    })
    .await;
    assert_eq!(runs(&database, 1).await, 0);
    // Their statements end with them, and their connections are used again.
    eventually("no connection is left behind", async || {
        host.metrics().await.value("db_client_connections", &[("state", "used")]) <= 1.0
    })
    .await;
    host.get("/ready").await.expect_status(200);
}
