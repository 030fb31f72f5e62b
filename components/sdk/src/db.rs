//! The service's database: statements, transactions, rows. No address, no user, no password; the
//! host owns the connections.

mod convert;
mod error;
mod row;
pub(crate) mod wire;

pub use convert::{FromValue, Numeric, ToValue};
pub use error::{DbError, OnConstraint, RetryClass};
pub use row::{FromRow, Row, Rows};
pub use wire::{Column, Isolation, Value};

use crate::{backend, log};
use std::sync::Arc;
use std::time::Duration;

/// How often a transaction is tried that PostgreSQL asks to run again.
const ATTEMPTS_MAX: u32 = 5;

/// What the pause before the second attempt is drawn up to; it doubles with every further one.
const BACKOFF_MS: u64 = 10;

/// What runs statements: [`Db`], each in a transaction of its own, or [`Tx`].
pub trait Executor: Send + Sync {
    /// Runs one statement. Low level: rows as they come.
    fn query_values(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<Rows, DbError>> + Send;

    /// Runs one statement whose rows do not matter; the number of affected rows.
    fn execute(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<u64, DbError>> + Send;

    /// Every row.
    fn query<T: FromRow>(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<Vec<T>, DbError>> + Send {
        async move { self.query_values(sql, params).await?.decode() }
    }

    /// The only row, if there is one. More than one is [`DbError::Unexpected`].
    fn query_opt<T: FromRow>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Option<T>, DbError>> + Send {
        async move {
            let rows = self.query_values(sql, params).await?;
            if rows.rows.len() > 1 {
                return Err(unexpected_count(rows.rows.len()));
            }
            Ok(rows.decode()?.pop())
        }
    }

    /// The only row. Any other number is [`DbError::Unexpected`].
    fn query_one<T: FromRow>(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<T, DbError>> + Send {
        async move { self.query_opt(sql, params).await?.ok_or_else(|| unexpected_count(0)) }
    }
}

fn unexpected_count(count: usize) -> DbError {
    DbError::Unexpected(format!("expected one row, found {count}"))
}

/// The service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db(backend::Database);

impl Db {
    pub(crate) fn from_host() -> Self {
        Db(backend::Database::from_host())
    }

    #[cfg(all(feature = "testing", not(target_family = "wasm")))]
    pub(crate) fn from_backend(database: backend::Database) -> Self {
        Db(database)
    }

    /// How often the database was asked something so far, by whoever has a clone of this.
    #[cfg(all(feature = "testing", not(target_family = "wasm")))]
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.0.round_trips()
    }

    /// [`Db::transaction_with`] the isolation that PostgreSQL defaults to, read committed.
    ///
    /// # Errors
    /// As [`Db::transaction_with`].
    pub async fn transaction<T, E, F, Fut>(&self, f: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<DbError> + RetryClass,
    {
        self.transaction_with(Isolation::ReadCommitted, f).await
    }

    /// Runs `f` in a transaction and commits; whatever `f` fails with rolls back. When PostgreSQL
    /// asks for it (SQLSTATE 40001, 40P01) the whole is run again, up to five times, with growing
    /// random pauses: `f` has no effect outside of the database.
    ///
    /// # Errors
    /// What `f` failed with, or that the transaction could not be begun or committed. A connection
    /// that is lost during the commit leaves open whether it took effect.
    pub async fn transaction_with<T, E, F, Fut>(&self, isolation: Isolation, f: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<DbError> + RetryClass,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(isolation, &f).await {
                Err(err) if attempt < ATTEMPTS_MAX && err.is_retryable() => {}
                result => return result,
            }
            backend::sleep(pause_after(attempt)).await;
            attempt += 1;
        }
    }

    async fn attempt<T, E, F, Fut>(&self, isolation: Isolation, f: &F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<DbError>,
    {
        let tx = self.0.begin(isolation).await.map_err(refused_to_begin)?;
        let tx = Tx(Arc::new(tx));
        let result = f(tx.clone()).await;
        match (result, Arc::into_inner(tx.0)) {
            (Ok(value), Some(tx)) => {
                tx.commit().await.map_err(DbError::from)?;
                Ok(value)
            }
            // Whoever drops the last handle rolls back.
            (Ok(_), None) => {
                let text = "a handle of the transaction outlived the closure that was given it";
                Err(DbError::Unexpected(text.to_owned()).into())
            }
            (Err(err), None) => Err(err),
            (Err(err), Some(tx)) => {
                if let Err(reason) = tx.rollback().await.map_err(DbError::from) {
                    log::warn!("a transaction was not rolled back in order", reason = reason);
                }
                Err(err)
            }
        }
    }
}

/// A limit that is met before any statement ran is one on open transactions: load that passes, and
/// not a statement that asks for too much.
fn refused_to_begin(err: wire::Error) -> DbError {
    match err {
        wire::Error::Limit(reason) => DbError::Unavailable(reason),
        other => other.into(),
    }
}

/// Full jitter: anything up to the bound, so that those who collided do not meet again.
fn pause_after(attempt: u32) -> Duration {
    let bound_us = (BACKOFF_MS * 1_000) << (attempt.min(ATTEMPTS_MAX) - 1);
    Duration::from_micros(backend::random_u64() % bound_us)
}

impl Executor for Db {
    async fn query_values(&self, sql: &str, params: Vec<Value>) -> Result<Rows, DbError> {
        Ok(self.0.query(sql, params).await?)
    }

    async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<u64, DbError> {
        Ok(self.0.execute(sql, params).await?)
    }
}

/// An open transaction. A handle, cheap to clone; none may outlive the closure it was given to.
#[derive(Clone, Debug)]
pub struct Tx(Arc<backend::Transaction>);

impl Executor for Tx {
    async fn query_values(&self, sql: &str, params: Vec<Value>) -> Result<Rows, DbError> {
        Ok(self.0.query(sql, params).await?)
    }

    async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<u64, DbError> {
        Ok(self.0.execute(sql, params).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    #[test]
    fn too_many_open_transactions_are_load_and_no_bug() {
        let limit = || wire::Error::Limit("12 open transactions".to_owned());
        assert_eq!(Problem::from(refused_to_begin(limit())).status(), 503);
        assert_eq!(Problem::from(DbError::from(limit())).status(), 500);
    }

    #[test]
    fn pauses_grow_and_end() {
        for (attempt, most_ms) in [(1, 10), (2, 20), (4, 80), (99, 160)] {
            assert!(pause_after(attempt) <= Duration::from_millis(most_ms));
        }
    }
}
