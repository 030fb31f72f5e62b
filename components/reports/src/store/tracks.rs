//! The SQL of what was told of each subject, and of what was out of the ordinary.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, Tx, Value, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::versions::{Gap, Track};
use crate::domain::{Epoch, Source};

const LOAD: &str = "
    select s.subject, s.first, s.last, g.gaps
    from subjects s
    cross join lateral (
        select jsonb_agg(jsonb_build_object('low', m.low, 'high', m.high, 'since', m.since) order by m.low) as gaps
        from missing m
        where m.epoch = s.epoch and m.source = s.source and m.subject = s.subject
    ) g
    where s.epoch = $1 and s.source = $2 and s.subject = any ($3)";

const SAVE: &str = "
    insert into subjects (epoch, source, subject, first, last)
    select $1, $2, t.subject, t.first, t.last
    from jsonb_to_recordset($3) as t (subject text, first bigint, last bigint)
    order by t.subject
    on conflict on constraint subjects_pkey do update set first = excluded.first, last = excluded.last";

const FORGET_GAPS: &str = "
    delete from missing where epoch = $1 and source = $2 and subject = any ($3)";

const SAVE_GAPS: &str = "
    insert into missing (epoch, source, subject, low, high, since)
    select $1, $2, g.subject, g.low, g.high, g.since
    from jsonb_to_recordset($3) as g (subject text, low bigint, high bigint, since timestamptz)";

const REPEATED: &str = "
    insert into repeats (epoch, source, subject, version, event_id, seen_at)
    select $1, $2, r.subject, r.version, r.event_id, $4
    from jsonb_to_recordset($3) as r (subject text, version bigint, event_id uuid)
    on conflict on constraint repeats_pkey do nothing";

const REJECTED: &str = "
    insert into rejected_events (epoch, source, digest, event, reason, rejected_at)
    select $1, $2, md5(r.event), r.event, r.reason, $4
    from jsonb_to_recordset($3) as r (event text, reason text)
    on conflict on constraint rejected_events_pkey do nothing";

/// An event of a version that was told before.
#[derive(Clone, Debug, Serialize)]
pub struct Repeat {
    pub subject: String,
    pub version: i64,
    pub event_id: Uuid,
}

/// An event that could not be read, as it came.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    pub event: String,
    pub reason: String,
}

/// What is known of a subject, and whether gaps of it are stored.
#[derive(Clone, Debug)]
pub struct Known {
    pub subject: String,
    pub track: Track,
}

#[derive(Deserialize)]
struct StoredGap {
    low: i64,
    high: i64,
    since: Timestamp,
}

impl FromRow for Known {
    fn from_row(row: &Row<'_>) -> Result<Known, DbError> {
        let gaps: Option<serde_json::Value> = row.get("gaps")?;
        let gaps: Option<Vec<StoredGap>> = gaps
            .map(serde_json::from_value)
            .transpose()
            .map_err(|err| DbError::Conversion(format!("column \"gaps\": {err}")))?;
        let gap = |StoredGap { low, high, since }| Gap { low, high, since };
        let gaps = gaps.unwrap_or_default().into_iter().map(gap).collect();
        let track = Track { first: row.get("first")?, last: row.get("last")?, gaps };
        Ok(Known { subject: row.get("subject")?, track })
    }
}

/// Those of these subjects of which something was told.
pub async fn load(tx: &Tx, epoch: Epoch, source: Source, subjects: Vec<&str>) -> Result<Vec<Known>, DbError> {
    tx.query(LOAD, params![epoch, source, subjects]).await
}

/// The subjects as they are now. Gaps are written anew for those in `gappy`, which have some or had some.
pub async fn save(
    tx: &Tx,
    epoch: Epoch,
    source: Source,
    tracks: &BTreeMap<String, Track>,
    gappy: Vec<&str>,
) -> Result<(), DbError> {
    let row = |(subject, track): (&String, &Track)| serde_json::json!({"subject": subject, "first": track.first, "last": track.last});
    let rows: Vec<serde_json::Value> = tracks.iter().map(row).collect();
    tx.execute(SAVE, params![epoch, source, json(&rows)?]).await?;
    if gappy.is_empty() {
        return Ok(());
    }
    let mut gaps = Vec::new();
    for subject in &gappy {
        let row =
            |gap: &Gap| serde_json::json!({"subject": subject, "low": gap.low, "high": gap.high, "since": gap.since});
        gaps.extend(tracks.get(*subject).into_iter().flat_map(|track| &track.gaps).map(row));
    }
    tx.execute(FORGET_GAPS, params![epoch, source, gappy]).await?;
    if !gaps.is_empty() {
        tx.execute(SAVE_GAPS, params![epoch, source, json(&gaps)?]).await?;
    }
    Ok(())
}

/// Records what was told twice.
pub async fn repeated(
    tx: &Tx,
    epoch: Epoch,
    source: Source,
    repeats: &[Repeat],
    now: Timestamp,
) -> Result<(), DbError> {
    if repeats.is_empty() {
        return Ok(());
    }
    tx.execute(REPEATED, params![epoch, source, json(repeats)?, now]).await.map(|_| ())
}

/// Puts aside what could not be read.
pub async fn rejected(
    tx: &Tx,
    epoch: Epoch,
    source: Source,
    rejected: &[Rejected],
    now: Timestamp,
) -> Result<(), DbError> {
    if rejected.is_empty() {
        return Ok(());
    }
    tx.execute(REJECTED, params![epoch, source, json(rejected)?, now]).await.map(|_| ())
}

/// Rows as the one parameter of a statement.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<Value, DbError> {
    serde_json::to_string(rows).map(Value::Json).map_err(|err| DbError::Unexpected(err.to_string()))
}
