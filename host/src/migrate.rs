//! Applies a component's migrations to its database: under an advisory lock, because replicas start
//! together; each step in a transaction of its own, with the record that it ran. The lock is kept until
//! the version serves, so that replicas which share nothing but a database switch one after another.

use std::time::Duration;

use comptoir_postgres::PgConnectOptions;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio_util::task::AbortOnDropHandle;

use crate::bindings::exports::comptoir::service::lifecycle::Migration;
use crate::component::hex;

/// "comptoir" in ASCII: one lock per database.
const LOCK: i64 = 0x636f_6d70_746f_6972;

/// A server that takes connections and says nothing must not hold up the swaps that come after.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// SQLSTATE `lock_not_available`.
const LOCK_TIMEOUT: &str = "55P03";

const SESSION: &str = "set lock_timeout = '30s'; set statement_timeout = '5min'; set client_min_messages = warning";

const CREATE_RECORD: &str = "create table if not exists comptoir_migrations (
    version integer constraint comptoir_migrations_pkey primary key,
    name text not null,
    digest text not null,
    applied_at timestamptz not null default now()
)";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("migrations count up from 1 without a gap: expected version {expected}, found {found} (`{name}`)")]
    Gap { expected: u32, found: u32, name: String },
    #[error(
        "migration {version} (`{name}`) was changed after it ran (then {applied}, now {given}): \
         put it back as it was and add a new one"
    )]
    Changed { version: u32, name: String, applied: String, given: String },
    #[error("migration {version} (`{name}`) failed and was rolled back, correct the step and build again")]
    Failed { version: u32, name: String, source: sqlx::Error },
    #[error("the database gave no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    NoAnswer,
    #[error(
        "another replica has been bringing a version into service for 30 s: its admin port says how far it is; \
         try again when it is done, and restart it if it stands still"
    )]
    Locked,
    #[error("cannot prepare the database for migrations")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Whether the same step may succeed later: the database is away, or a lock was not had in time.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) | Self::Failed { source: error, .. } => is_transient(error),
            Self::NoAnswer | Self::Locked => true,
            Self::Gap { .. } | Self::Changed { .. } => false,
        }
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        // 08 connection, 53 resources, 55P03 lock not available, 57P shutdown and start.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| ["08", "53", LOCK_TIMEOUT, "57P"].iter().any(|class| code.starts_with(class))),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// A connection that is being opened, while the component that may need it is read: each takes its time.
#[derive(Debug)]
pub struct Connecting {
    options: PgConnectOptions,
    early: AbortOnDropHandle<Result<PgConnection, Error>>,
}

impl Connecting {
    pub fn to(options: &PgConnectOptions) -> Self {
        let options = options.clone().disable_statement_logging();
        let opening = options.clone();
        let early = AbortOnDropHandle::new(tokio::spawn(async move { open(&opening).await }));
        Self { options, early }
    }

    /// Ready for migrations. To compile a component takes seconds, in which a database may go and come: what was
    /// opened before is then replaced. Whoever did not answer in time is not asked again.
    async fn connection(self) -> Result<PgConnection, Error> {
        let early = self.early.await.unwrap_or_else(|error| Err(Error::Database(sqlx::Error::Io(error.into()))));
        let ready = match early {
            Ok(connection) => prepared(connection).await,
            Err(error) => Err(error),
        };
        match ready {
            Err(Error::Database(error)) if is_transient(&error) => prepared(open(&self.options).await?).await,
            ready => ready,
        }
    }
}

async fn open(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await;
    Ok(connecting.map_err(|_| Error::NoAnswer)??)
}

async fn prepared(mut connection: PgConnection) -> Result<PgConnection, Error> {
    sqlx::raw_sql(SESSION).execute(&mut connection).await?;
    Ok(connection)
}

/// How many steps there were to apply, and what keeps other replicas from switching until it is released.
#[derive(Debug, Default)]
pub struct Applied {
    pub steps: usize,
    pub lock: Lock,
}

/// Held by a session: it ends with its connection, whatever happens. None without migrations.
#[derive(Debug, Default)]
pub struct Lock(Option<PgConnection>);

impl Lock {
    pub async fn release(self) {
        if let Some(connection) = self.0
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection of the migrations was lost before it was closed");
        }
    }
}

/// Applies what is missing. A database that is ahead of the component is fine: steps only expand.
pub async fn apply(connecting: Connecting, migrations: &[Migration]) -> Result<Applied, Error> {
    for (expected, migration) in (1..).zip(migrations) {
        if migration.version != expected {
            return Err(Error::Gap { expected, found: migration.version, name: migration.name.clone() });
        }
    }
    if migrations.is_empty() {
        return Ok(Applied::default());
    }
    let mut connection = connecting.connection().await?;
    let locked = sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await;
    locked.map_err(|error| match error {
        sqlx::Error::Database(error) if error.code().as_deref() == Some(LOCK_TIMEOUT) => Error::Locked,
        error => Error::Database(error),
    })?;
    let steps = apply_missing(&mut connection, migrations).await?;
    Ok(Applied { steps, lock: Lock(Some(connection)) })
}

async fn apply_missing(connection: &mut PgConnection, migrations: &[Migration]) -> Result<usize, Error> {
    sqlx::raw_sql(CREATE_RECORD).execute(&mut *connection).await?;
    let rows = sqlx::query("select version, digest from comptoir_migrations order by version")
        .fetch_all(&mut *connection)
        .await?;
    let mut done = std::collections::BTreeMap::new();
    for row in rows {
        done.insert(row.try_get::<i32, _>("version")?, row.try_get::<String, _>("digest")?);
    }
    let mut applied = 0;
    for migration in migrations {
        let digest = hex(&Sha256::digest(&migration.sql));
        match i32::try_from(migration.version).ok().and_then(|version| done.get(&version)) {
            Some(known) if *known == digest => {}
            Some(known) => {
                return Err(Error::Changed {
                    version: migration.version,
                    name: migration.name.clone(),
                    applied: known.chars().take(12).collect(),
                    given: digest.chars().take(12).collect(),
                });
            }
            None => {
                apply_one(connection, migration, &digest).await.map_err(|source| Error::Failed {
                    version: migration.version,
                    name: migration.name.clone(),
                    source,
                })?;
                applied += 1;
            }
        }
    }
    Ok(applied)
}

async fn apply_one(connection: &mut PgConnection, migration: &Migration, digest: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // The statements are the component's own, run in its own database with its own role.
    sqlx::raw_sql(AssertSqlSafe(migration.sql.clone())).execute(&mut *transaction).await?;
    sqlx::query("insert into comptoir_migrations (version, name, digest) values ($1, $2, $3)")
        .bind(i64::from(migration.version))
        .bind(&migration.name)
        .bind(digest)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    /// The database was restarted while the component was compiled.
    #[tokio::test]
    async fn a_connection_that_was_lost_before_it_was_needed_is_opened_again() {
        let server = std::env::var("COMPTOIR_TEST_POSTGRES").expect("`make test` sets COMPTOIR_TEST_POSTGRES");
        let name = format!("comptoir migrations {}", std::process::id());
        let options = PgConnectOptions::from_str(&server).unwrap().application_name(&name);
        let mut connecting = Connecting::to(&options);
        let opened = (&mut connecting.early).await.unwrap().unwrap();
        let mut beside = PgConnection::connect_with(&PgConnectOptions::from_str(&server).unwrap()).await.unwrap();
        let ended = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1";
        let ended: Vec<bool> = sqlx::query_scalar(ended).bind(&name).fetch_all(&mut beside).await.unwrap();
        assert_eq!(ended, [true]);
        connecting.early = AbortOnDropHandle::new(tokio::spawn(async { Ok(opened) }));
        let mut connection = connecting.connection().await.unwrap();
        let timeout: String = sqlx::query_scalar("show lock_timeout").fetch_one(&mut connection).await.unwrap();
        assert_eq!(timeout, "30s");
    }
}
