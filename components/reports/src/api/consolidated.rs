//! `/api/v1/reports/consolidated`: everything about some days.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::civil::Date;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::body::{Figures, PeriodBody, ProductFigures, TaxBody};
use super::period;
use crate::domain::Source::{self, Inventory, Orders, Products, Sales};
use crate::domain::{Channel, LocationId};
use crate::freshness::{Freshness, Question};
use crate::store::figures::{self, Measure, Scope, Totals};
use crate::store::shelves::{self, Left};

/// Whose word it is made from.
const SOURCES: &[Source] = &[Products, Inventory, Orders, Sales];

/// How many products are shown.
const TOP: i64 = 10;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/consolidated", get(read))
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConsolidatedQuery {
    /// A day in Toronto; `to`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Included; `from`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    store: Option<LocationId>,
    channel: Option<Channel>,
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// Everything about some days.
#[derive(Debug, Serialize, ToSchema)]
pub struct Consolidated {
    period: PeriodBody,
    totals: Figures,
    taxes: Vec<TaxBody>,
    by_store: Vec<StoreFigures>,
    by_channel: Vec<ChannelFigures>,
    /// By units.
    top_products: Vec<ProductFigures>,
    /// As it is now, whatever the days.
    stock: StockLeft,
    freshness: Freshness,
}

/// What was sold in a store.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreFigures {
    #[schema(example = 1)]
    store_id: LocationId,
    #[serde(flatten)]
    figures: Figures,
}

/// What was sold by a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelFigures {
    channel: Channel,
    #[serde(flatten)]
    figures: Figures,
}

/// What there is, in units; and how many products at locations have too little of it, or too much.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockLeft {
    #[schema(example = 2_400)]
    on_hand: i64,
    reserved: i64,
    /// `on_hand - reserved`.
    available: i64,
    in_transit: i64,
    out: i64,
    low: i64,
    over: i64,
}

impl From<Left> for StockLeft {
    fn from(left: Left) -> StockLeft {
        let Left { on_hand, reserved, in_transit, out, low, over } = left;
        StockLeft { on_hand, reserved, available: on_hand - reserved, in_transit, out, low, over }
    }
}

/// Everything about some days
///
/// Revenue, taxes, what sold best, and what is left.
#[utoipa::path(
    get, path = "/api/v1/reports/consolidated", operation_id = "consolidatedReport", tag = "reports",
    params(ConsolidatedQuery),
    responses((status = 200, description = "The report", body = Consolidated)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<ConsolidatedQuery>,
) -> Result<Json<Consolidated>> {
    let period = period(&context, query.from, query.to).await?;
    let question = Question::ask(&context, SOURCES, query.max_staleness_ms).await?;
    let (context, query) = (&context, &query);
    let read = |tx: Tx| async move {
        let (epoch, freshness) = question.look(&tx, context.clock.now()).await?;
        let scope = Scope { epoch, period, store: query.store, channel: query.channel };
        let (totals, by_store, by_channel) = sorted(figures::totals(&tx, &scope).await?)?;
        let taxes = figures::taxes(&tx, &scope).await?;
        let top = figures::top(&tx, &scope, Measure::Units, TOP).await?;
        let left = shelves::left(&tx, epoch, query.store).await?;
        let taxes: Result<Vec<TaxBody>, _> = taxes.into_iter().map(TaxBody::try_from).collect();
        Ok::<_, Problem>(Consolidated {
            period: period.into(),
            totals,
            taxes: taxes?,
            by_store,
            by_channel,
            top_products: top.into_iter().map(ProductFigures::from).collect(),
            stock: left.into(),
            freshness,
        })
    };
    context.db.transaction_with(Isolation::RepeatableRead, read).await.map(Json)
}

/// All, each store, each channel.
fn sorted(totals: Vec<Totals>) -> Result<(Figures, Vec<StoreFigures>, Vec<ChannelFigures>)> {
    let (mut all, mut by_store, mut by_channel) = (None, Vec::new(), Vec::new());
    for totals in totals {
        match (totals.grouped, totals.store_id, totals.channel) {
            (1, Some(store_id), _) => by_store.push(StoreFigures { store_id, figures: totals.into() }),
            (2, _, Some(channel)) => by_channel.push(ChannelFigures { channel, figures: totals.into() }),
            _ => all = Some(totals.into()),
        }
    }
    let all = all.ok_or_else(|| Problem::internal("a sum over nothing is a row"))?;
    Ok((all, by_store, by_channel))
}
