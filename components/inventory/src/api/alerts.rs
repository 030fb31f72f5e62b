//! `/api/v1/alerts`: what somebody should do something about.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sdk::{Context, Cursor, Page, PageParams, Query, Result};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::access::Staff;
use super::stock::{Stock, cursor, place_after};
use crate::domain::{Level, LocationId};
use crate::store::stock::{self, Concern, Filter};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/alerts", get(list))
}

/// What there can be an alert about.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Nothing is available.
    Out,
    /// What is available is at the lower threshold or below.
    Low,
    /// What is on hand is above the upper threshold.
    Over,
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(inline)]
    kind: Option<AlertKind>,
    #[param(example = 1)]
    location: Option<LocationId>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Stock that is out, low or too much
///
/// By location and product; `level` says which of the three it is.
#[utoipa::path(
    get, path = "/api/v1/alerts", operation_id = "listAlerts", tag = "stock", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Stock>)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn list(
    _: Staff,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Stock>> {
    let page = PageParams::new(query.limit, query.after)?;
    let level = query.kind.map(|kind| match kind {
        AlertKind::Out => Level::Out,
        AlertKind::Low => Level::Low,
        AlertKind::Over => Level::Over,
    });
    let filter = Filter { location: query.location, product: None, level, concern: Some(Concern::Any) };
    let rows = stock::list(&context.db, filter, place_after(&page)?, page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| cursor(last.place())).map(Stock::from))
}
