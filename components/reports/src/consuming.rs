//! The feeds are read: a page, with no transaction open, and then one transaction that moves the cursor and writes
//! what the page says, or neither.
//!
//! The cursor is compared and set, so of two who have read the same page one writes it, and whoever is killed has
//! written all of it or nothing. Every epoch that is at the place of the page is written in that transaction: a
//! rebuild that has come to where the live epoch is goes on beside it from then on.
//!
//! Nothing that a page says stops a feed. A type that means nothing here is counted; an event that cannot be read is
//! put aside, whole; a page that cannot be taken as a whole is taken event by event, until the one is found that is to
//! blame.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sdk::{ClientError, Context, DbError, Tx, log, metrics};
use serde_json::value::RawValue;

use crate::clients::{self, Page};
use crate::domain::payload::Event;
use crate::domain::projection::{Meaning, Unreadable};
use crate::domain::rows::Rows;
use crate::domain::versions::{Taken, Track};
use crate::domain::{Epoch, PAGE_MAX, Source, page_limit_after};
use crate::store::feeds::{self, Position, Step, Stop, Which};
use crate::store::insert::insert;
use crate::store::tracks::{self, Rejected, Repeat};

/// The most pages of a feed that are read in one go; then others are served.
pub const PAGES_MAX: u32 = 100;

/// How long is waited for transactions that hold back what others have told: most last some milliseconds, and one that
/// lasts longer is not asked about all the time.
const PAUSES_MS: [u64; 9] = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560];

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that had been told when the reading began is read.
    End,
    /// That is not: a transaction that still runs may tell something that comes before it.
    HeldBack,
    /// There may be more; or somebody else has written it, or it is asked for again, shorter.
    More,
    /// The source was not reached, or its answer is none.
    Failed,
}

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Until(pub Timestamp);

impl Until {
    pub fn of(context: &Context, budget: impl TryInto<SignedDuration>) -> Until {
        let now = context.clock.now();
        let end = budget.try_into().ok().and_then(|budget| now.checked_add(budget).ok());
        Until(end.unwrap_or(now))
    }

    pub fn is_over(self, context: &Context) -> bool {
        context.clock.now() > self.0
    }

    /// Nothing, if it is over.
    fn left(self, context: &Context) -> Duration {
        self.0.duration_since(context.clock.now()).try_into().unwrap_or(Duration::ZERO)
    }
}

/// Reads these feeds, side by side: none waits for another.
///
/// # Errors
/// When the database says no; the first of it, when all are through.
pub async fn follow_all(context: &Context, sources: &[Source], which: Which, until: Until) -> Result<(), DbError> {
    let all = sources.iter().map(|source| follow(context, *source, which, until));
    join_all(all).await.into_iter().collect()
}

/// Reads a feed to its end, as far as there is time: to where it was, whatever is told meanwhile.
///
/// # Errors
/// When the database says no.
pub async fn follow(context: &Context, source: Source, which: Which, until: Until) -> Result<(), DbError> {
    let (mut end, mut pauses) = (None, PAUSES_MS.into_iter());
    for _ in 0..PAGES_MAX {
        let Some(position) = feeds::position(&context.db, source, which).await? else { return Ok(()) };
        if which == Which::Building && position.beside_live {
            // Whoever reads for the live one reads for both.
            return Ok(());
        }
        let outcome = advance(context, &position, &mut end).await?;
        if until.is_over(context) {
            return Ok(());
        }
        match outcome {
            Outcome::More => {}
            Outcome::HeldBack => match pauses.next() {
                Some(pause) => sdk::sleep(Duration::from_millis(pause).min(until.left(context))).await,
                None => return Ok(()),
            },
            Outcome::End | Outcome::Failed => return Ok(()),
        }
    }
    Ok(())
}

/// The end of a feed at a moment: before a transaction that may not be shown yet.
#[derive(Clone, Copy, Debug)]
pub struct End {
    at: Timestamp,
    newest: Option<i64>,
}

/// Reads a page and writes it. The first one that is answered says where the end is.
///
/// # Errors
/// When the database says no, and not because of what is in the page.
pub async fn advance(context: &Context, position: &Position, end: &mut Option<End>) -> Result<Outcome, DbError> {
    let (source, read_at) = (position.source, context.clock.now());
    let page = clients::events(&context.http, source, position.cursor.as_deref(), position.page_limit).await;
    let page = match page {
        Ok(page) => page,
        Err(reason) => return failed(context, position, &reason).await.map(|()| Outcome::Failed),
    };
    let reached = Reached::by(position, &page, read_at, end);
    if page.events.is_empty() {
        feeds::nothing_new(&context.db, position, read_at, reached.as_of()).await?;
        return Ok(reached.outcome());
    }
    let alone = page.events.len() == 1;
    let batch = Batch::of(position, page, read_at, reached);
    match write(context, position, &batch).await {
        Ok(epochs) if epochs.is_empty() => Ok(Outcome::More),
        Ok(_) => {
            count(source, &batch);
            Ok(batch.reached.outcome())
        }
        Err(err) if !is_about_data(&err) => Err(err),
        Err(_) if !alone => {
            feeds::shrink(&context.db, position, 1).await?;
            Ok(Outcome::More)
        }
        Err(err) => {
            log::error!("an event could not be written and was put aside", source = source.as_str(), reason = err);
            write(context, position, &batch.put_aside(&err.to_string())).await?;
            Ok(Outcome::More)
        }
    }
}

/// How far a page goes.
#[derive(Clone, Copy, Debug)]
enum Reached {
    /// All that had been told then.
    AsOf(Timestamp),
    /// To where the feed is shown, which is before that.
    Shown,
    /// There may be more.
    Page,
}

impl Reached {
    fn by(position: &Position, page: &Page, read_at: Timestamp, end: &mut Option<End>) -> Reached {
        let full = u32::try_from(page.events.len()).unwrap_or(PAGE_MAX) >= position.page_limit;
        let Some(horizon) = page.horizon else { return if full { Reached::Page } else { Reached::Shown } };
        let here = End { at: read_at, newest: horizon.newest };
        let first = *end.get_or_insert(here);
        if full {
            return Reached::Page;
        }
        let shown = [here, first].into_iter().find(|end| horizon.shows(end.newest));
        shown.map_or(Reached::Shown, |end| Reached::AsOf(end.at))
    }

    const fn as_of(self) -> Option<Timestamp> {
        match self {
            Reached::AsOf(at) => Some(at),
            Reached::Shown | Reached::Page => None,
        }
    }

    const fn outcome(self) -> Outcome {
        match self {
            Reached::AsOf(_) => Outcome::End,
            Reached::Shown => Outcome::HeldBack,
            Reached::Page => Outcome::More,
        }
    }
}

/// An answer that cannot be read may be one that is too long.
async fn failed(context: &Context, position: &Position, reason: &ClientError) -> Result<(), DbError> {
    let limit = match reason {
        ClientError::Protocol(_) => (position.page_limit / 2).max(1),
        _ => position.page_limit,
    };
    let source = position.source.as_str();
    metrics::counter("feed_reads_failed_total", &[("source", source)], 1.0);
    log::warn!("a feed was not read", source = source, reason = reason);
    feeds::failed(&context.db, position, context.clock.now(), &reason.to_string(), limit).await
}

fn count(source: Source, batch: &Batch) {
    let add = |name, count: usize| {
        if count > 0 {
            // Far below what a float counts exactly.
            metrics::counter(name, &[("source", source.as_str())], count as f64);
        }
    };
    add("feed_events_consumed_total", batch.arrivals.len());
    add("feed_events_rejected_total", batch.unreadable().count());
}

/// SQLSTATE classes 22, 23 and 54 (PostgreSQL, appendix A): what is in the page cannot be stored, however often it is
/// tried.
fn is_about_data(err: &DbError) -> bool {
    match err {
        DbError::Database { sqlstate, .. } => ["22", "23", "54"].iter().any(|class| sqlstate.starts_with(class)),
        DbError::InvalidParameter(_) => true,
        _ => false,
    }
}

/// An event as it came, and as it was read.
struct Arrival {
    raw: Box<RawValue>,
    /// None: it is not even an event.
    event: Option<Event>,
    /// Why nothing of it is taken in.
    unreadable: Option<String>,
}

impl Arrival {
    /// Takes it in, if that can be done.
    fn read(source: Source, raw: Box<RawValue>, rows: &mut Rows, ignored: &mut i64) -> Arrival {
        let event: Event = match serde_json::from_str(raw.get()) {
            Ok(event) => event,
            Err(err) => return Arrival { raw, event: None, unreadable: Some(err.to_string()) },
        };
        let unreadable = match rows.take(source, &event) {
            Ok(Meaning::Known) => None,
            Ok(Meaning::Unknown) => {
                *ignored += 1;
                None
            }
            Err(Unreadable(reason)) => Some(reason),
        };
        Arrival { raw, event: Some(event), unreadable }
    }
}

/// A page, ready to be written.
struct Batch {
    source: Source,
    arrivals: Vec<Arrival>,
    rows: Rows,
    ignored: i64,
    cursor: Option<String>,
    reached: Reached,
    next_limit: u32,
    read_at: Timestamp,
}

impl Batch {
    /// Up to the place of another epoch, if that is in the page: from there they go on together.
    fn of(position: &Position, page: Page, read_at: Timestamp, mut reached: Reached) -> Batch {
        let Page { mut events, next_cursor: mut cursor, bytes, .. } = page;
        let source = position.source;
        let next_limit = page_limit_after(position.page_limit, bytes);
        let to_go = |stop: &Stop| usize::try_from(stop.consumed - position.consumed).unwrap_or(usize::MAX);
        if let Some(stop) = position.stops.0.iter().min_by_key(|stop| to_go(stop))
            && to_go(stop) <= events.len()
        {
            events.truncate(to_go(stop));
            (cursor, reached) = (Some(stop.cursor.clone()), Reached::Page);
        }
        let (mut rows, mut ignored) = (Rows::default(), 0);
        let arrivals = events.into_iter().map(|raw| Arrival::read(source, raw, &mut rows, &mut ignored)).collect();
        Batch { source, arrivals, rows, ignored, cursor, reached, next_limit, read_at }
    }

    /// The same, of which nothing is taken in.
    fn put_aside(self, reason: &str) -> Batch {
        let aside = |arrival: Arrival| Arrival { event: None, unreadable: Some(reason.to_owned()), ..arrival };
        let arrivals = self.arrivals.into_iter().map(aside).collect();
        Batch { arrivals, rows: Rows::default(), ignored: 0, ..self }
    }

    fn unreadable(&self) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().filter(|arrival| arrival.unreadable.is_some())
    }

    fn step(&self) -> Step {
        let last = self.arrivals.last().and_then(|arrival| arrival.event.as_ref());
        Step {
            cursor: self.cursor.clone(),
            last_event_at: last.map(|event| event.occurred_at),
            consumed: i64::try_from(self.arrivals.len()).unwrap_or(i64::MAX),
            ignored: self.ignored,
            rejected: i64::try_from(self.unreadable().count()).unwrap_or(i64::MAX),
            page_limit: self.next_limit,
            read_at: self.read_at,
            as_of: self.reached.as_of(),
        }
    }

    /// The rows without those of events that were told before.
    fn rows_without(&self, repeated: &BTreeSet<usize>) -> Rows {
        let mut rows = Rows::default();
        for (place, arrival) in self.arrivals.iter().enumerate() {
            if let (Some(event), false) = (&arrival.event, repeated.contains(&place)) {
                // One that cannot be read leaves nothing behind, and is put aside elsewhere.
                let _ = rows.take(self.source, event);
            }
        }
        rows
    }
}

/// For every epoch that is still at that place; which ones were. Nobody: somebody else was faster.
async fn write(context: &Context, position: &Position, batch: &Batch) -> Result<Vec<Epoch>, DbError> {
    let now = context.clock.now();
    let write = |tx: Tx| async move {
        let epochs = feeds::move_on(&tx, position, &batch.step()).await?;
        for epoch in &epochs {
            write_for(&tx, *epoch, batch, now).await?;
        }
        Ok(epochs)
    };
    context.db.transaction(write).await
}

async fn write_for(tx: &Tx, epoch: Epoch, batch: &Batch, now: Timestamp) -> Result<(), DbError> {
    let source = batch.source;
    let (repeats, repeated) = track(tx, epoch, batch, now).await?;
    if repeats.is_empty() {
        insert(tx, epoch, &batch.rows).await?;
    } else {
        log::error!("events were told twice", source = source.as_str(), events = repeats.len());
        tracks::repeated(tx, epoch, source, &repeats, now).await?;
        insert(tx, epoch, &batch.rows_without(&repeated)).await?;
    }
    let rejected = batch.unreadable().map(|arrival| Rejected {
        event: arrival.raw.get().to_owned(),
        reason: arrival.unreadable.clone().unwrap_or_default(),
    });
    let rejected: Vec<Rejected> = rejected.collect();
    if !rejected.is_empty() {
        log::error!("events could not be read and were put aside", source = source.as_str(), events = rejected.len());
        tracks::rejected(tx, epoch, source, &rejected, now).await?;
    }
    Ok(())
}

/// Writes which versions were told; those that were told before, and their places in the page.
async fn track(
    tx: &Tx,
    epoch: Epoch,
    batch: &Batch,
    now: Timestamp,
) -> Result<(Vec<Repeat>, BTreeSet<usize>), DbError> {
    let source = batch.source;
    let events = || batch.arrivals.iter().enumerate().filter_map(|(place, it)| Some((place, it.event.as_ref()?)));
    let subjects: BTreeSet<&str> = events().map(|(_, event)| event.subject.as_str()).collect();
    if subjects.is_empty() {
        return Ok((Vec::new(), BTreeSet::new()));
    }
    let known = tracks::load(tx, epoch, source, subjects.into_iter().collect()).await?;
    let mut tracks: BTreeMap<String, Track> = known.into_iter().map(|known| (known.subject, known.track)).collect();
    let gappy = |tracks: &BTreeMap<String, Track>| {
        let gappy = tracks.iter().filter(|(_, track)| !track.gaps.is_empty());
        gappy.map(|(subject, _)| subject.clone()).collect::<BTreeSet<String>>()
    };
    let mut touched = gappy(&tracks);
    let (mut repeats, mut repeated) = (Vec::new(), BTreeSet::new());
    for (place, event) in events() {
        let Event { subject, subject_version: version, event_id, .. } = event;
        let taken = match tracks.get_mut(subject) {
            Some(track) => track.take(*version, now),
            None => {
                let track = Track::begin(*version, source.counts_from_one(), now);
                tracks.insert(subject.clone(), track);
                Taken::New
            }
        };
        if taken == Taken::Repeat {
            repeats.push(Repeat { subject: subject.clone(), version: *version, event_id: *event_id });
            repeated.insert(place);
        }
    }
    touched.extend(gappy(&tracks));
    tracks::save(tx, epoch, source, &tracks, touched.iter().map(String::as_str).collect()).await?;
    Ok((repeats, repeated))
}
