//! The SQL of what other services are to be told: written with a decision, claimed, done.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, Tx, params};

use crate::domain::OrderId;
use crate::domain::effect::{Effect, lease_until, next_attempt};
use crate::settling::Scope;

// Once for each natural key; but a void is carried out anew when it turns out that there was an
// authorization after it.
const INSERT: &str = "
    insert into effects as e (order_id, kind, reference, action, next_attempt_at, created_at)
    values ($1, $2, $3, $4, $5, $5)
    on conflict on constraint effects_reference_key do update
    set done_at = null, attempts = 0, next_attempt_at = excluded.next_attempt_at
    where e.kind = 'void' and e.done_at is not null";

// Whoever claims has them alone until the lease ends: a crash in between costs time and nothing else.
const CLAIM: &str = "
    update effects
    set attempts = attempts + 1, next_attempt_at = $2
    where id in (
        select id from effects
        where done_at is null and next_attempt_at <= $1 and ($3::uuid is null or order_id = $3)
        order by next_attempt_at, id
        limit $4
        for update skip locked
    )
    returning id, order_id, action, attempts";

const DONE: &str = "update effects set done_at = $2, failure = null where id = $1 and done_at is null";

const DONE_BY_KEY: &str = "
    update effects set done_at = $3, failure = null where kind = $1 and reference = $2 and done_at is null";

// Only the last one to claim it knows when it is due.
const FAILED: &str = "
    update effects set next_attempt_at = $3, failure = $4 where id = $1 and attempts = $2 and done_at is null";

/// An effect that is to be carried out by whoever claimed it.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: i64,
    pub order_id: OrderId,
    pub effect: Effect,
    /// This one included.
    pub attempts: i32,
}

/// Writes effects in the transaction that wants them; due at once.
pub async fn insert(tx: &Tx, order: OrderId, effects: &[Effect], now: Timestamp) -> Result<(), DbError> {
    for effect in effects {
        let action = serde_json::to_value(effect).map_err(|err| DbError::Unexpected(err.to_string()))?;
        tx.execute(INSERT, params![order, effect.kind(), effect.reference(), action, now]).await?;
    }
    Ok(())
}

/// Takes up to `limit` effects that are due, for a while.
pub async fn claim(db: &impl Executor, scope: Scope, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, DbError> {
    let order = match scope {
        Scope::Everything => None,
        Scope::Order(id) => Some(id),
    };
    db.query(CLAIM, params![now, lease_until(now), order, limit]).await
}

/// It is carried out. False when somebody else has said so before.
pub async fn done(tx: &Tx, id: i64, now: Timestamp) -> Result<bool, DbError> {
    Ok(tx.execute(DONE, params![id, now]).await? == 1)
}

/// The refund is known to be carried out, by whoever.
pub async fn refund_done(tx: &Tx, reference: String, now: Timestamp) -> Result<(), DbError> {
    tx.execute(DONE_BY_KEY, params!["refund", reference, now]).await.map(|_| ())
}

/// It is to be tried again, after a pause that grows.
pub async fn failed(db: &impl Executor, claimed: &Claimed, reason: &str, now: Timestamp) -> Result<(), DbError> {
    let due = next_attempt(now, claimed.attempts);
    db.execute(FAILED, params![claimed.id, claimed.attempts, due, reason]).await.map(|_| ())
}

impl FromRow for Claimed {
    fn from_row(row: &Row<'_>) -> Result<Claimed, DbError> {
        let action: serde_json::Value = row.get("action")?;
        let effect = serde_json::from_value(action);
        Ok(Claimed {
            id: row.get("id")?,
            order_id: row.get("order_id")?,
            effect: effect.map_err(|err| DbError::Conversion(format!("column \"action\": {err}")))?,
            attempts: row.get("attempts")?,
        })
    }
}
