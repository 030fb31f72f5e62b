//! `/api/v1/movements`: the ledger. What is on hand is the sum of it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Cursor, Page, PageParams, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Staff;
use super::{instant_parameter, invalid_parameter};
use crate::domain::{Kind, LocationId, ProductId};
use crate::store::movements;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/movements", get(list))
}

/// Units that came to a location, or went. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Movement {
    #[schema(example = 4711)]
    pub id: i64,
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = -2)]
    pub delta: i64,
    /// What was on hand after it.
    #[schema(example = 35)]
    pub on_hand: i64,
    pub kind: Kind,
    /// What moved it. A line of it moves once.
    #[schema(example = "reservation/01935b6e-0000-7000-8000-000000000001")]
    pub reference: String,
    #[schema(example = 1)]
    pub line: i64,
    pub reason: Option<String>,
    /// Who it was.
    #[schema(example = "service:checkout")]
    pub actor: String,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

impl From<movements::Movement> for Movement {
    fn from(movement: movements::Movement) -> Self {
        let movements::Movement { id, location_id, product_id, delta, on_hand, kind, reference, .. } = movement;
        let movements::Movement { line, reason, actor, occurred_at, .. } = movement;
        Movement { id, location_id, product_id, delta, on_hand, kind, reference, line, reason, actor, occurred_at }
    }
}

/// Which movements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(example = 1)]
    location: Option<LocationId>,
    #[param(example = 42)]
    product: Option<ProductId>,
    #[param(inline)]
    kind: Option<Kind>,
    #[param(example = "issue/01935b6e-0000-7000-8000-000000000001", max_length = 200)]
    reference: Option<String>,
    /// From then on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before then.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Movements, the newest first
#[utoipa::path(
    get, path = "/api/v1/movements", operation_id = "listMovements", tag = "stock", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Movement>)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn list(
    _: Staff,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Movement>> {
    let page = PageParams::new(query.limit, query.after)?;
    if query.reference.as_ref().is_some_and(|text| text.len() > 200 || text.contains('\0')) {
        return Err(invalid_parameter("reference", "must be at most 200 bytes of text"));
    }
    let filter = movements::Filter {
        location: query.location,
        product: query.product,
        kind: query.kind,
        reference: query.reference,
        since: instant_parameter("since", query.since)?,
        until: instant_parameter("until", query.until)?,
    };
    let rows = movements::list(&context.db, filter, page.after::<i64>()?, page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| Cursor::encode(&last.id)).map(Movement::from))
}
