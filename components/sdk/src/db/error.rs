//! Why a statement failed, what of it a client may see, and what is worth another try.

use super::wire;
use crate::Problem;

/// SQLSTATE `serialization_failure` and `deadlock_detected` (PostgreSQL, 13.5): PostgreSQL asks for
/// the transaction to be run again.
const RETRYABLE: [&str; 2] = ["40001", "40P01"];

/// Why a statement or a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// No connection could be had, or it was lost. Whether the statement took effect is unknown only
    /// if it was already sent.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The statement ran into its deadline and was cancelled.
    #[error("the statement ran into its deadline")]
    Timeout,
    /// A result, or the number of open transactions, went over one of the host's limits.
    #[error("over a limit of the host: {0}")]
    Limit(String),
    #[error("a parameter or the statement is not acceptable: {0}")]
    InvalidParameter(String),
    #[error("{message} (SQLSTATE {sqlstate})")]
    Database {
        sqlstate: String,
        message: String,
        detail: Option<String>,
        constraint: Option<String>,
        table: Option<String>,
    },
    /// A column has a type that no [`super::Value`] can hold, or not the one that was asked for.
    #[error("{0}")]
    Conversion(String),
    /// Not what the code that called expected, such as two rows instead of one.
    #[error("{0}")]
    Unexpected(String),
}

impl DbError {
    /// The name of the constraint that was violated.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            DbError::Database { constraint, .. } => constraint.as_deref(),
            _ => None,
        }
    }

    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            DbError::Database { sqlstate, .. } => Some(sqlstate),
            _ => None,
        }
    }
}

impl From<wire::Error> for DbError {
    fn from(err: wire::Error) -> Self {
        match err {
            wire::Error::Unavailable(reason) => DbError::Unavailable(reason),
            wire::Error::Timeout => DbError::Timeout,
            wire::Error::Limit(reason) => DbError::Limit(reason),
            wire::Error::InvalidParameter(reason) => DbError::InvalidParameter(reason),
            wire::Error::Conversion(reason) => DbError::Conversion(reason),
            wire::Error::Database(err) => DbError::Database {
                sqlstate: err.sqlstate,
                message: err.message,
                detail: err.detail,
                constraint: err.constraint,
                table: err.table,
            },
        }
    }
}

/// Whether running the transaction again may succeed.
pub trait RetryClass {
    fn is_retryable(&self) -> bool;
}

impl RetryClass for DbError {
    fn is_retryable(&self) -> bool {
        self.sqlstate().is_some_and(|state| RETRYABLE.contains(&state))
    }
}

impl RetryClass for Problem {
    fn is_retryable(&self) -> bool {
        self.retryable()
    }
}

/// A named constraint that says no is an answer, and no failure.
pub trait OnConstraint<T> {
    /// `f` when the constraint of that name was violated; any other error as [`Problem::from`].
    fn on_constraint(self, name: &str, f: impl FnOnce() -> Problem) -> Result<T, Problem>;
}

impl<T> OnConstraint<T> for Result<T, DbError> {
    fn on_constraint(self, name: &str, f: impl FnOnce() -> Problem) -> Result<T, Problem> {
        self.map_err(|err| if err.constraint() == Some(name) { f() } else { Problem::from(err) })
    }
}

/// For a statement that several constraints watch over: what the first call left is still looked at.
impl<T> OnConstraint<T> for Result<T, Problem> {
    fn on_constraint(self, name: &str, f: impl FnOnce() -> Problem) -> Result<T, Problem> {
        self.map_err(|problem| if problem.violated() == Some(name) { f() } else { problem })
    }
}
