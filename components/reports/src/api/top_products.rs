//! `/api/v1/reports/top-products`: what sells best.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::civil::Date;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::body::{PeriodBody, ProductFigures};
use super::period;
use crate::domain::Source::{self, Orders, Products, Sales};
use crate::domain::{Channel, LocationId};
use crate::freshness::{Freshness, Question};
use crate::store::figures::{self, Measure, Scope};

/// Whose word it is made from.
const SOURCES: &[Source] = &[Products, Orders, Sales];

const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 200;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/top-products", get(read))
}

/// Which days, and which products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TopQuery {
    /// A day in Toronto; `to`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Included; `from`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    store: Option<LocationId>,
    channel: Option<Channel>,
    /// `units` without it.
    by: Option<Measure>,
    #[param(minimum = 1, maximum = 200, default = 10)]
    limit: Option<u32>,
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// What sells best.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopProducts {
    period: PeriodBody,
    by: Measure,
    /// The best first; of equals the one with the lower id.
    data: Vec<ProductFigures>,
    freshness: Freshness,
}

/// What sells best
#[utoipa::path(
    get, path = "/api/v1/reports/top-products", operation_id = "topProducts", tag = "reports", params(TopQuery),
    responses((status = 200, description = "Products, less what came back", body = TopProducts)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<TopQuery>,
) -> Result<Json<TopProducts>> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("must be from 1 to {LIMIT_MAX}");
        return Err(Problem::bad_request("invalid-query").parameter("limit", "out-of-range", detail));
    }
    let by = query.by.unwrap_or(Measure::Units);
    let period = period(&context, query.from, query.to).await?;
    let question = Question::ask(&context, SOURCES, query.max_staleness_ms).await?;
    let (context, query) = (&context, &query);
    let read = |tx: Tx| async move {
        let (epoch, freshness) = question.look(&tx, context.clock.now()).await?;
        let scope = Scope { epoch, period, store: query.store, channel: query.channel };
        let top = figures::top(&tx, &scope, by, limit.into()).await?;
        let data = top.into_iter().map(ProductFigures::from).collect();
        Ok::<_, Problem>(TopProducts { period: period.into(), by, data, freshness })
    };
    context.db.transaction_with(Isolation::RepeatableRead, read).await.map(Json)
}
