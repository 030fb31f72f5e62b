//! What the pool tells its owner while it works: durations and outcomes. It keeps no metrics of its own.

use std::time::Duration;

use crate::types::Error;

/// Receives measurements. Called on the path of every operation: record and return.
pub trait Observe: Send + Sync + 'static {
    /// An operation ended after `elapsed`, including the wait for a connection.
    fn operation(&self, operation: Operation, outcome: Outcome, elapsed: Duration) {
        let _ = (operation, outcome, elapsed);
    }

    /// A connection was had, or given up, after `elapsed`; zero if one was free.
    fn waited(&self, elapsed: Duration) {
        let _ = elapsed;
    }
}

/// Looks away.
impl Observe for () {}

/// What was asked for. Dropping a transaction is not an operation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operation {
    /// A statement whose rows are wanted.
    Query,
    /// A statement whose number of rows is wanted.
    Execute,
    /// The beginning of a transaction.
    Begin,
    /// Its end.
    Commit,
    /// Its other end.
    Rollback,
}

impl Operation {
    /// Every case, to declare metrics at zero.
    pub const ALL: [Self; 5] = [Self::Query, Self::Execute, Self::Begin, Self::Commit, Self::Rollback];

    /// The value of the metric label `operation`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Execute => "execute",
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::Rollback => "rollback",
        }
    }
}

/// How it went: `Ok`, the case of `Error`, or nobody waited for it any more.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// There is a result.
    Ok,
    /// `Error::Unavailable`.
    Unavailable,
    /// `Error::Timeout`.
    Timeout,
    /// `Error::Limit`.
    Limit,
    /// `Error::InvalidParameter`.
    InvalidParameter,
    /// `Error::Database`.
    Database,
    /// `Error::Conversion`.
    Conversion,
    /// The future was dropped before it was ready.
    Cancelled,
}

impl Outcome {
    /// Every case, to declare metrics at zero.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Unavailable,
        Self::Timeout,
        Self::Limit,
        Self::InvalidParameter,
        Self::Database,
        Self::Conversion,
        Self::Cancelled,
    ];

    /// The value of the metric label `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Limit => "limit",
            Self::InvalidParameter => "invalid-parameter",
            Self::Database => "database",
            Self::Conversion => "conversion",
            Self::Cancelled => "cancelled",
        }
    }
}

impl<T> From<&Result<T, Error>> for Outcome {
    fn from(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(Error::Unavailable(_)) => Self::Unavailable,
            Err(Error::Timeout) => Self::Timeout,
            Err(Error::Limit(_)) => Self::Limit,
            Err(Error::InvalidParameter(_)) => Self::InvalidParameter,
            Err(Error::Database(_)) => Self::Database,
            Err(Error::Conversion(_)) => Self::Conversion,
        }
    }
}
