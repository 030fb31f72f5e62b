//! The database capability without WebAssembly: a pool of connections, the conversion of values, transactions, limits.
//!
//! The host adapts it to `comptoir:postgres` (`wit/postgres.wit`); the SDK's native tests run on it as it is.
//!
//! Code map, in reading order:
//! - [`types`]: values, rows and errors, as WIT has them;
//! - [`Options`]: every limit and its default;
//! - [`Pool`], [`Transaction`], [`Prepared`]: what callers do;
//! - `statement`: which statements are let through;
//! - `session`: one connection and the guard that returns, recovers or closes it;
//! - `lane`: connections that quick statements share;
//! - `kind`, `encode`, `decode`, `numeric`: the wire format;
//! - `held`: what is counted of the memory that a component may have held;
//! - `error`: from `sqlx`'s errors to ours;
//! - [`Observe`]: durations and outcomes for metrics.
//!
//! Invariants: a statement is one round trip once it is prepared; a connection is never reused inside a transaction or
//! with unread messages; no future may be dropped at a moment that loses a connection; no error names an address.

mod decode;
mod encode;
mod error;
#[cfg(test)]
mod fuzz;
mod held;
mod kind;
mod lane;
mod numeric;
mod observe;
mod options;
mod pool;
mod prepared;
mod session;
mod statement;
mod transaction;
pub mod types;

pub use sqlx::postgres::PgConnectOptions;

pub use crate::observe::{Observe, Operation, Outcome};
pub use crate::options::Options;
pub use crate::pool::{Pool, Status};
pub use crate::prepared::Prepared;
pub use crate::transaction::Transaction;
pub use crate::types::{Column, DatabaseError, Error, Isolation, Rows, ShapedRows, Value};
