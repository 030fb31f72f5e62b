//! `/api/v1/stock`: what every location has of every product. A count of it is in `api/counts.rs`.
//!
//! The ETag of a row is its version, which every change of it makes anew, a promise included.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use sdk::{
    Context, Cursor, ETag, IfNoneMatch, Json, NoQuery, NotModified, Page, PageParams, Path, Problem, Query, Result,
    WithETag,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Staff;
use super::counts;
use crate::domain::{Level, LocationId, Place, ProductId};
use crate::store::stock::{self, Concern, Filter};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/stock", get(list))
        .route("/api/v1/stock/{location}/{product}", get(read).put(counts::count))
}

/// What a location has of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stock {
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = 37, minimum = 0)]
    pub on_hand: i64,
    /// Of what is on hand: promised to somebody.
    #[schema(example = 2, minimum = 0)]
    pub reserved: i64,
    /// `on_hand - reserved`.
    #[schema(example = 35, minimum = 0)]
    pub available: i64,
    /// Shipped to here, and not yet here.
    #[schema(example = 24, minimum = 0)]
    pub in_transit: i64,
    /// What is available is low at this and below.
    #[schema(example = 12)]
    pub threshold_low: i64,
    /// What is on hand is too much above this.
    #[schema(example = 240)]
    pub threshold_high: Option<i64>,
    pub level: Level,
    /// Counts the changes; the ETag.
    #[schema(example = 3)]
    pub version: i64,
    /// When somebody counted last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub counted_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<stock::Stock> for Stock {
    fn from(row: stock::Stock) -> Self {
        Stock {
            location_id: row.location_id,
            product_id: row.product_id,
            on_hand: row.on_hand,
            reserved: row.reserved,
            available: row.on_hand - row.reserved,
            in_transit: row.in_transit,
            threshold_low: row.threshold_low,
            threshold_high: row.threshold_high,
            level: row.level,
            version: row.version,
            counted_at: row.counted_at,
            updated_at: row.updated_at,
        }
    }
}

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(example = 1)]
    location: Option<LocationId>,
    #[param(example = 42)]
    product: Option<ProductId>,
    #[param(inline)]
    level: Option<Level>,
    /// Whether nothing is available, or what is, is at the lower threshold or below.
    below_threshold: Option<bool>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Stock, by location and product
#[utoipa::path(
    get, path = "/api/v1/stock", operation_id = "listStock", tag = "stock", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Stock>)),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn list(
    _: Staff,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Stock>> {
    let page = PageParams::new(query.limit, query.after)?;
    let concern = query.below_threshold.map(|below| if below { Concern::TooLittle } else { Concern::Enough });
    let filter = Filter { location: query.location, product: query.product, level: query.level, concern };
    let rows = stock::list(&context.db, filter, place_after(&page)?, page.fetch_limit()).await?;
    Ok(Page::new(rows, page.limit, |last| cursor(last.place())).map(Stock::from))
}

/// One row of stock
#[utoipa::path(
    get, path = "/api/v1/stock/{location}/{product}", operation_id = "getStock", tag = "stock",
    params(
        ("location" = LocationId, Path, description = "The location"),
        ("product" = ProductId, Path, description = "The product"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what the client has"),
    ),
    responses(
        (status = 200, description = "What there is", body = Stock,
            headers(("ETag" = String, description = "The row's version"))),
        (status = 304, description = "What the client has is what there is"),
    ),
    security(("key" = []), ("service" = [])),
)]
pub(super) async fn read(
    _: Staff,
    State(context): State<Context>,
    Path((location, product)): Path<(LocationId, ProductId)>,
    Query(NoQuery {}): Query<NoQuery>,
    if_none_match: IfNoneMatch,
) -> Result<Response> {
    let row = stock::get(&context.db, Place { location, product }).await?.ok_or_else(not_found)?;
    let tag = ETag::strong(row.version);
    if if_none_match.matches(&tag) {
        return Ok(NotModified(tag).into_response());
    }
    Ok(WithETag(tag, Json(Stock::from(row))).into_response())
}

pub(super) fn not_found() -> Problem {
    Problem::not_found("stock-not-found")
        .detail("there never was any of this product at this location: an adjustment or a delivery makes a beginning")
}

/// Where a page of rows begins, in the order of places.
pub(super) fn place_after(page: &PageParams) -> Result<Option<Place>> {
    let after: Option<(i64, i64)> = page.after()?;
    Ok(after.map(|(location, product)| Place { location: LocationId(location), product: ProductId(product) }))
}

pub(super) fn cursor(place: Place) -> Cursor {
    Cursor::encode(&(place.location, place.product))
}
