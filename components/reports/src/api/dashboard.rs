//! `/api/v1/reports/dashboard`: how the network does, at a glance.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::civil::Date;
use pricing::Money;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::body::{Figures, PeriodBody};
use super::period;
use crate::domain::Source::{self, Inventory, Orders, Products, Sales};
use crate::domain::period::Period;
use crate::domain::rating::{Rating, Trend, change_bp, rate, ratio_bp, trend};
use crate::domain::{LocationId, ProductId};
use crate::freshness::{Freshness, Question};
use crate::store;
use crate::store::figures::{self, Scope, StoreRevenue};
use crate::store::shelves::{self, Shelf};

/// Whose word it is made from.
const SOURCES: &[Source] = &[Products, Inventory, Orders, Sales];

/// How many alerts of a kind are listed.
const ALERTS: i64 = 100;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/dashboard", get(read))
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DashboardQuery {
    /// A day in Toronto; `to`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Included; `from`, or today, without it.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// How the network does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dashboard {
    period: PeriodBody,
    /// Of all stores, and of what was sold online.
    network: Figures,
    /// Of the whole network.
    trend: TrendBody,
    /// Where there is a till.
    stores: Vec<StoreBody>,
    alerts: Alerts,
    freshness: Freshness,
}

/// A store against the mean of the stores, before taxes.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreBody {
    #[schema(example = 1)]
    store_id: LocationId,
    net: Money,
    rating: Rating,
    /// Of the mean, in hundredths of a percent; null when the mean is nothing.
    #[schema(example = 10_350)]
    ratio_bp: Option<i64>,
    trend: TrendBody,
}

/// The last seven full business days against the seven before, before taxes. A trend is more than 5 %.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrendBody {
    trend: Trend,
    recent: Money,
    before: Money,
    /// In hundredths of a percent; null against nothing.
    #[schema(example = -1_200)]
    change_bp: Option<i64>,
}

impl TrendBody {
    fn of(recent: Money, before: Money) -> TrendBody {
        TrendBody { trend: trend(recent, before), recent, before, change_bp: change_bp(recent, before) }
    }
}

/// What there is too little of, or too much.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    #[serde(rename = "RUPTURE")]
    out: AlertList,
    #[serde(rename = "SURSTOCK")]
    over: AlertList,
}

/// Products at locations.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertList {
    /// How many there are.
    #[schema(example = 3)]
    count: i64,
    /// The first hundred.
    data: Vec<Alert>,
}

/// A product at a location.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    #[schema(example = 3)]
    location_id: LocationId,
    #[schema(example = 37)]
    product_id: ProductId,
    sku: Option<String>,
    name: Option<String>,
    on_hand: i64,
    reserved: i64,
}

impl From<Vec<Shelf>> for AlertList {
    fn from(shelves: Vec<Shelf>) -> AlertList {
        let count = shelves.first().map_or(0, |shelf| shelf.of);
        let alert = |shelf: Shelf| {
            let Shelf { location_id, product_id, sku, name, on_hand, reserved, .. } = shelf;
            Alert { location_id, product_id, sku, name, on_hand, reserved }
        };
        AlertList { count, data: shelves.into_iter().map(alert).collect() }
    }
}

/// How the network does
///
/// Each store is measured against the mean of the stores: `BONNE` from the mean, `MOYENNE` from four fifths of it,
/// else `FAIBLE`. A store is where a till was ever opened; what is sold online counts where it is a store's sale.
#[utoipa::path(
    get, path = "/api/v1/reports/dashboard", operation_id = "dashboard", tag = "reports", params(DashboardQuery),
    responses((status = 200, description = "The dashboard", body = Dashboard)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<DashboardQuery>,
) -> Result<Json<Dashboard>> {
    let period = period(&context, query.from, query.to).await?;
    let question = Question::ask(&context, SOURCES, query.max_staleness_ms).await?;
    let now = context.clock.now();
    let weeks = Period::last_two_weeks(store::day_of(&context.db, now).await?);
    let read = |tx: Tx| async move {
        let (epoch, freshness) = question.look(&tx, now).await?;
        let scope = Scope { epoch, period, store: None, channel: None };
        let totals = figures::totals(&tx, &scope).await?.into_iter().find(|totals| totals.grouped == 3);
        let totals = totals.ok_or_else(|| Problem::internal("a sum over nothing is a row"))?;
        let (network, stores) = figures::revenue(&tx, epoch, period, weeks).await?;
        let alerts = Alerts {
            out: shelves::at_level(&tx, epoch, "out", ALERTS).await?.into(),
            over: shelves::at_level(&tx, epoch, "over", ALERTS).await?.into(),
        };
        Ok::<_, Problem>(Dashboard {
            period: period.into(),
            network: totals.into(),
            trend: TrendBody::of(network.recent, network.before),
            stores: rated(stores)?,
            alerts,
            freshness,
        })
    };
    context.db.transaction_with(Isolation::RepeatableRead, read).await.map(Json)
}

fn rated(stores: Vec<StoreRevenue>) -> Result<Vec<StoreBody>> {
    let (all, count) = (Money::try_sum(stores.iter().map(|store| store.net))?, stores.len());
    let body = |store: StoreRevenue| {
        let StoreRevenue { store_id, net, recent, before } = store;
        let trend = TrendBody::of(recent, before);
        StoreBody { store_id, net, rating: rate(net, all, count), ratio_bp: ratio_bp(net, all, count), trend }
    };
    Ok(stores.into_iter().map(body).collect())
}
