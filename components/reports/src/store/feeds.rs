//! The SQL of feeds: how far each was read, by which epoch.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromValue, Tx, Value, from_row, params};
use serde::Deserialize;

use crate::domain::{Epoch, Source};

/// Where an epoch is, and where others are: whoever comes by stops there, and they go on together.
const POSITION: &str = "
    select f.source, f.cursor, f.consumed, f.page_limit,
        coalesce((
            select jsonb_agg(jsonb_build_object('consumed', o.consumed, 'cursor', o.cursor)) from feeds o
            where o.source = f.source and o.consumed > f.consumed
        ), '[]') as stops,
        exists (
            select from feeds l join epochs e on e.epoch = l.epoch and e.state = 'live'
            where l.source = f.source and l.cursor is not distinct from f.cursor
        ) as beside_live
    from feeds f
    join epochs e on e.epoch = f.epoch
    where f.source = $1 and e.state = $2";

/// Compares and sets: no row, if somebody else was faster. Every epoch that is at that place goes on.
const MOVE_ON: &str = "
    update feeds
    set cursor = $3, last_event_at = coalesce($4, last_event_at), consumed = consumed + $5, ignored = ignored + $6,
        rejected = rejected + $7, page_limit = $8, read_at = $9,
        as_of = greatest(as_of, $10), failures = 0, failed_at = null, failure = null
    where source = $1 and cursor is not distinct from $2
    returning epoch";

/// Whoever has read on meanwhile knows that as well.
const NOTHING_NEW: &str = "
    update feeds
    set read_at = greatest(read_at, $3), as_of = greatest(as_of, $4), failures = 0, failed_at = null, failure = null
    where source = $1 and consumed >= $2";

const FAILED: &str = "
    update feeds
    set failures = failures + 1, failed_at = $3, failure = $4, page_limit = least(page_limit, $5)
    where source = $1 and cursor is not distinct from $2";

const SHRINK: &str = "
    update feeds set page_limit = least(page_limit, $3)
    where source = $1 and cursor is not distinct from $2";

const VIEWS: &str = "
    select source, consumed, ignored, rejected, last_event_at, read_at, as_of, failures, failed_at
    from feeds
    where epoch = $1
    order by source";

const BEGIN: &str = "
    insert into feeds (epoch, source)
    select $1, source from feeds where epoch = $2";

/// A place of a feed.
#[derive(Clone, Debug)]
pub struct Position {
    pub source: Source,
    pub cursor: Option<String>,
    /// Events before it.
    pub consumed: i64,
    pub page_limit: u32,
    pub stops: Stops,
    /// The live epoch is there as well.
    pub beside_live: bool,
}

/// The places of other epochs that are further on.
#[derive(Clone, Debug, Default)]
pub struct Stops(pub Vec<Stop>);

/// A place, by the number of events before it.
#[derive(Clone, Debug, Deserialize)]
pub struct Stop {
    pub consumed: i64,
    pub cursor: String,
}

impl FromValue for Stops {
    fn from_value(value: Value) -> Result<Stops, DbError> {
        let stops = serde_json::from_value(serde_json::Value::from_value(value)?);
        stops.map(Stops).map_err(|err| DbError::Conversion(err.to_string()))
    }
}

from_row!(Position { source, cursor, consumed, page_limit, stops, beside_live });

/// A page that was read, as its cursor remembers it.
#[derive(Clone, Debug)]
pub struct Step {
    pub cursor: Option<String>,
    pub last_event_at: Option<Timestamp>,
    pub consumed: i64,
    pub ignored: i64,
    pub rejected: i64,
    /// Of the next one.
    pub page_limit: u32,
    /// When it was asked for.
    pub read_at: Timestamp,
    /// Since when there may be more than what was read with it.
    pub as_of: Option<Timestamp>,
}

/// What is known of a feed.
#[derive(Clone, Debug)]
pub struct View {
    pub source: Source,
    pub consumed: i64,
    pub ignored: i64,
    pub rejected: i64,
    pub last_event_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub as_of: Option<Timestamp>,
    pub failures: i32,
    pub failed_at: Option<Timestamp>,
}

from_row!(View { source, consumed, ignored, rejected, last_event_at, read_at, as_of, failures, failed_at });

/// Which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Live,
    Building,
}

impl Which {
    const fn state(self) -> &'static str {
        match self {
            Which::Live => "live",
            Which::Building => "building",
        }
    }
}

/// Where that epoch is; none, if there is no such epoch.
pub async fn position(db: &impl Executor, source: Source, which: Which) -> Result<Option<Position>, DbError> {
    db.query_opt(POSITION, params![source, which.state()]).await
}

/// Moves everybody on who is at that place; who they are. They are locked until the transaction ends.
pub async fn move_on(tx: &Tx, from: &Position, step: &Step) -> Result<Vec<Epoch>, DbError> {
    let params = params![
        from.source,
        from.cursor.as_deref(),
        step.cursor.as_deref(),
        step.last_event_at,
        step.consumed,
        step.ignored,
        step.rejected,
        step.page_limit,
        step.read_at,
        step.as_of,
    ];
    let epochs: Vec<(Epoch,)> = tx.query(MOVE_ON, params).await?;
    Ok(epochs.into_iter().map(|(epoch,)| epoch).collect())
}

/// There was nothing beyond that place. All that had been told by `as_of` is before it.
pub async fn nothing_new(
    db: &impl Executor,
    at: &Position,
    read_at: Timestamp,
    as_of: Option<Timestamp>,
) -> Result<(), DbError> {
    db.execute(NOTHING_NEW, params![at.source, at.consumed, read_at, as_of]).await.map(|_| ())
}

/// The feed was not read. The next page is no larger than that.
pub async fn failed(
    db: &impl Executor,
    at: &Position,
    now: Timestamp,
    reason: &str,
    page_limit: u32,
) -> Result<(), DbError> {
    db.execute(FAILED, params![at.source, at.cursor.as_deref(), now, reason, page_limit]).await.map(|_| ())
}

/// The next page is no larger than that.
pub async fn shrink(db: &impl Executor, at: &Position, page_limit: u32) -> Result<(), DbError> {
    db.execute(SHRINK, params![at.source, at.cursor.as_deref(), page_limit]).await.map(|_| ())
}

/// What an epoch knows of each feed.
pub async fn views(db: &impl Executor, epoch: Epoch) -> Result<Vec<View>, DbError> {
    db.query(VIEWS, params![epoch]).await
}

/// A new epoch begins at the beginning of each feed that the live one has.
pub async fn begin(db: &impl Executor, epoch: Epoch, live: Epoch) -> Result<(), DbError> {
    db.execute(BEGIN, params![epoch, live]).await.map(|_| ())
}
