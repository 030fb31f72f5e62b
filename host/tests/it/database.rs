//! The database capability through a component: values, errors, limits, transactions, concurrency.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::client::Client;
use crate::support::database::{Database, number};
use crate::support::host::{Host, Serve};

async fn host() -> (Host, Database) {
    let database = Database::new().await;
    let host = Serve::guest("database").database(&database).one_shard().start().await;
    (host, database)
}

async fn entries(database: &Database) -> i64 {
    database.number("select count(*) from entries").await
}

#[tokio::test]
pub async fn values_of_every_type_cross_unchanged() {
    let (host, _database) = host().await;
    let told = host.get("/values").await.expect_status(200).json();
    let told = told.as_array().expect("a list");
    assert_eq!(told.len(), 16);
    for value in told {
        assert_eq!(value["same"], true, "{value:#}");
        let kind = value["kind"].as_str().expect("a type");
        let kind = kind.strip_suffix("[]").map_or_else(|| kind.to_owned(), |element| format!("_{element}"));
        assert_eq!(value["types"], json!([kind, kind]), "{value:#}");
    }
}

#[tokio::test]
async fn columns_are_known_without_rows() {
    let (host, _database) = host().await;
    let told = host.get("/nothing").await.expect_status(200).json();
    assert_eq!(told, json!({"columns": [["id", "int8"], ["note", "text"]], "rows": 0}));
}

#[tokio::test]
async fn a_prepared_statement_runs_within_a_transaction_and_beside_it() {
    let (host, database) = host().await;
    let told = host.post("/prepared", "").await.expect_status(200).json();
    assert_eq!(told["inserted"], 1);
    assert_eq!(told["within"], "[[Int64(1)]]");
    assert_eq!(told["beside"], "[[Int64(0)]]");
    assert_eq!(told["columns"], json!(["entries"]));
    assert_eq!(told["columns of another shape"], json!([]));
    let refused = told["refused"].as_str().expect("a text");
    assert!(refused.contains("InvalidParameter") && refused.contains("transaction.commit"), "{refused}");
    let counted = [("operation", "query"), ("outcome", "invalid-parameter")];
    assert_eq!(host.metrics().await.value("db_client_operation_duration_seconds_count", &counted), 1.0);
    database.at_rest().await;
    assert_eq!(entries(&database).await, 0, "a transaction that nobody committed");
}

/// As after a migration: the columns of a statement that the instance knows have changed.
#[tokio::test]
async fn a_service_sees_the_columns_of_now() {
    let (host, database) = host().await;
    let names = async || host.get("/star").await.expect_status(200).json();
    assert_eq!(names().await, json!(["id", "note"]));
    database.execute("alter table entries add column seen boolean").await;
    assert_eq!(names().await, json!(["id", "note", "seen"]));
}

#[tokio::test]
async fn a_component_is_told_what_went_wrong() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database);
    let host = serve.arg("--statement-timeout-ms", "200").start().await;
    let started = Instant::now();
    let told = host.get("/errors").await.expect_status(200).json();
    assert!(started.elapsed() < DEADLINE / 3, "{:?}", started.elapsed());
    assert_eq!(told[0], json!({"sqlstate": "23505", "constraint": "entries_note_key", "table": "entries"}));
    assert_eq!(told[1]["sqlstate"], "42703");
    assert!(told[2].as_str().is_some_and(|error| error.starts_with("Conversion")), "{told:#}");
    assert_eq!(told[3], "Timeout");
}

#[tokio::test]
async fn a_result_has_limits() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database);
    let host = serve.arg("--max-rows", "100").arg("--max-result-bytes", "100000").start().await;
    let rows = async |query: &str| host.get(&format!("/rows?{query}")).await.expect_status(200).json();
    assert_eq!(rows("rows=100&bytes=1").await, 100);
    for query in ["rows=101&bytes=1", "rows=2&bytes=90000", "rows=1000000&bytes=10000"] {
        let told = rows(query).await;
        assert!(told.as_str().is_some_and(|error| error.starts_with("Limit")), "{query}: {told:#}");
    }
    assert_eq!(rows("rows=1&bytes=90000").await, 1);
}

#[tokio::test]
async fn what_is_committed_lasts() {
    let (host, database) = host().await;
    host.post("/insert", "").await.expect_status(200);
    host.post("/commit?ms=0", "").await.expect_status(200);
    host.post("/hold?ms=1", "").await.expect_status(200);
    assert_eq!(entries(&database).await, 5);
}

#[tokio::test]
async fn a_transaction_that_is_not_committed_is_rolled_back() {
    let (host, database) = host().await;
    assert_eq!(host.post("/rollback", "").await.expect_status(200).json(), json!({"rolled_back": true}));
    assert_eq!(host.post("/drop", "").await.expect_status(200).json(), json!({"dropped": true}));
    assert_eq!(host.post("/drop-busy", "").await.expect_status(200).json(), json!({"abandoned": true}));
    host.post("/trap", "").await.expect_problem(500, "component-trapped");
    database.at_rest().await;
    assert_eq!(entries(&database).await, 0);
    let metrics = host.metrics().await;
    assert_eq!(metrics.value("db_client_connections", &[("state", "used")]), 0.0, "{}", metrics.text);
    assert_eq!(metrics.value("db_client_connections", &[("state", "transaction")]), 0.0);
    host.post("/insert", "").await.expect_status(200);
    assert_eq!(entries(&database).await, 1);
}

/// The capability in one question: a connection that was left in the middle of something would show.
#[tokio::test]
async fn one_connection_survives_every_way_to_leave_it() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).one_shard();
    let host = serve.arg("--database-connections", "1").start().await;
    for round in 0..3 {
        for path in ["/drop", "/drop-busy", "/rollback", "/trap", "/commit?ms=1"] {
            let answer = host.post(path, "").await;
            let status = if path == "/trap" { 500 } else { 200 };
            assert_eq!(answer.status, status, "{round} {path}: {answer:?}");
        }
    }
    database.at_rest().await;
    assert_eq!(entries(&database).await, 6);
}

#[tokio::test]
async fn a_request_that_waits_for_postgres_does_not_hold_up_its_instance() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).one_shard();
    let host = serve.arg("--statement-timeout-ms", "30000").start().await;
    let instance = |answer: Value| answer["instance"].as_u64().expect("a number");
    let warm = instance(host.get("/instance").await.json());
    let mut lock = database.connect().await;
    number(&mut lock, "select 1 from pg_advisory_lock(1)").await;
    let client = Client::keep_alive();
    let (url, waiting) = (host.url("/lock"), client.clone());
    let waiting = tokio::spawn(async move { waiting.get(url).await });
    database.sessions_reach(1, "active").await;
    for _ in 0..20 {
        let answer = client.get(host.url("/instance")).await.expect_status(200);
        assert_eq!(instance(answer.json()), warm, "another instance was needed");
    }
    assert!(!waiting.is_finished());
    number(&mut lock, "select 1 from pg_advisory_unlock(1)").await;
    assert_eq!(instance(waiting.await.expect("no panic").expect_status(200).json()), warm);
}

#[tokio::test]
async fn requests_wait_for_a_connection_but_not_for_ever() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).one_shard();
    let serve = serve.arg("--database-connections", "2").arg("--database-wait-ms", "1000");
    let host = serve.arg("--statement-timeout-ms", "30000").start().await;
    let client = Client::keep_alive();
    let queued = (0..8).map(|_| client.get(host.url("/sleep?ms=20")));
    for answer in futures_util::future::join_all(queued).await {
        answer.expect_status(200);
    }
    let mut lock = database.connect().await;
    number(&mut lock, "select 1 from pg_advisory_lock(1)").await;
    let (url, waiting) = (host.url("/lock"), client.clone());
    let two = futures_util::future::join_all([waiting.get(&url), waiting.get(&url)]);
    let (two, ()) = tokio::join!(two, async {
        database.sessions_reach(2, "active").await;
        let refused = client.get(host.url("/count")).await;
        refused.expect_problem(503, "database-unavailable");
        assert!(refused.header("retry-after").is_some());
        number(&mut lock, "select 1 from pg_advisory_unlock(1)").await;
    });
    for answer in two {
        answer.expect_status(200);
    }
}
