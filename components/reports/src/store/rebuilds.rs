//! The SQL of rebuilds and epochs.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, Tx, Value, from_row, params};

use super::compare::{Comparison, TABLES};
use crate::domain::{Epoch, RebuildId};

const NEW_EPOCH: &str = "insert into epochs (state, created_at) values ('building', $1) returning epoch";

const INSERT: &str = "
    insert into rebuilds (id, epoch, requested_by, created_at) values ($1, $2, $3, $4)";

const GET: &str = "
    select id, epoch, status, requested_by, created_at, compared_at, complete, compared, differing, differences,
        switched_at
    from rebuilds
    where id = $1";

const UNFINISHED: &str = "
    select id, epoch, status, requested_by, created_at, compared_at, complete, compared, differing, differences,
        switched_at
    from rebuilds
    where status <> 'switched'";

const COMPARED: &str = "
    update rebuilds
    set status = 'compared', compared_at = $2, complete = $3, compared = $4, differing = $5, differences = $6
    where id = $1 and status = 'building'";

const PROGRESS: &str = "
    select n.source, n.consumed, l.consumed as of, n.cursor is not distinct from l.cursor as level
    from feeds n
    join feeds l on l.source = n.source and l.epoch = $1
    where n.epoch = $2
    order by n.source";

// In one order for everybody who locks them all.
const LOCK_FEEDS: &str = "
    select source, epoch, cursor from feeds where epoch in ($1, $2) order by source, epoch for update";

const RETIRE: &str = "update epochs set state = 'retired' where epoch = $1 and state = 'live'";
const ENTHRONE: &str = "update epochs set state = 'live' where epoch = $1 and state = 'building'";
/// Whoever still has a page for the old epoch finds no cursor to move, and writes nothing.
const FORGET_FEEDS: &str = "delete from feeds where epoch = $1";
const SWITCHED: &str = "
    update rebuilds set status = 'switched', switched_at = $2 where id = $1 and status = 'compared'";

const RETIRED: &str = "select epoch from epochs where state = 'retired' order by epoch limit 1";
const FORGET: &str = "delete from epochs where epoch = $1 and state = 'retired'";

sdk::text_enum!(
    /// How far a rebuild is.
    Status {
        /// The feeds are read from their beginning.
        Building = "building",
        /// It is where the live tables are, and was compared with them.
        Compared = "compared",
        /// Reports are made from it.
        Switched = "switched",
    }
);

/// A rebuild.
#[derive(Clone, Debug)]
pub struct Rebuild {
    pub id: RebuildId,
    pub epoch: Epoch,
    pub status: Status,
    pub requested_by: String,
    pub created_at: Timestamp,
    pub compared_at: Option<Timestamp>,
    /// Whether there was time to compare everything.
    pub complete: Option<bool>,
    pub compared: Option<i64>,
    pub differing: Option<i64>,
    pub differences: Option<serde_json::Value>,
    pub switched_at: Option<Timestamp>,
}

from_row!(Rebuild {
    id,
    epoch,
    status,
    requested_by,
    created_at,
    compared_at,
    complete,
    compared,
    differing,
    differences,
    switched_at,
});

/// How far a rebuild is with a feed.
#[derive(Clone, Debug)]
pub struct Progress {
    pub source: crate::domain::Source,
    pub consumed: i64,
    /// What the live epoch has consumed.
    pub of: i64,
    /// Whether both are at one place.
    pub level: bool,
}

from_row!(Progress { source, consumed, of, level });

struct Place {
    source: String,
    cursor: Option<String>,
}

impl FromRow for Place {
    fn from_row(row: &Row<'_>) -> Result<Place, DbError> {
        Ok(Place { source: row.get("source")?, cursor: row.get("cursor")? })
    }
}

/// A new epoch. Violates `epochs_one_building` when there is one already.
pub async fn new_epoch(tx: &Tx, now: Timestamp) -> Result<Epoch, DbError> {
    let (epoch,) = tx.query_one(NEW_EPOCH, params![now]).await?;
    Ok(epoch)
}

pub async fn insert(tx: &Tx, id: RebuildId, epoch: Epoch, by: &str, now: Timestamp) -> Result<(), DbError> {
    tx.execute(INSERT, params![id, epoch, by, now]).await.map(|_| ())
}

pub async fn get(db: &impl Executor, id: RebuildId) -> Result<Option<Rebuild>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// The one that is not through.
pub async fn unfinished(db: &impl Executor) -> Result<Option<Rebuild>, DbError> {
    db.query_opt(UNFINISHED, params![]).await
}

/// How far it is, feed by feed.
pub async fn progress(db: &impl Executor, live: Epoch, building: Epoch) -> Result<Vec<Progress>, DbError> {
    db.query(PROGRESS, params![live, building]).await
}

/// Of no effect when somebody else was faster.
pub async fn compared(
    db: &impl Executor,
    id: RebuildId,
    comparison: &Comparison,
    now: Timestamp,
) -> Result<(), DbError> {
    let differences = serde_json::to_string(&comparison.differences);
    let differences = differences.map(Value::Json).map_err(|err| DbError::Unexpected(err.to_string()))?;
    let Comparison { complete, compared, differing, .. } = comparison;
    db.execute(COMPARED, params![id, now, *complete, *compared, *differing, differences]).await.map(|_| ())
}

/// Reports are made from the new epoch from now on: if it is where the live one is, and unless somebody else has done
/// it. Whether it was done.
pub async fn switch(tx: &Tx, rebuild: &Rebuild, now: Timestamp) -> Result<bool, DbError> {
    let live = super::live(tx).await?;
    let places: Vec<Place> = tx.query(LOCK_FEEDS, params![live, rebuild.epoch]).await?;
    let level = places.chunk_by(|one, other| one.source == other.source).all(|of_source| match of_source {
        [one, other] => one.cursor == other.cursor,
        _ => false,
    });
    if !level || places.is_empty() || tx.execute(SWITCHED, params![rebuild.id, now]).await? == 0 {
        return Ok(false);
    }
    tx.execute(RETIRE, params![live]).await?;
    tx.execute(ENTHRONE, params![rebuild.epoch]).await?;
    tx.execute(FORGET_FEEDS, params![live]).await?;
    Ok(true)
}

/// An epoch that nothing is made from any more.
pub async fn retired(db: &impl Executor) -> Result<Option<Epoch>, DbError> {
    let found: Option<(Epoch,)> = db.query_opt(RETIRED, params![]).await?;
    Ok(found.map(|(epoch,)| epoch))
}

/// Deletes some of its rows; how many. Of none that are left the epoch itself is forgotten.
pub async fn purge(db: &impl Executor, epoch: Epoch, limit: i64) -> Result<u64, DbError> {
    for table in TABLES {
        let name = table.name;
        let statement =
            format!("delete from {name} where ctid = any (array(select ctid from {name} where epoch = $1 limit $2))");
        let purged = db.execute(&statement, params![epoch, limit]).await?;
        if purged > 0 {
            return Ok(purged);
        }
    }
    db.execute(FORGET, params![epoch]).await?;
    Ok(0)
}
