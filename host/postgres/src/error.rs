//! From the errors of `sqlx` to ours, and what each says about the connection.
//!
//! A component reads these texts, so they are made of our own sentences and of what PostgreSQL says about a statement;
//! what it says about connections (addresses, users, files) goes to the log only.

use std::time::Duration;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::types::{DatabaseError, Error};

/// What an error means for the connection it came over.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The statement failed, the connection is fine. Inside a transaction nothing but a rollback is left.
    Refused(Error),
    /// The statement did not run because the connection remembers it from before a change of the schema.
    Stale(Error),
    /// The connection is gone.
    Lost {
        error: Error,
        /// The server said so before it answered the statement: it had no effect.
        terminated: bool,
    },
}

/// Sorts an error of an open connection.
pub(crate) fn classify(error: sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => refused(&error),
            Err(error) => Fault::Refused(Error::Unavailable(error.message().to_owned())),
        },
        error => {
            tracing::warn!(%error, "lost a connection to the database");
            let error = Error::Unavailable("the connection to the database was lost".into());
            Fault::Lost { error, terminated: false }
        }
    }
}

fn refused(error: &PgDatabaseError) -> Fault {
    if matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic) {
        tracing::warn!(sqlstate = error.code(), %error, "the database closed a connection");
        let message = match error.code() {
            "25P03" => "the transaction was not used for too long and was rolled back".into(),
            code => format!("the database closed the connection (SQLSTATE {code})"),
        };
        return Fault::Lost { error: Error::Unavailable(message), terminated: error.code() == "57P01" };
    }
    match error.code() {
        // query_canceled: by `statement_timeout`, or by an administrator.
        "57014" => Fault::Refused(Error::Timeout),
        // invalid_sql_statement_name: somebody deallocated what we had prepared.
        "26000" => Fault::Stale(database(error)),
        // feature_not_supported, and only as "cached plan must not change result type" (in whatever language).
        "0A000" if error.routine() == Some("RevalidateCachedQuery") => Fault::Stale(database(error)),
        _ => Fault::Refused(database(error)),
    }
}

fn database(error: &PgDatabaseError) -> Error {
    Error::Database(DatabaseError {
        sqlstate: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        constraint: error.constraint().map(str::to_owned),
        table: error.table().map(str::to_owned),
    })
}

/// An error on the way to an open connection.
pub(crate) fn connecting(error: &sqlx::Error, timeout: Duration) -> Error {
    Error::Unavailable(match error {
        sqlx::Error::PoolTimedOut => format!("cannot connect to the database within {} ms", timeout.as_millis()),
        sqlx::Error::Io(error) => format!("cannot connect to the database: {}", error.kind()),
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            format!("the database refused a connection (SQLSTATE {code})")
        }
        _ => "cannot connect to the database".into(),
    })
}

/// PostgreSQL answers `commit` after a failed statement with a rollback and calls it a success. We do not.
pub(crate) fn aborted() -> Error {
    Error::Database(DatabaseError {
        sqlstate: "25P02".into(),
        message: "the transaction was rolled back because one of its statements had failed".into(),
        detail: None,
        constraint: None,
        table: None,
    })
}
