//! The SQL of reports: a file for each thing that is stored or asked.
//!
//! Owns the locking protocol: whoever writes a page moves the cursors first ([`feeds::move_on`]), and writes only if
//! somebody else has not. Decides nothing.

pub mod compare;
pub mod feeds;
pub mod figures;
pub mod groups;
pub mod insert;
pub mod rebuilds;
pub mod rules;
pub mod shelves;
pub mod tracks;

use jiff::Timestamp;
use jiff::civil::Date;
use sdk::{DbError, Executor, params};

use crate::domain::Epoch;

const LIVE: &str = "select epoch from epochs where state = 'live'";

const DAY_OF: &str = "select ($1 at time zone 'America/Toronto')::date";

/// The epoch that reports are made from.
pub async fn live(db: &impl Executor) -> Result<Epoch, DbError> {
    let (epoch,) = db.query_one(LIVE, params![]).await?;
    Ok(epoch)
}

/// The business day of an instant.
pub async fn day_of(db: &impl Executor, at: Timestamp) -> Result<Date, DbError> {
    let (day,) = db.query_one(DAY_OF, params![at]).await?;
    Ok(day)
}
