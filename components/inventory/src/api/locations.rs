//! `/api/v1/locations`: where there is stock. Open: customers choose where they pick things up.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sdk::{Context, Cursor, Page, PageParams, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{LocationId, LocationKind};
use crate::store::locations;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/locations", get(list))
}

/// A store or a warehouse.
#[derive(Debug, Serialize, ToSchema)]
pub struct Location {
    #[schema(example = 1)]
    pub id: LocationId,
    #[schema(example = "MTL")]
    pub code: String,
    #[schema(example = "Montréal Centre")]
    pub name: String,
    pub kind: LocationKind,
}

impl From<locations::Location> for Location {
    fn from(location: locations::Location) -> Self {
        let locations::Location { id, code, name, kind } = location;
        Location { id, code, name, kind }
    }
}

/// Which locations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(inline)]
    kind: Option<LocationKind>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Locations, by id
#[utoipa::path(
    get, path = "/api/v1/locations", operation_id = "listLocations", tag = "stock", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Location>)),
)]
pub(super) async fn list(State(context): State<Context>, Query(query): Query<ListQuery>) -> Result<Page<Location>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after = page.after::<i64>()?.unwrap_or(0);
    let rows = locations::list(&context.db, query.kind, after, page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| Cursor::encode(&last.id)).map(Location::from))
}
