//! Postgres goes away and comes back: 503 problem documents meanwhile, and no restart of the host.

use std::time::Instant;

use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::proxy::Proxy;
use crate::support::{DEADLINE, eventually, guest};

async fn behind(proxy: &Proxy, database: &Database, guest: &str) -> Host {
    let url = database.url_through(&proxy.address.to_string());
    let serve = Serve::guest(guest).arg("--database-url", url).arg("--database-wait-ms", "500");
    serve.start().await
}

#[tokio::test]
pub async fn postgres_goes_away_and_comes_back() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    proxy.connect();
    let host = behind(&proxy, &database, "database").await;
    for _ in 0..2 {
        host.post("/commit?ms=0", "").await.expect_status(200);
        assert_eq!(host.admin("/ready").await.status, 200);
        proxy.cut();
        for path in ["/insert", "/commit?ms=0", "/insert"] {
            let started = Instant::now();
            let answer = host.post(path, "").await;
            answer.expect_problem(503, "database-unavailable");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            assert!(started.elapsed() < DEADLINE / 4, "{path} took {:?}", started.elapsed());
            assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
        }
        let ready = host.admin("/ready").await.expect_status(503).json();
        assert!(ready["waiting"][0]["reason"].as_str().is_some_and(|reason| reason.contains("database")), "{ready:#}");
        host.admin("/live").await.expect_status(200);
        host.get("/instance").await.expect_status(200);
        proxy.connect();
        eventually("the database is used again", async || host.post("/insert", "").await.status == 200).await;
    }
    assert_eq!(host.generation().await, 1);
}

#[tokio::test]
async fn a_statement_in_the_middle_of_an_outage_fails_as_unavailable() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    proxy.connect();
    let host = behind(&proxy, &database, "database").await;
    let (busy, cut) = tokio::join!(host.get("/sleep?ms=20000"), async {
        database.sessions_reach(1, "active").await;
        proxy.cut();
    });
    busy.expect_problem(503, "database-unavailable");
    let () = cut;
    proxy.connect();
    eventually("the database is used again", async || host.get("/sleep?ms=0").await.status == 200).await;
}

/// A network that swallows everything: every request still has an end.
#[tokio::test]
async fn a_postgres_that_says_nothing_is_given_up() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    proxy.connect();
    let url = database.url_through(&proxy.address.to_string());
    let serve = Serve::guest("database").arg("--database-url", url).one_shard();
    let serve = serve.arg("--database-connections", "2").arg("--database-wait-ms", "300");
    let host = serve.arg("--statement-timeout-ms", "300").start().await;
    host.get("/sleep?ms=0").await.expect_status(200);
    proxy.stall();
    let started = Instant::now();
    for path in ["/sleep?ms=0", "/sleep?ms=0", "/sleep?ms=0"] {
        host.get(path).await.expect_problem(503, "database-unavailable");
    }
    host.post("/commit?ms=0", "").await.expect_problem(503, "database-unavailable");
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
    host.get("/instance").await.expect_status(200);
    proxy.connect();
    eventually("the database is used again", async || host.get("/sleep?ms=0").await.status == 200).await;
}

/// Busy is not broken: an orchestrator that thinks so would restart it under load.
#[tokio::test]
async fn a_host_whose_connections_are_all_in_use_is_ready() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    proxy.connect();
    let url = database.url_through(&proxy.address.to_string());
    let serve = Serve::guest("database").arg("--database-url", url).one_shard();
    let host = serve.arg("--database-connections", "2").arg("--database-wait-ms", "300").start().await;
    let (one, two, ()) = tokio::join!(host.get("/sleep?ms=2000"), host.get("/sleep?ms=2000"), async {
        database.sessions_reach(2, "active").await;
        host.get("/sleep?ms=1").await.expect_problem(503, "database-unavailable");
        host.admin("/ready").await.expect_status(200);
        database.sessions_reach(2, "active").await;
    });
    one.expect_status(200);
    two.expect_status(200);
    // And broken is broken, also when it is busy.
    let (_, ()) = tokio::join!(host.get("/sleep?ms=2000"), async {
        database.sessions_reach(1, "active").await;
        proxy.stall();
        host.admin("/ready").await.expect_status(503);
    });
}

/// The old version needs no migration; the new one waits for its own, by itself.
#[tokio::test]
async fn a_new_version_waits_for_postgres_while_the_old_one_serves() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    proxy.connect();
    let url = database.url_through(&proxy.address.to_string());
    let host = Serve::guest("migrated").arg("--database-url", url).admin_token().start().await;
    proxy.cut();
    // Whoever asked for it is told to try again; a file is tried again.
    let answer = host.put(&guest::bytes("migrated-more")).await.expect_status(503).json();
    assert_eq!(answer["stage"], "migrate", "{answer:#}");
    host.replace_file(&guest::bytes("migrated-more"));
    let refusals = async || {
        let labels = [("outcome", "refused"), ("stage", "migrate")];
        host.metrics().await.value("component_swaps_total", &labels)
    };
    eventually("the file was tried", async || refusals().await >= 2.0).await;
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
    proxy.connect();
    eventually("the new version serves", async || host.get("/hello").await.json()["version"] == 2).await;
}

#[tokio::test]
async fn connections_that_the_server_ended_are_not_noticed_by_clients() {
    let database = Database::new().await;
    let host = Serve::guest("database").database(&database).start().await;
    for _ in 0..3 {
        host.get("/sleep?ms=1").await.expect_status(200);
        database
            .execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() \
                 and application_name like 'comptoir %'",
            )
            .await;
        database.sessions_reach(0, "idle").await;
        host.get("/sleep?ms=1").await.expect_status(200);
    }
}

#[tokio::test]
async fn a_host_starts_without_postgres_and_becomes_ready_by_itself() {
    let database = Database::new().await;
    let mut proxy = Proxy::new(database.address());
    let host = behind(&proxy, &database, "migrated").await;
    host.admin("/live").await.expect_status(200);
    let ready = host.admin("/ready").await.expect_status(503).json();
    assert_eq!(ready["ready"], false, "{ready:#}");
    let answer = host.get("/hello").await;
    answer.expect_problem(503, "service-not-ready");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.header("x-served-by"), Some("migrated"));
    assert_eq!(host.component().await["last_refusal"]["stage"], "migrate");

    proxy.connect();
    eventually("the host is ready", async || host.admin("/ready").await.status == 200).await;
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
    assert_eq!(database.number("select count(*) from notes").await, 1);
}
