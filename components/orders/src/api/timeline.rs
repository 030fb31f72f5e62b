//! `/api/v1/orders/{id}/timeline`: what happened to an order, by whom.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Cursor, Page, PageParams, Path, Principal, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Sight, not_found};
use crate::domain::OrderId;
use crate::domain::decision::What;
use crate::store::{self, timeline};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/orders/{id}/timeline", get(read))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// From 1.
    #[schema(example = 2)]
    pub position: i32,
    pub what: What,
    /// Null in the beginning.
    #[schema(example = "pending")]
    pub from: Option<String>,
    #[schema(example = "confirmed")]
    pub to: Option<String>,
    #[schema(example = "service:checkout")]
    pub by: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub note: Option<String>,
}

/// What happened to an order, from its beginning
#[utoipa::path(
    get, path = "/api/v1/orders/{id}/timeline", operation_id = "getTimeline", tag = "orders",
    params(("id" = OrderId, Path, description = "The order"), TimelineQuery),
    responses((status = 200, description = "A page of it", body = Page<TimelineEntry>)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn read(
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(query): Query<TimelineQuery>,
) -> Result<Page<TimelineEntry>> {
    let sight = Sight::of(&principal)?;
    let page = PageParams::new(query.limit, query.after)?;
    let after = page.after()?.unwrap_or(0);
    let order = store::get_order(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    sight.check(&order)?;
    let found = timeline::read(&context.db, id, after, page.fetch_limit()).await?;
    let entries = Page::new(found, page.limit, |last| Cursor::encode(&last.position));
    Ok(entries.map(TimelineEntry::from))
}

impl From<timeline::Written> for TimelineEntry {
    fn from(entry: timeline::Written) -> TimelineEntry {
        TimelineEntry {
            position: entry.position,
            what: entry.what,
            from: entry.from_state,
            to: entry.to_state,
            by: entry.actor,
            at: entry.at,
            note: entry.note,
        }
    }
}
