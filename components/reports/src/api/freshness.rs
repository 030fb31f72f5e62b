//! `/api/v1/reports/freshness`: how far each feed was read.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use crate::domain::Source;
use crate::freshness::{Freshness, Question, lag_ms};
use crate::store::feeds::View;
use crate::store::{self, feeds};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/freshness", get(read))
}

/// What is to be read first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FreshnessQuery {
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// How far each feed was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshnessReport {
    freshness: Freshness,
    data: Vec<FeedBody>,
}

/// How far a feed was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedBody {
    source: Source,
    /// Events so far.
    #[schema(example = 1_234)]
    consumed: i64,
    /// Of them, those of a type that means nothing here.
    ignored: i64,
    /// Of them, those that could not be read and were put aside.
    rejected: i64,
    /// When the last of them happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_event_at: Option<Timestamp>,
    /// When the feed last answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// Until when all that it told is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    #[schema(example = 850)]
    lag_ms: Option<i64>,
    /// Attempts that failed since it last answered.
    failures: i32,
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
}

impl FeedBody {
    fn of(view: View, now: Timestamp) -> FeedBody {
        let View { source, consumed, ignored, rejected, last_event_at, read_at, as_of, failures, failed_at } = view;
        let lag_ms = as_of.map(|at| lag_ms(at, now));
        FeedBody { source, consumed, ignored, rejected, last_event_at, read_at, as_of, lag_ms, failures, failed_at }
    }
}

/// How far each feed was read
#[utoipa::path(
    get, path = "/api/v1/reports/freshness", operation_id = "freshness", tag = "reports", params(FreshnessQuery),
    responses((status = 200, description = "Feed by feed", body = FreshnessReport)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<FreshnessQuery>,
) -> Result<Json<FreshnessReport>> {
    let question = Question::ask(&context, Source::ALL, query.max_staleness_ms).await?;
    let now = context.clock.now();
    let read = |tx: Tx| async move {
        let epoch = store::live(&tx).await?;
        let views = feeds::views(&tx, epoch).await?;
        let freshness = question.freshness(&views, now);
        let data = views.into_iter().map(|view| FeedBody::of(view, now)).collect();
        Ok::<_, Problem>(FreshnessReport { freshness, data })
    };
    context.db.transaction_with(Isolation::RepeatableRead, read).await.map(Json)
}
