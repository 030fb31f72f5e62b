//! Clients that go away in the middle of something cost nothing: no connection to Postgres, no open
//! transaction, no place under a limit.

use std::time::Duration;

use crate::support::client::{self, Client};
use crate::support::database::Database;
use crate::support::eventually;
use crate::support::host::{Host, Serve};
use crate::support::rest::Rest;
use crate::support::storm::Storm;

/// A request whose connection is closed after `patience`, if it takes that long.
async fn give_up(url: &str, method: &str, patience: Duration) {
    let client = Client::fresh();
    let mut request = client::get(url);
    *request.method_mut() = method.parse().expect("a method");
    _ = tokio::time::timeout(patience, client.try_send(request)).await;
}

/// Waits until the host has nothing in its hands.
async fn at_rest(host: &Host) {
    eventually("no request is active and no connection is used", async || {
        let metrics = host.metrics().await;
        let connections = |state| metrics.value("db_client_connections", &[("state", state)]);
        metrics.value("http_server_active_requests", &[]) == 0.0
            && connections("used") == 0.0
            && connections("transaction") == 0.0
    })
    .await;
}

#[tokio::test]
pub async fn a_client_that_goes_away_leaves_no_transaction() {
    let database = Database::new().await;
    let host = Serve::guest("database").database(&database).start().await;
    for (path, state) in [("/hold?ms=1000", "idle in transaction"), ("/commit?ms=1000", "active")] {
        let (client, url) = (Client::fresh(), host.url(path));
        let request = tokio::spawn(async move { client.try_send(client::post(&url, "")).await });
        database.sessions_reach(1, state).await;
        request.abort();
        at_rest(&host).await;
        database.at_rest().await;
        // Whether the component was in time to finish is open; half of its work is not.
        let entries = database.number("select count(*) from entries").await;
        assert_eq!(entries % 2, 0, "{path}: half of a transaction");
    }
}

/// What those ask for who wait for an answer: all that a guest does with its database.
const WAITING: &[&str] = &[
    "GET /sleep?ms=20",
    "GET /slow?ms=20",
    "GET /count",
    "POST /insert",
    "POST /drop",
    "POST /drop-busy",
    "POST /rollback",
    "POST /trap",
];

#[tokio::test]
async fn a_storm_of_clients_that_go_away_costs_nothing() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).arg("--instance-idle-ms", "300");
    let host = serve.arg("--database-connections", "2").start().await;
    let rest = Rest::of(&host).await;
    Storm::new(host.address, WAITING).blow(1000).await;
    rest.returns(&host).await;
    database.at_rest().await;
    let entries = "select count(*) from entries";
    let before = database.number(entries).await;
    for _ in 0..10 {
        host.get("/sleep?ms=1").await.expect_status(200);
        host.post("/commit?ms=0", "").await.expect_status(200);
    }
    assert_eq!(database.number(entries).await, before + 20);
    assert!(!host.log.text().contains("panicked"), "a panic");
}

#[tokio::test]
async fn a_client_that_goes_away_from_a_stream_ends_it() {
    let host = Serve::guest("faults").start().await;
    let stream = Client::fresh().open(client::get(&host.url("/stream?chunks=1000000&pause_ms=5"))).await;
    let active = async || host.metrics().await.value("http_server_active_requests", &[]);
    assert_eq!(active().await, 1.0);
    drop(stream);
    eventually("the stream is no longer active", async || active().await == 0.0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_sends_ends_its_request() {
    let host = Serve::guest("faults").start().await;
    let (sender, body) = client::chunked();
    let request = http::Request::post(host.url("/length")).body(body).expect("a request");
    let sending = tokio::spawn(async move { Client::fresh().try_send(request).await });
    sender.send("the beginning".into()).expect("somebody reads");
    let active = async || host.metrics().await.value("http_server_active_requests", &[]);
    eventually("the request is active", async || active().await == 1.0).await;
    sending.abort();
    eventually("the request is no longer active", async || active().await == 0.0).await;
    host.get("/").await.expect_status(200);
}

/// A client that asks and leaves, again and again, must not make the host work for more requests at
/// once than its limit: what the component still does counts.
#[tokio::test]
async fn clients_that_go_away_do_not_evade_the_limit() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).one_shard();
    let host = serve.arg("--max-requests", "2").arg("--database-connections", "8").start().await;
    for _ in 0..6 {
        give_up(&host.url("/sleep?ms=2000"), "GET", Duration::from_millis(150)).await;
    }
    let busy = "select count(*) from pg_stat_activity where datname = current_database() \
                and pid <> pg_backend_pid() and state = 'active' and query like '%pg_sleep%'";
    let busy = database.number(busy).await;
    assert!(busy <= 2, "{busy} statements run for 2 requests at most");
}
