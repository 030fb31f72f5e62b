//! Loyalty accounts and their ledger.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use crate::domain::CustomerId;
use crate::domain::loyalty::{Kind, Movement};

const ACCOUNT: &str = "select customer_id, balance, version from loyalty_accounts where customer_id = $1";

const LOCK: &str = "
    select customer_id, balance, version from loyalty_accounts where customer_id = $1 for no key update";

const FIND: &str = "
    select reference, customer_id, number, kind, points, balance_after, entered_at
    from loyalty_entries where reference = $1";

const ENTER: &str = "
    with account as (
        update loyalty_accounts set balance = $4, version = version + 1
        where customer_id = $2
        returning customer_id, version
    )
    insert into loyalty_entries (reference, customer_id, number, kind, points, balance_after, entered_at)
    select $1, customer_id, version, $3, $5, $4, $6 from account
    returning reference, customer_id, number, kind, points, balance_after, entered_at";

const LIST: &str = "
    select reference, customer_id, number, kind, points, balance_after, entered_at
    from loyalty_entries
    where customer_id = $1 and number < $2
    order by number desc
    limit $3";

/// What a customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub customer_id: CustomerId,
    pub balance: i64,
    pub version: i64,
}

/// Points that were given or taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub reference: String,
    pub customer_id: CustomerId,
    pub number: i64,
    pub kind: Kind,
    pub points: i64,
    pub balance_after: i64,
    pub entered_at: Timestamp,
}

from_row!(Account { customer_id, balance, version });
from_row!(Entry { reference, customer_id, number, kind, points, balance_after, entered_at });

pub async fn account(db: &impl Executor, customer: CustomerId) -> Result<Option<Account>, DbError> {
    db.query_opt(ACCOUNT, params![customer]).await
}

/// Locks the account until the transaction ends: entries take turns.
pub async fn lock(db: &impl Executor, customer: CustomerId) -> Result<Option<Account>, DbError> {
    db.query_opt(LOCK, params![customer]).await
}

/// The entry of that reference, whosever it is.
pub async fn find(db: &impl Executor, reference: &str) -> Result<Option<Entry>, DbError> {
    db.query_opt(FIND, params![reference]).await
}

/// Violates `loyalty_entries_pkey` when the reference was used meanwhile. The account is locked.
pub async fn enter(
    db: &impl Executor,
    reference: &str,
    movement: &Movement,
    balance: i64,
    now: Timestamp,
) -> Result<Entry, DbError> {
    let Movement { customer_id, kind, points } = *movement;
    db.query_one(ENTER, params![reference, customer_id, kind.as_str(), balance, points, now]).await
}

/// The latest first, those before a number if there is one.
pub async fn list(
    db: &impl Executor,
    customer: CustomerId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    db.query(LIST, params![customer, before.unwrap_or(i64::MAX), limit]).await
}
