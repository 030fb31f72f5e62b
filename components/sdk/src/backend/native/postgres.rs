//! PostgreSQL through the host's own crate: the same pool, the same conversion, the same limits.

use crate::db::Rows;
use crate::db::wire::{Column, DatabaseError, Error, Isolation, Value};
use comptoir_postgres as host;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone)]
pub struct Database {
    pool: Option<host::Pool>,
    round_trips: RoundTrips,
}

/// Statements, and what begins and ends a transaction.
#[derive(Clone, Debug, Default)]
struct RoundTrips(Arc<AtomicU64>);

impl RoundTrips {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    /// There is none.
    pub fn from_host() -> Self {
        Database { pool: None, round_trips: RoundTrips::default() }
    }

    pub fn new(pool: host::Pool) -> Self {
        Database { pool: Some(pool), round_trips: RoundTrips::default() }
    }

    pub fn round_trips(&self) -> u64 {
        self.round_trips.0.load(Ordering::Relaxed)
    }

    fn pool(&self) -> Result<&host::Pool, Error> {
        self.round_trips.count();
        self.pool.as_ref().ok_or_else(|| Error::Unavailable("this test has no database: see sdk::testing".to_owned()))
    }

    pub async fn query(&self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        self.pool()?.query(sql, to_host_all(params)).await.map(rows).map_err(error)
    }

    pub async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<u64, Error> {
        self.pool()?.execute(sql, to_host_all(params)).await.map_err(error)
    }

    pub async fn begin(&self, isolation: Isolation) -> Result<Transaction, Error> {
        let isolation = match isolation {
            Isolation::ReadCommitted => host::Isolation::ReadCommitted,
            Isolation::RepeatableRead => host::Isolation::RepeatableRead,
            Isolation::Serializable => host::Isolation::Serializable,
        };
        let begun = self.pool()?.begin(isolation).await;
        begun.map(|begun| Transaction(begun, self.round_trips.clone())).map_err(error)
    }
}

pub struct Transaction(host::Transaction, RoundTrips);

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    pub async fn query(&self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        self.1.count();
        self.0.query(sql, to_host_all(params)).await.map(rows).map_err(error)
    }

    pub async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<u64, Error> {
        self.1.count();
        self.0.execute(sql, to_host_all(params)).await.map_err(error)
    }

    pub async fn commit(self) -> Result<(), Error> {
        self.1.count();
        self.0.commit().await.map_err(error)
    }

    pub async fn rollback(self) -> Result<(), Error> {
        self.1.count();
        self.0.rollback().await.map_err(error)
    }
}

fn rows(rows: host::Rows) -> Rows {
    let column = |column: host::Column| Column { name: column.name, type_name: column.type_name };
    Rows {
        columns: rows.columns.into_iter().map(column).collect(),
        rows: rows.rows.into_iter().map(|values| values.into_iter().map(from_host).collect()).collect(),
    }
}

fn error(err: host::Error) -> Error {
    match err {
        host::Error::Unavailable(reason) => Error::Unavailable(reason),
        host::Error::Timeout => Error::Timeout,
        host::Error::Limit(reason) => Error::Limit(reason),
        host::Error::InvalidParameter(reason) => Error::InvalidParameter(reason),
        host::Error::Conversion(reason) => Error::Conversion(reason),
        host::Error::Database(err) => Error::Database(DatabaseError {
            sqlstate: err.sqlstate,
            message: err.message,
            detail: err.detail,
            constraint: err.constraint,
            table: err.table,
        }),
    }
}

fn to_host_all(params: Vec<Value>) -> Vec<host::Value> {
    params.into_iter().map(to_host).collect()
}

/// The two enumerations are the same, variant by variant.
macro_rules! same_variants {
    ($($variant:ident),*) => {
        fn to_host(value: Value) -> host::Value {
            match value {
                Value::Null => host::Value::Null,
                $(Value::$variant(value) => host::Value::$variant(value),)*
            }
        }

        fn from_host(value: host::Value) -> Value {
            match value {
                host::Value::Null => Value::Null,
                $(host::Value::$variant(value) => Value::$variant(value),)*
            }
        }
    };
}

same_variants!(
    Boolean,
    Int16,
    Int32,
    Int64,
    Float64,
    Text,
    Bytes,
    Uuid,
    Timestamptz,
    Date,
    Numeric,
    Json,
    Int64Array,
    TextArray,
    UuidArray
);
