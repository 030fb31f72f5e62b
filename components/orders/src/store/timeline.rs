//! The SQL of the timeline: appended to under the lock of the order, and read.

use jiff::Timestamp;
use sdk::{DbError, Executor, Tx, from_row, params};

use crate::domain::OrderId;
use crate::domain::decision::{Entry, What};

const APPEND: &str = "
    insert into timeline (order_id, position, what, from_state, to_state, actor, at, note)
    select $1, (select count(*) from timeline where order_id = $1) + e.place, e.what, nullif(e.from_state, ''),
        nullif(e.to_state, ''), $6, $7, nullif(e.note, '')
    from unnest($2::text[], $3::text[], $4::text[], $5::text[])
        with ordinality as e (what, from_state, to_state, note, place)";

const READ: &str = "
    select position, what, from_state, to_state, actor, at, note
    from timeline
    where order_id = $1 and position > $2
    order by position
    limit $3";

/// An entry as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// From 1.
    pub position: i32,
    pub what: What,
    pub from_state: Option<String>,
    pub to_state: Option<String>,
    pub actor: String,
    pub at: Timestamp,
    pub note: Option<String>,
}

from_row!(Written { position, what, from_state, to_state, actor, at, note });

/// Appends entries, in this order. The order is locked.
pub async fn append(tx: &Tx, id: OrderId, entries: &[Entry], actor: &str, at: Timestamp) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    let text = |column: fn(&Entry) -> &str| -> Vec<&str> { entries.iter().map(column).collect() };
    let params = params![
        id,
        text(|e| e.what.as_str()),
        text(|e| e.from.unwrap_or_default()),
        text(|e| e.to.unwrap_or_default()),
        text(|e| e.note.as_deref().unwrap_or_default()),
        actor,
        at,
    ];
    tx.execute(APPEND, params).await.map(|_| ())
}

/// Up to `limit` entries after that position.
pub async fn read(db: &impl Executor, id: OrderId, after: i32, limit: i64) -> Result<Vec<Written>, DbError> {
    db.query(READ, params![id, after, limit]).await
}
