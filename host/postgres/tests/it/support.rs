//! A fresh database for the run, pools on it, and waiting for conditions.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use comptoir_postgres::{Options, PgConnectOptions, Pool, Rows, Value};
use sqlx::postgres::PgSslMode;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::sync::OnceCell;

/// Before the name of every database that these tests create.
const PREFIX: &str = "comptoir_postgres_test_";

/// The server to test on, as its superuser.
fn server() -> PgConnectOptions {
    let url = std::env::var("COMPTOIR_TEST_POSTGRES").expect(
        "COMPTOIR_TEST_POSTGRES is not set: run `make test`, or set it to the URL of a superuser, \
         as in postgres://postgres@127.0.0.1:5432/postgres",
    );
    let options = PgConnectOptions::from_str(&url).expect("COMPTOIR_TEST_POSTGRES is a URL");
    options.ssl_mode(PgSslMode::Disable)
}

static DATABASE: OnceCell<String> = OnceCell::const_new();

/// How to connect to the database of this run, created when it is first asked for.
pub async fn database() -> PgConnectOptions {
    let name = DATABASE.get_or_init(create).await;
    server().database(name)
}

async fn create() -> String {
    let mut server = PgConnection::connect_with(&server()).await.expect("the server of COMPTOIR_TEST_POSTGRES answers");
    // Those of earlier runs; nobody can drop the database that it is connected to when it exits.
    let old: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database where datname like $1 || '%' \
         and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < now() - interval '15 minutes' \
         and not exists (select from pg_stat_activity where datid = pg_database.oid)",
    )
    .bind(PREFIX)
    .fetch_all(&mut server)
    .await
    .unwrap();
    for name in old {
        let _ = run(&mut server, &format!("drop database if exists {name}")).await;
    }
    let name = format!("{PREFIX}{}", uuid::Uuid::now_v7().simple());
    run(&mut server, &format!("create database {name}")).await.unwrap();
    name
}

/// Statements of which the pool would refuse most.
pub async fn run(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}

/// A connection beside the pool.
pub async fn admin() -> PgConnection {
    PgConnection::connect_with(&database().await).await.unwrap()
}

/// A schema beside the pool.
pub async fn schema(sql: &str) {
    run(&mut admin().await, sql).await.unwrap();
}

/// The defaults, but fewer connections, and an application name to recognize them by.
pub async fn options(name: &str) -> Options {
    let options = Options::new(database().await.application_name(name));
    Options { max_connections: 4, ..options }
}

/// The same with one connection, so that every statement runs on what the one before left.
pub async fn single(name: &str) -> Options {
    Options { max_connections: 1, ..options(name).await }
}

/// The only value of the only row.
pub fn only(rows: Rows) -> Value {
    let [row] = <[_; 1]>::try_from(rows.rows).expect("one row");
    let [value] = <[_; 1]>::try_from(row).expect("one column");
    value
}

/// The server's number for the connection.
pub async fn backend(pool: &Pool) -> Value {
    only(pool.query("select pg_backend_pid()", vec![]).await.unwrap())
}

/// How many connections of this name the server has in a state like this.
pub async fn sessions(admin: &mut PgConnection, name: &str, state: &str) -> i64 {
    sqlx::query("select count(*) from pg_stat_activity where datname = current_database() and application_name = $1 and state like $2")
        .bind(name)
        .bind(state)
        .fetch_one(admin)
        .await
        .unwrap()
        .get(0)
}

/// Waits until `condition` holds; fails after ten seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(10), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until nobody has a connection.
pub async fn at_rest(pool: &Pool) {
    eventually("every connection is back", async || {
        let status = pool.status();
        status.in_use == 0 && status.waiting == 0 && status.open_transactions == 0
    })
    .await;
}
