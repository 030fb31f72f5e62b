//! `/api/v1/products/{id}/prices`: the prices of a product, past, present and to come.
//!
//! Which one is in force: [`crate::domain::price`]. Adding one makes a new version of the product.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Cursor, Idempotency, IfMatch, Json, NoQuery, Page, PageParams, Path, Query, Reply, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::events::{self, CHANGED};
use super::products::{StoreQuery, absent, etag, vanished};
use super::{Editor, invalid, invalid_cursor, not_found};
use crate::domain::price::{PriceDraft, PriceKind};
use crate::domain::{self, PriceId, ProductId, StoreId};
use crate::store::prices::{self, Filter, Position};
use crate::store::products;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/products/{id}/prices", get(list).post(create))
        .route("/api/v1/products/{id}/prices/{price_id}", get(read))
}

/// A price, and when it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Price {
    pub id: PriceId,
    pub product_id: ProductId,
    pub kind: PriceKind,
    /// The store that it is for; all if null.
    pub store_id: Option<StoreId>,
    pub amount: Money,
    /// Inclusive.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// Exclusive; until another one starts if null.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<prices::Price> for Price {
    fn from(price: prices::Price) -> Self {
        Self {
            id: price.id,
            product_id: price.product_id,
            kind: price.kind,
            store_id: price.store_id,
            amount: price.amount,
            starts_at: price.starts_at,
            ends_at: price.ends_at,
            created_at: price.created_at,
        }
    }
}

/// A price to be added. A regular one ends the open one before it, of the same stores.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    kind: PriceKind,
    /// For all stores if left out.
    #[serde(default)]
    store_id: Option<StoreId>,
    amount: Money,
    /// Inclusive, not in the past; now if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T05:00:00Z")]
    starts_at: Option<Timestamp>,
    /// Exclusive. A promo has an end; the regular price for all stores has none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

impl NewPrice {
    fn draft(&self, now: Timestamp) -> PriceDraft {
        PriceDraft {
            kind: self.kind,
            store: self.store_id,
            amount: self.amount,
            starts_at: self.starts_at.unwrap_or(now),
            ends_at: self.ends_at,
        }
    }
}

/// Which prices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    kind: Option<PriceKind>,
    /// Only those for this very store.
    store: Option<StoreId>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// The prices of a product, by their start
#[utoipa::path(
    get, path = "/api/v1/products/{id}/prices", operation_id = "listPrices", tag = "prices",
    params(("id" = ProductId, Path, description = "The product"), ListQuery),
    responses((status = 200, description = "A page", body = Page<Price>)),
)]
pub(super) async fn list(
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<ListQuery>,
) -> Result<Page<Price>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after = page.after::<Position>()?;
    if after.as_ref().is_some_and(|Position(starts_at, _)| !domain::is_storable(*starts_at)) {
        return Err(invalid_cursor());
    }
    let filter = Filter { kind: query.kind, store: query.store };
    let rows = prices::list(&context.db, id, &filter, after, page.fetch_limit()).await?;
    if rows.is_empty() && !products::exists(&context.db, id).await? {
        return Err(absent());
    }
    Ok(Page::new(rows, page.limit, |last| Cursor::encode(&last.position())).map(Price::from))
}

/// Add a price
///
/// Added to whatever there is, or, with `If-Match`, only if the product is still as it was seen.
#[utoipa::path(
    post, path = "/api/v1/products/{id}/prices", operation_id = "addPrice", tag = "prices", request_body = NewPrice,
    params(
        ("id" = ProductId, Path, description = "The product"), StoreQuery,
        ("If-Match" = Option<String>, Header, description = "The revision of the product that was seen"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Added", body = Price,
            headers(("Location" = String, description = "The price"))),
        (status = 409, description = "`price-overlap`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    _: Editor,
    State(context): State<Context>,
    Path(id): Path<ProductId>,
    Query(query): Query<StoreQuery>,
    if_match: Option<IfMatch>,
    idempotency: Idempotency,
    Json(body): Json<NewPrice>,
) -> Result<Reply> {
    let (now, context, if_match) = (context.clock.now(), &context, if_match.as_ref());
    idempotency
        .run(&context.db, &body, |tx| {
            // Checked here: a repetition is answered as before, though its start is past by now.
            let draft = body.draft(now).check(now);
            async move {
                let draft = draft.map_err(invalid)?;
                if let Some(if_match) = if_match {
                    let seen = products::lock(&tx, id, query.store, now).await?.ok_or_else(absent)?;
                    if_match.check(&etag(&seen))?;
                }
                if !products::touch(&tx, id, now).await? {
                    return Err(absent());
                }
                let price = prices::insert(&tx, id, &draft, now).await?;
                events::tell(&tx, context, CHANGED, id).await?;
                let price = prices::get(&tx, id, price).await?.ok_or_else(vanished)?;
                let location = format!("/api/v1/products/{id}/prices/{}", price.id);
                Ok(Reply::created(location, &Price::from(price)))
            }
        })
        .await
}

/// One price of a product
#[utoipa::path(
    get, path = "/api/v1/products/{id}/prices/{price_id}", operation_id = "getPrice", tag = "prices",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("price_id" = PriceId, Path, description = "The price"),
    ),
    responses((status = 200, description = "The price", body = Price)),
)]
pub(super) async fn read(
    State(context): State<Context>,
    Path((product, price)): Path<(ProductId, PriceId)>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<Price>> {
    let price = prices::get(&context.db, product, price).await?;
    let price = price.ok_or_else(|| not_found("price-not-found"))?;
    Ok(Json(price.into()))
}
