//! `/api/v1/stock/availability/{product}`: what can be had. Open, and so it tells nothing else.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sdk::{Context, Json, NoQuery, Path, Query, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{LocationId, ProductId};
use crate::store::stock;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/stock/availability/{product}", get(read))
}

/// How much of a product can be had.
#[derive(Debug, Serialize, ToSchema)]
pub struct Availability {
    #[schema(example = 42)]
    pub product_id: ProductId,
    /// Everywhere together.
    #[schema(example = 7)]
    pub total: i64,
    /// Every location, by id.
    pub locations: Vec<AvailableAt>,
}

/// How much of it a location has that is promised to nobody.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableAt {
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 7, minimum = 0)]
    pub available: i64,
}

/// What can be had of a product
///
/// At this moment: only a reservation makes it sure. Of a product that inventory has never heard of,
/// there is nothing.
#[utoipa::path(
    get, path = "/api/v1/stock/availability/{product}", operation_id = "getAvailability", tag = "stock",
    params(("product" = ProductId, Path, description = "The product")),
    responses((status = 200, description = "Per location and in total", body = Availability)),
)]
pub(super) async fn read(
    State(context): State<Context>,
    Path(product): Path<ProductId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<Availability>> {
    let rows = stock::availability(&context.db, product).await?;
    let total = rows.iter().map(|row| row.available).sum();
    let at = |row: &stock::Available| AvailableAt { location_id: row.location_id, available: row.available };
    Ok(Json(Availability { product_id: product, total, locations: rows.iter().map(at).collect() }))
}
