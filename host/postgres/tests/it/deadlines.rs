//! Deadlines: the server's, and the host's for a server that says nothing.

use std::time::{Duration, Instant};

use comptoir_postgres::{Error, Isolation, Options, Pool, Value};

use crate::support::{admin, at_rest, backend, eventually, only, options, run, schema, sessions, single};
use crate::wire::Proxy;

#[tokio::test]
async fn the_server_cancels_a_statement_and_the_connection_goes_on() {
    let statement_timeout = Duration::from_millis(100);
    let pool = Pool::new(Options { statement_timeout, ..single("deadlines_server").await });
    let first = backend(&pool).await;
    let start = Instant::now();
    assert_eq!(pool.query("select pg_sleep(10)", vec![]).await, Err(Error::Timeout));
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(backend(&pool).await, first);
}

#[tokio::test]
async fn in_a_transaction_it_fails_the_transaction() {
    schema("create table overdue (n int)").await;
    let statement_timeout = Duration::from_millis(100);
    let pool = Pool::new(Options { statement_timeout, ..single("deadlines_transaction").await });
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.execute("insert into overdue values (1)", vec![]).await.unwrap();
    assert_eq!(transaction.query("select pg_sleep(10)", vec![]).await, Err(Error::Timeout));
    let commit = transaction.commit().await;
    assert!(matches!(commit, Err(Error::Database(error)) if error.sqlstate == "25P02"));
    assert_eq!(only(pool.query("select count(*) from overdue", vec![]).await.unwrap()), Value::Int64(0));
}

/// Each of its statements is quick, and still it holds a connection and locks.
#[tokio::test]
async fn a_transaction_that_goes_on_and_on_is_rolled_back() {
    schema("create table lasting (n int)").await;
    let transaction_timeout = Duration::from_secs(1);
    let pool = Pool::new(Options { transaction_timeout, ..single("deadlines_lasting").await });
    let insert = "insert into lasting values (1)";
    let start = Instant::now();
    let lasting = pool.begin(Isolation::default()).await.unwrap();
    let mut statements = 0;
    let error = loop {
        match lasting.execute(insert, vec![]).await {
            Ok(_) => statements += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Timeout);
    assert!(statements > 0 && start.elapsed() >= transaction_timeout);
    assert!(lasting.commit().await.is_err());
    // One that does nothing more may not make its work last either.
    let waiting = pool.begin(Isolation::default()).await.unwrap();
    waiting.execute(insert, vec![]).await.unwrap();
    tokio::time::sleep(transaction_timeout).await;
    assert_eq!(waiting.commit().await, Err(Error::Timeout));
    assert_eq!(only(pool.query("select count(*) from lasting", vec![]).await.unwrap()), Value::Int64(0));
}

/// A component may switch the server's deadline off for a transaction. The host has its own.
#[tokio::test]
async fn the_host_gives_up_a_second_later_and_the_server_notices() {
    let statement_timeout = Duration::from_millis(100);
    let pool = Pool::new(Options { statement_timeout, ..single("deadlines_host").await });
    let transaction = pool.begin(Isolation::default()).await.unwrap();
    transaction.query("select set_config('statement_timeout', '0', true)", vec![]).await.unwrap();
    let start = Instant::now();
    assert_eq!(transaction.query("select pg_sleep(60)", vec![]).await, Err(Error::Timeout));
    assert!((1000..3000).contains(&start.elapsed().as_millis()));
    assert!(matches!(transaction.query("select 1", vec![]).await, Err(Error::Unavailable(_))));
    drop(transaction);
    assert!(pool.query("select 1", vec![]).await.is_ok());
    let mut admin = admin().await;
    eventually("the server stops the statement", async || sessions(&mut admin, "deadlines_host", "active").await == 0)
        .await;
}

#[tokio::test]
async fn a_server_that_falls_silent_costs_its_connection() {
    let proxy = Proxy::start().await;
    let connect = proxy.database().await.application_name("deadlines_silent");
    let (statement_timeout, acquire_timeout) = (Duration::from_millis(100), Duration::from_millis(300));
    let pool = Pool::new(Options { connect, statement_timeout, acquire_timeout, ..single("").await });
    let first = backend(&pool).await;
    proxy.fall_silent(true);
    assert_eq!(pool.query("select 1", vec![]).await, Err(Error::Timeout));
    assert_eq!((pool.status().idle, pool.status().in_use), (0, 0));
    let connecting = pool.query("select 1", vec![]).await;
    assert_eq!(connecting, Err(Error::Unavailable("cannot connect to the database within 300 ms".into())));
    assert!(pool.ping().await.is_err());
    proxy.fall_silent(false);
    assert_ne!(backend(&pool).await, first);
    at_rest(&pool).await;
}

/// Nobody waits for the statement any more, so its backend stops and its connection is free soon.
#[tokio::test]
async fn a_cancelled_statement_stops_on_the_server() {
    let pool = Pool::new(options("deadlines_cancelled").await);
    let cancelled = tokio::time::timeout(Duration::from_millis(100), pool.query("select pg_sleep(60)", vec![])).await;
    assert!(cancelled.is_err());
    assert_eq!(pool.status().in_use, 1);
    let start = Instant::now();
    at_rest(&pool).await;
    let mut admin = admin().await;
    eventually("the server stops the statement", async || {
        sessions(&mut admin, "deadlines_cancelled", "active").await == 0
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    run(&mut admin, "select 1").await.unwrap();
}
