//! How much of what the others have told a report knows; and what is done about it, if that is asked for.
//!
//! A feed ends before the oldest transaction that its service still runs. A report knows all that had been told at a
//! moment when the feed has come past what was the newest then, and says which moment that is.

use jiff::{SignedDuration, Timestamp};
use sdk::{Context, DbError, Problem, Result, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::consuming::{self, Until};
use crate::domain::{BUDGET, Epoch, STALENESS_DEFAULT_MS, Source};
use crate::store::feeds::{View, Which};
use crate::store::{self, feeds};

/// A day: whoever bears more than that need not ask.
const STALENESS_MAX_MS: i64 = 86_400_000;

/// How much is known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Freshness {
    /// Whether all is known that had happened `max_staleness_ms` before the question. If not, something of that may be
    /// missing: a source was not reached, has told more than there was time to read, or one of its transactions takes
    /// long.
    pub complete: bool,
    /// What was asked for, or else ten seconds.
    #[schema(example = 10_000)]
    pub max_staleness_ms: i64,
    /// Until when everything is known; null before the first answer of one of the sources.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Timestamp>,
    /// How long ago that is.
    #[schema(example = 850)]
    pub lag_ms: Option<i64>,
    /// Those that the report is made from.
    pub sources: Vec<SourceFreshness>,
}

/// How much is known of a source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceFreshness {
    pub source: Source,
    /// Until when all that it told is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Timestamp>,
    #[schema(example = 850)]
    pub lag_ms: Option<i64>,
}

/// A question: what it is about, when it was asked, and how old an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    sources: &'static [Source],
    asked_at: Timestamp,
    max_staleness_ms: i64,
}

impl Question {
    /// Reads what is older than the question bears, as far as there is time. Without a word about it, nothing.
    ///
    /// # Errors
    /// 400 for a staleness that is none; when the database says no.
    pub async fn ask(context: &Context, sources: &'static [Source], max_staleness_ms: Option<i64>) -> Result<Question> {
        let asked_at = context.clock.now();
        let Some(bound) = max_staleness_ms else {
            return Ok(Question { sources, asked_at, max_staleness_ms: STALENESS_DEFAULT_MS });
        };
        if !(0..=STALENESS_MAX_MS).contains(&bound) {
            let detail = format!("must be from 0 to {STALENESS_MAX_MS}");
            return Err(Problem::bad_request("invalid-query").parameter("max_staleness_ms", "out-of-range", detail));
        }
        let question = Question { sources, asked_at, max_staleness_ms: bound };
        let epoch = store::live(&context.db).await?;
        let views = feeds::views(&context.db, epoch).await?;
        let stale = views.iter().filter(|view| sources.contains(&view.source) && !question.bears(view.as_of));
        let stale: Vec<Source> = stale.map(|view| view.source).collect();
        consuming::follow_all(context, &stale, Which::Live, Until::of(context, BUDGET)).await?;
        Ok(question)
    }

    /// Whether somebody who asked then may be answered with what was known at that time.
    fn bears(&self, as_of: Option<Timestamp>) -> bool {
        as_of.is_some_and(|at| millis(self.asked_at.duration_since(at)) <= self.max_staleness_ms)
    }

    /// The live epoch, and how much it knows: in the very snapshot that the answer is made from.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn look(&self, tx: &Tx, now: Timestamp) -> Result<(Epoch, Freshness), DbError> {
        let epoch = store::live(tx).await?;
        let views = feeds::views(tx, epoch).await?;
        Ok((epoch, self.freshness(&views, now)))
    }

    /// What these views come to.
    #[must_use]
    pub fn freshness(&self, views: &[View], now: Timestamp) -> Freshness {
        let of = |source: &Source| {
            let as_of = views.iter().find(|view| view.source == *source).and_then(|view| view.as_of);
            SourceFreshness { source: *source, as_of, lag_ms: as_of.map(|at| lag_ms(at, now)) }
        };
        let sources: Vec<SourceFreshness> = self.sources.iter().map(of).collect();
        let known: Option<Vec<Timestamp>> = sources.iter().map(|source| source.as_of).collect();
        let as_of = known.and_then(|known| known.into_iter().min());
        Freshness {
            complete: sources.iter().all(|source| self.bears(source.as_of)),
            max_staleness_ms: self.max_staleness_ms,
            as_of,
            lag_ms: as_of.map(|at| lag_ms(at, now)),
            sources,
        }
    }
}

/// How long ago it is; never less than nothing, though clocks differ.
#[must_use]
pub fn lag_ms(at: Timestamp, now: Timestamp) -> i64 {
    millis(now.duration_since(at)).max(0)
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
