//! `/api/v1/reports/sales`: sales by something, as JSON or as a spreadsheet.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use pricing::Money;
use sdk::{Context, Isolation, Json, Problem, Query, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use super::body::PeriodBody;
use super::period;
use super::spreadsheet::{self, Format};
use crate::domain::Source::{self, Orders, Products, Sales};
use crate::domain::{Channel, LocationId};
use crate::freshness::{Freshness, Question};
use crate::store::figures::Scope;
use crate::store::groups::{self, GROUPS_MAX, Group, GroupBy};

/// Whose word it is made from.
const SOURCES: &[Source] = &[Products, Orders, Sales];

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/sales", get(read))
}

/// Which days, and by what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SalesQuery {
    group_by: GroupBy,
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

/// Sales by something.
#[derive(Debug, Serialize, ToSchema)]
pub struct SalesReport {
    pub period: PeriodBody,
    pub group_by: GroupBy,
    pub data: Vec<SalesRow>,
    pub freshness: Freshness,
}

/// The sums of a group. By method only what was taken is known: the other amounts are of whole documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct SalesRow {
    /// An hour with its distance from UTC, a day, an id, a name; null for what has no cashier.
    #[schema(example = "2026-11-01T01:00:00-04:00")]
    pub key: Option<String>,
    /// Of a product.
    pub name: Option<String>,
    /// Sales that it is a part of, and that were not called off.
    #[schema(example = 12)]
    pub sales: i64,
    /// Less what came back.
    pub units: Option<i64>,
    pub gross: Option<Money>,
    pub discounts: Option<Money>,
    pub returned: Option<Money>,
    /// `gross - discounts - returned`.
    pub net: Option<Money>,
    pub gst: Option<Money>,
    pub qst: Option<Money>,
    pub deposits: Option<Money>,
    /// `net + gst + qst + deposits`; by method what was taken, less what was given back.
    pub total: Money,
    /// What went back with returns and refunds, taxes and deposits included.
    pub refunded: Money,
}

impl From<Group> for SalesRow {
    fn from(group: Group) -> SalesRow {
        SalesRow {
            key: group.key,
            name: group.name,
            sales: group.sales,
            units: group.units,
            gross: group.gross,
            discounts: group.discounts,
            returned: group.returned,
            net: group.net,
            gst: group.gst,
            qst: group.qst,
            deposits: group.deposits,
            total: group.total,
            refunded: group.refunded,
        }
    }
}

/// Sales by hour, day, store, product, cashier, method or channel
///
/// As JSON, or with `Accept: text/csv` as a spreadsheet (RFC 4180) with amounts in dollars. Returns count on the day,
/// and in the store, in which they were brought back.
#[utoipa::path(
    get, path = "/api/v1/reports/sales", operation_id = "salesReport", tag = "reports",
    params(SalesQuery, ("Accept" = Option<String>, Header, description = "`application/json` or `text/csv`")),
    responses(
        (status = 200, description = "The report", content(
            (SalesReport = "application/json"), (String = "text/csv"),
        )),
        (status = 406, response = super::document::NotAcceptable),
    ),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    headers: HeaderMap,
    Query(query): Query<SalesQuery>,
) -> Result<Response> {
    let format = Format::accepted(&headers)?;
    let period = period(&context, query.from, query.to).await?;
    let question = Question::ask(&context, SOURCES, query.max_staleness_ms).await?;
    let (context, query) = (&context, &query);
    let read = |tx: Tx| async move {
        let (epoch, freshness) = question.look(&tx, context.clock.now()).await?;
        let scope = Scope { epoch, period, store: query.store, channel: query.channel };
        let groups = groups::groups(&tx, &scope, query.group_by).await?;
        Ok::<_, Problem>((groups, freshness))
    };
    let (groups, freshness) = context.db.transaction_with(Isolation::RepeatableRead, read).await?;
    if i64::try_from(groups.len()).unwrap_or(i64::MAX) > GROUPS_MAX {
        let detail = format!("more than {GROUPS_MAX} groups: ask for fewer days");
        return Err(Problem::bad_request("invalid-query").parameter("group_by", "too-many-groups", detail));
    }
    let data = groups.into_iter().map(SalesRow::from).collect();
    let report = SalesReport { period: period.into(), group_by: query.group_by, data, freshness };
    match format {
        Format::Json => Ok(Json(report).into_response()),
        Format::Csv => spreadsheet::sales(&report),
    }
}
