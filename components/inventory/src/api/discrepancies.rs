//! `/api/v1/discrepancies`: units that nobody can account for. They are in no movement.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Cursor, Page, PageParams, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Staff;
use crate::domain::{DiscrepancyKind, LocationId, ProductId};
use crate::store::discrepancies;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/discrepancies", get(list))
}

/// Units that are missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Discrepancy {
    #[schema(example = 12)]
    pub id: i64,
    /// Where they were sold, or should have arrived.
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = 2, minimum = 1)]
    pub quantity: i64,
    pub kind: DiscrepancyKind,
    #[schema(example = "issue/01935b6e-0000-7000-8000-000000000001")]
    pub reference: String,
    #[schema(example = 1)]
    pub line: i64,
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

impl From<discrepancies::Discrepancy> for Discrepancy {
    fn from(found: discrepancies::Discrepancy) -> Self {
        let discrepancies::Discrepancy { id, location_id, product_id, quantity, .. } = found;
        let discrepancies::Discrepancy { kind, reference, line, recorded_at, .. } = found;
        Discrepancy { id, location_id, product_id, quantity, kind, reference, line, recorded_at }
    }
}

/// Which discrepancies.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(example = 1)]
    location: Option<LocationId>,
    #[param(inline)]
    kind: Option<DiscrepancyKind>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Discrepancies, the newest first
#[utoipa::path(
    get, path = "/api/v1/discrepancies", operation_id = "listDiscrepancies", tag = "stock", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Discrepancy>)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn list(
    _: Staff,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Discrepancy>> {
    let page = PageParams::new(query.limit, query.after)?;
    let before = page.after::<i64>()?;
    let rows = discrepancies::list(&context.db, query.location, query.kind, before, page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| Cursor::encode(&last.id)).map(Discrepancy::from))
}
