//! Events: what a service tells the others about what it did. An event is written in the very
//! transaction of the change that it tells of, and read by others as a feed, page by page.
//!
//! The order of a feed is that of `(xid, seq)`, and it ends before the oldest transaction that still
//! runs. `seq` alone would not do: it is drawn before the commit, so that a reader who has seen 8 can
//! be shown 7 later, which it would never ask for again.

use crate::identity::OfService;
use crate::{Context, Cursor, Db, DbError, Executor, Json, Problem, Query, Result, Tx, Value, new_uuid_v7, params};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The table that a service which publishes events has: one of its migrations, as it is here. Events
/// are kept for good: from all of them, another service can build its view anew.
pub const MIGRATION_SQL: &str = "\
create table outbox (
    seq bigint generated always as identity,
    -- Of the transaction that wrote it; 64 bits, so that it never comes again.
    xid xid8 not null default pg_current_xact_id(),
    event_id uuid not null,
    type text not null,
    subject text not null,
    -- Counts the changes of the subject: a consumer sees a gap.
    subject_version bigint not null,
    occurred_at timestamptz not null,
    traceparent text,
    payload jsonb not null,
    constraint outbox_pk primary key (seq),
    constraint outbox_event_id_key unique (event_id),
    constraint outbox_subject_version_key unique (subject, subject_version)
);
create index outbox_order on outbox (xid, seq);
";

pub const LIMIT_DEFAULT: u32 = 100;
pub const LIMIT_MAX: u32 = 500;

const PUBLISH: &str = "\
insert into outbox (event_id, type, subject, subject_version, occurred_at, traceparent, payload)
select e.id, e.type, e.subject, e.version, $6, $7, e.payload::jsonb
from unnest($1::uuid[], $2::text[], $3::text[], $4::int8[], $5::text[])
    with ordinality as e (id, type, subject, version, payload, place)
order by e.place";

// One statement, so that the events and the horizon are of one snapshot; and a row also when there are no events.
const READ: &str = "\
select h.settled::text::int8 as settled, h.newest::text::int8 as newest,
    o.xid::text::int8 as xid, o.seq, o.event_id, o.type, o.subject, o.subject_version, o.occurred_at, o.traceparent,
    o.payload
from (
    select pg_snapshot_xmin(pg_current_snapshot()) as settled,
        (select n.xid from outbox n order by n.xid desc, n.seq desc limit 1) as newest
) h
left join lateral (
    select e.* from outbox e
    where (e.xid, e.seq) > ($1::int8::text::xid8, $2) and e.xid < h.settled
    order by e.xid, e.seq
    limit $3
) o on true
order by o.xid, o.seq";

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it was, in the past tense: `order.confirmed`.
    pub kind: &'static str,
    /// To whom: `order/0190..`.
    pub subject: String,
    /// The version that the subject has since. Two events of one subject have two.
    pub version: i64,
    /// What a consumer needs to know, so that it does not have to ask.
    pub payload: serde_json::Value,
}

impl Event {
    /// # Errors
    /// When the payload cannot be JSON, which is a bug.
    pub fn new(
        kind: &'static str,
        subject: impl Into<String>,
        version: i64,
        payload: &impl Serialize,
    ) -> Result<Event, Problem> {
        let payload = serde_json::to_value(payload).map_err(Problem::internal)?;
        Ok(Event { kind, subject: subject.into(), version, payload })
    }
}

/// Writes events in the transaction that causes them, in this order; one statement for all of them.
///
/// # Errors
/// What the statement fails with; a subject that had an event of that version is a bug.
pub async fn publish(tx: &Tx, context: &Context, events: Vec<Event>) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let request = crate::request::current();
    let traceparent = request.as_ref().map(|request| request.traceparent().to_owned());
    let mut ids = Vec::with_capacity(events.len());
    let (mut kinds, mut subjects, mut versions, mut payloads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for event in events {
        ids.push(new_uuid_v7(&context.clock));
        kinds.push(event.kind.to_owned());
        subjects.push(event.subject);
        versions.push(event.version);
        payloads.push(event.payload.to_string());
    }
    let now = context.clock.now();
    tx.execute(PUBLISH, params![ids, kinds, subjects, versions, payloads, now, traceparent]).await?;
    Ok(())
}

/// Events as the one parameter of [`crate::outbox_insert!`].
#[must_use]
pub fn written(context: &Context, events: Vec<Event>) -> Value {
    let request = crate::request::current();
    let traceparent = request.as_ref().map(|request| request.traceparent());
    let now = context.clock.now();
    let row = |event: Event| {
        serde_json::json!({
            "event_id": new_uuid_v7(&context.clock), "type": event.kind, "subject": event.subject,
            "subject_version": event.version, "occurred_at": now, "traceparent": traceparent,
            "payload": event.payload,
        })
    };
    Value::Json(serde_json::Value::Array(events.into_iter().map(row).collect()).to_string())
}

/// The part of a statement that publishes: for a change that is one statement, and so needs no transaction
/// around it. Nothing is published unless `$from`, another part of it, has a row.
///
/// ```
/// const CLOSE: &str = concat!(
///     "with closed as (update carts set status = 'closed' where id = $1 returning id), told as (",
///     sdk::outbox_insert!("closed", "$2"),
///     ") select id from closed",
/// );
/// # fn main() { assert!(CLOSE.contains("insert into outbox")); }
/// ```
#[macro_export]
macro_rules! outbox_insert {
    ($from:literal, $parameter:literal) => {
        concat!(
            "insert into outbox (event_id, type, subject, subject_version, occurred_at, traceparent, payload)
             select e.event_id, e.type, e.subject, e.subject_version, e.occurred_at, e.traceparent, e.payload
             from rows from (jsonb_to_recordset(",
            $parameter,
            "::jsonb) as (event_id uuid, type text, subject text, subject_version bigint,
                occurred_at timestamptz, traceparent text, payload jsonb)) with ordinality as e
             where exists (select from ",
            $from,
            ") order by e.ordinality"
        )
    };
}

/// `GET /internal/v1/events`, for other services.
pub fn routes(context: &Context) -> Router {
    Router::new().route("/internal/v1/events", get(events)).with_state(context.db.clone())
}

/// Where in the feed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedParams {
    after: Option<Cursor>,
    limit: Option<u32>,
}

/// A part of a service's events, in the order in which they became visible.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Feed {
    pub data: Vec<Published>,
    /// Where the next part begins, also when there is nothing yet.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
    pub horizon: Horizon,
}

/// How far the feed could be shown when it was asked, in numbers of transactions. They only grow.
///
/// Whoever has seen `newest` has read all that had been told by then as soon as a page is not full and its `settled` is
/// above that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Horizon {
    /// Transactions below it are over. Nothing else is shown.
    #[schema(example = 1_042)]
    pub settled: i64,
    /// The newest one that told something, though it may not be shown yet: an older one may still tell something that
    /// comes before. None has: null.
    #[schema(example = 1_041)]
    pub newest: Option<i64>,
}

impl Horizon {
    /// Whether everything up to that transaction is shown.
    #[must_use]
    pub fn shows(&self, newest: Option<i64>) -> bool {
        newest.is_none_or(|newest| newest < self.settled)
    }
}

/// An event as others read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    #[schema(value_type = String, format = "uuid")]
    pub event_id: Uuid,
    #[serde(rename = "type")]
    #[schema(example = "stock.changed")]
    pub kind: String,
    #[schema(example = "stock/1/42")]
    pub subject: String,
    /// Counts the changes of the subject from 1.
    #[schema(example = 1)]
    pub subject_version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// W3C Trace Context of the request that caused it.
    pub traceparent: Option<String>,
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
}

struct Row {
    horizon: Horizon,
    /// Its place in the feed; none where there is nothing.
    event: Option<((i64, i64), Published)>,
}

impl crate::FromRow for Row {
    fn from_row(row: &crate::Row<'_>) -> Result<Self, DbError> {
        let horizon = Horizon { settled: row.get("settled")?, newest: row.get("newest")? };
        let event = match row.get::<Option<i64>>("xid")? {
            Some(xid) => Some(((xid, row.get("seq")?), Published::from_row(row)?)),
            None => None,
        };
        Ok(Row { horizon, event })
    }
}

impl crate::FromRow for Published {
    fn from_row(row: &crate::Row<'_>) -> Result<Self, DbError> {
        Ok(Published {
            event_id: row.get("event_id")?,
            kind: row.get("type")?,
            subject: row.get("subject")?,
            subject_version: row.get("subject_version")?,
            occurred_at: row.get("occurred_at")?,
            traceparent: row.get("traceparent")?,
            payload: row.get("payload")?,
        })
    }
}

/// What happened here
///
/// The feed of this service. Every event comes once, and none is skipped: it ends before the oldest
/// transaction that still runs, and `horizon` says what lies behind that.
#[utoipa::path(
    get, path = "/internal/v1/events", operation_id = "readEvents", tag = "internal",
    params(
        ("after" = Option<String>, Query, description = "The `next_cursor` of the page before; none: the beginning"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "100 without it"),
    ),
    responses((status = 200, description = "Events after the cursor", body = Feed)),
    security(("service" = [])),
)]
pub async fn events(_: OfService, State(db): State<Db>, Query(params): Query<FeedParams>) -> Result<Json<Feed>> {
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("must be from 1 to {LIMIT_MAX}");
        return Err(Problem::bad_request("invalid-query").parameter("limit", "out-of-range", detail));
    }
    let position: Option<(i64, i64)> = params.after.as_ref().map(Cursor::decode).transpose()?;
    let (xid, seq) = position.unwrap_or((0, 0));
    let rows: Vec<Row> = db.query(READ, params![xid, seq, i64::from(limit)]).await?;
    let horizon = rows.first().map(|row| row.horizon);
    let horizon = horizon.ok_or_else(|| Problem::internal("the end of the feed is always told"))?;
    let (places, data): (Vec<(i64, i64)>, Vec<Published>) = rows.into_iter().filter_map(|row| row.event).unzip();
    let next_cursor = places.last().map(Cursor::encode).or(params.after);
    Ok(Json(Feed { data, next_cursor, horizon }))
}
