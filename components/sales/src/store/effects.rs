//! The SQL of what inventory is to be told: written with what happened, claimed, done.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, Tx, params};

use super::{parsed, written};
use crate::domain::SaleId;
use crate::domain::effect::{Effect, lease_until, next_attempt};
use crate::settling::Scope;

const INSERT: &str = "
    insert into effects (sale_id, kind, reference, action, next_attempt_at, created_at)
    values ($1, $2, $3, $4, $5, $5)";

// Whoever claims has them alone until the lease ends: a crash in between costs time and nothing else. Of a sale one
// after the other, so that nothing comes back that has not left.
const CLAIM: &str = "
    update effects
    set attempts = attempts + 1, next_attempt_at = $2
    where id in (
        select id from effects e
        where done_at is null and next_attempt_at <= $1 and ($3::uuid is null or sale_id = $3)
            and not exists (
                select from effects b where b.sale_id = e.sale_id and b.id < e.id and b.done_at is null
            )
        order by next_attempt_at, id
        limit $4
        for update skip locked
    )
    returning id, sale_id, action, attempts";

const DONE: &str = "update effects set done_at = $2, failure = null where id = $1 and done_at is null";

// Only the last one to claim it knows when it is due.
const FAILED: &str = "
    update effects set next_attempt_at = $3, failure = $4 where id = $1 and attempts = $2 and done_at is null";

/// An effect that is to be carried out by whoever claimed it.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: i64,
    pub sale_id: SaleId,
    pub effect: Effect,
    /// This one included.
    pub attempts: i32,
}

/// Writes effects in the transaction that wants them; due at once.
pub async fn insert(tx: &Tx, sale: SaleId, effects: &[Effect], now: Timestamp) -> Result<(), DbError> {
    for effect in effects {
        let action = written(effect)?;
        tx.execute(INSERT, params![sale, effect.kind(), effect.reference(), action, now]).await?;
    }
    Ok(())
}

/// Takes up to `limit` effects that are due, for a while.
pub async fn claim(db: &impl Executor, scope: Scope, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, DbError> {
    let sale = match scope {
        Scope::Everything => None,
        Scope::Sale(id) => Some(id),
    };
    db.query(CLAIM, params![now, lease_until(now), sale, limit]).await
}

/// It is carried out.
pub async fn done(db: &impl Executor, id: i64, now: Timestamp) -> Result<(), DbError> {
    db.execute(DONE, params![id, now]).await.map(|_| ())
}

/// It is to be tried again, after a pause that grows.
pub async fn failed(db: &impl Executor, claimed: &Claimed, reason: &str, now: Timestamp) -> Result<(), DbError> {
    let due = next_attempt(now, claimed.attempts);
    db.execute(FAILED, params![claimed.id, claimed.attempts, due, reason]).await.map(|_| ())
}

impl FromRow for Claimed {
    fn from_row(row: &Row<'_>) -> Result<Claimed, DbError> {
        Ok(Claimed {
            id: row.get("id")?,
            sale_id: row.get("sale_id")?,
            effect: parsed(row, "action")?,
            attempts: row.get("attempts")?,
        })
    }
}
