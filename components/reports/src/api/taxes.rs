//! `/api/v1/reports/taxes`: what is owed for a month.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::body::{PeriodBody, TaxBody};
use crate::domain::Source::{self, Orders, Sales};
use crate::domain::period::Period;
use crate::domain::{Channel, LocationId};
use crate::freshness::{Freshness, Question};
use crate::store::figures::{self, Scope};

/// Whose word it is made from.
const SOURCES: &[Source] = &[Orders, Sales];

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/taxes", get(read))
}

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaxesQuery {
    /// A month in Toronto.
    #[param(example = "2026-11")]
    period: String,
    store: Option<LocationId>,
    channel: Option<Channel>,
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// The taxes of a month.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taxes {
    period: PeriodBody,
    /// By tax, and by rate.
    data: Vec<TaxBody>,
    freshness: Freshness,
}

/// The taxes of a month
///
/// As they were charged, each rounded once on its sale, and never computed from sums. What is zero-rated is in none.
#[utoipa::path(
    get, path = "/api/v1/reports/taxes", operation_id = "taxesReport", tag = "reports", params(TaxesQuery),
    responses((status = 200, description = "GST and QST by rate", body = Taxes)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<TaxesQuery>,
) -> Result<Json<Taxes>> {
    let period = Period::of_month(&query.period).ok_or_else(|| {
        Problem::bad_request("invalid-query").parameter("period", "invalid-value", "must be a month such as 2026-11")
    })?;
    let question = Question::ask(&context, SOURCES, query.max_staleness_ms).await?;
    let (context, query) = (&context, &query);
    let read = |tx: Tx| async move {
        let (epoch, freshness) = question.look(&tx, context.clock.now()).await?;
        let scope = Scope { epoch, period, store: query.store, channel: query.channel };
        let data: Result<Vec<TaxBody>, _> =
            figures::taxes(&tx, &scope).await?.into_iter().map(TaxBody::try_from).collect();
        Ok::<_, Problem>(Taxes { period: period.into(), data: data?, freshness })
    };
    context.db.transaction_with(Isolation::RepeatableRead, read).await.map(Json)
}
