//! Databases for tests, each one's own.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::OnceCell;

use super::eventually;

/// Before the name of every database that these tests create.
const PREFIX: &str = "comptoir_host_test_";

fn server() -> String {
    std::env::var("COMPTOIR_TEST_POSTGRES").expect(
        "COMPTOIR_TEST_POSTGRES is not set: run `make test`, or: comptoir postgres -- cargo test --release -p comptoir",
    )
}

/// A new database, without a table.
pub struct Database {
    name: String,
    options: PgConnectOptions,
}

impl Database {
    pub async fn new() -> Self {
        static CLEANED: OnceCell<()> = OnceCell::const_new();
        let options = PgConnectOptions::from_str(&server()).expect("a URL").ssl_mode(PgSslMode::Disable);
        let mut connection = PgConnection::connect_with(&options).await.expect("the Postgres for tests answers");
        CLEANED.get_or_init(|| clean(options.clone())).await;
        let name = format!("{PREFIX}{}", uuid::Uuid::now_v7().simple());
        run(&mut connection, &format!("create database {name}")).await;
        Self { options: options.database(&name), name }
    }

    pub fn url(&self) -> String {
        self.url_through(&self.address())
    }

    /// The same database where something else leads to it.
    pub fn url_through(&self, address: &str) -> String {
        let server = server();
        let (user, _) = server.rsplit_once('@').expect("postgres://user@host:port/database");
        format!("{user}@{address}/{}?sslmode=disable", self.name)
    }

    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Host and port of its server.
    pub fn address(&self) -> String {
        format!("{}:{}", self.options.get_host(), self.options.get_port())
    }

    /// A connection beside the host's.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options).await.expect("the Postgres for tests answers")
    }

    pub async fn execute(&self, sql: &str) {
        run(&mut self.connect().await, sql).await;
    }

    /// The only number that a query gives.
    pub async fn number(&self, sql: &str) -> i64 {
        number(&mut self.connect().await, sql).await
    }

    /// Waits until no connection of the hosts is in the middle of anything.
    pub async fn at_rest(&self) {
        let mut connection = self.connect().await;
        eventually("no connection is in a transaction or runs a statement", async || {
            number(
                &mut connection,
                "select count(*) from pg_stat_activity where datname = current_database() \
                 and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'",
            )
            .await
                == 0
        })
        .await;
    }

    /// Waits until connections of hosts are in a state like this; `idle in transaction`, `active`.
    pub async fn sessions_reach(&self, count: i64, state: &str) {
        let mut connection = self.connect().await;
        let sql = format!(
            "select count(*) from pg_stat_activity where datname = current_database() \
             and pid <> pg_backend_pid() and application_name like 'comptoir %' and state = '{state}'"
        );
        eventually(&format!("{count} connection(s) {state}"), async || number(&mut connection, &sql).await == count)
            .await;
    }
}

/// The only number that a query gives, on this connection.
pub async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    // Whatever kind of number it is.
    let sql = format!("select n::int8 from ({sql}) as query (n)");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.expect("a number")
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.expect("an acceptable statement");
}

/// Databases of earlier runs; nobody can drop the one that it is connected to when it exits.
async fn clean(options: PgConnectOptions) {
    let mut connection = PgConnection::connect_with(&options).await.expect("the Postgres for tests answers");
    let old: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database where datname like $1 || '%' \
         and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < now() - interval '10 minutes' \
         and not exists (select from pg_stat_activity where datid = pg_database.oid)",
    )
    .bind(PREFIX)
    .fetch_all(&mut connection)
    .await
    .expect("the databases");
    for name in old {
        // Another run may be doing the same.
        _ = sqlx::raw_sql(AssertSqlSafe(format!("drop database if exists {name}"))).execute(&mut connection).await;
    }
}
