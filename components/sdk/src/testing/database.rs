//! A database for one test: made from scratch by the service's own migrations, gone afterwards.

use crate::backend::Database;
use crate::{Db, Migration};
use comptoir_postgres::{Isolation, Options, PgConnectOptions, Pool};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::env;
use std::thread;
use std::time::Duration;

/// Where tests find a server: `postgres://user@host:port/postgres`, of a role that may create databases.
const VARIABLE: &str = "COMPTOIR_TEST_POSTGRES";

/// How long a connection may take: a machine that runs many tests at once is slower than a host lets it be.
const PATIENCE: Duration = Duration::from_secs(15);

/// A database that nobody else has. Dropping it drops it.
#[derive(Debug)]
pub struct TestDatabase {
    db: Db,
    pool: Pool,
    name: String,
    admin: PgConnectOptions,
}

impl TestDatabase {
    /// Creates a database and runs the migrations, in their order.
    ///
    /// # Panics
    /// When there is no server, when a migration fails, or when versions do not count up from 1.
    pub async fn new(migrations: &[Migration]) -> Self {
        let url = env::var(VARIABLE).unwrap_or_else(|_| {
            panic!(
                "{VARIABLE} is not set, and this test needs a PostgreSQL server: run `make test`, \
                 or: comptoir postgres -- cargo test"
            )
        });
        let admin: PgConnectOptions =
            url.parse().unwrap_or_else(|err| panic!("{VARIABLE} is no connection URL: {err}"));
        let admin = admin.disable_statement_logging();
        let name = format!("test_{:016x}", crate::backend::random_u64());
        run(&admin, &format!("create database {name}")).await;
        let options = admin.clone().database(&name);
        migrate(&options, migrations).await;
        let pool = Pool::new(Options { acquire_timeout: PATIENCE, ..Options::new(options) });
        let db = Db::from_backend(Database::new(pool.clone()));
        TestDatabase { db, pool, name, admin }
    }

    /// Opens as many connections as there may be transactions. To be called before a race: else the first
    /// request has the only connection, and is through before another one is there. One after the other: a
    /// busy machine takes long to open all at one moment.
    ///
    /// # Panics
    /// When one cannot be had.
    pub async fn warm_up(&self) {
        let mut held = Vec::new();
        for _ in 0..Options::new(self.admin.clone()).max_open_transactions {
            held.push(self.pool.begin(Isolation::default()).await.expect("a connection"));
        }
        for transaction in held {
            transaction.rollback().await.expect("a connection that was just opened");
        }
    }

    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// For statements that a service may not run: `create trigger`, `set`.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub async fn administer(&self, sql: &str) {
        run(&self.admin.clone().database(&self.name), sql).await;
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, because the test's runtime may be the one that drops this.
    fn drop(&mut self) {
        let admin = self.admin.clone();
        let statement = format!("drop database if exists {} with (force)", self.name);
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(sqlx::Error::Io)?.block_on(async {
                let mut connection = admin.connect().await?;
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
                connection.close().await
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the test database {} was left behind", self.name);
        }
    }
}

/// Each step in a transaction of its own, as the host does it.
async fn migrate(options: &PgConnectOptions, migrations: &[Migration]) {
    let mut connection = connect(options).await;
    for (migration, expected) in migrations.iter().zip(1..) {
        let Migration { version, name, sql } = migration;
        assert_eq!(*version, expected, "the version of the migration {name:?}");
        let mut tx = connection.begin().await.expect("a transaction for a migration");
        let result = sqlx::raw_sql(*sql).execute(&mut *tx).await;
        result.unwrap_or_else(|err| panic!("migration {version}, {name:?}: {err}"));
        tx.commit().await.unwrap_or_else(|err| panic!("migration {version}, {name:?}: {err}"));
    }
    connection.close().await.expect("an orderly end");
}

async fn run(options: &PgConnectOptions, sql: &str) {
    let mut connection = connect(options).await;
    let result = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    result.unwrap_or_else(|err| panic!("{sql}: {err}"));
    connection.close().await.expect("an orderly end");
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.unwrap_or_else(|err| panic!("no connection with {VARIABLE}: {err}"))
}
