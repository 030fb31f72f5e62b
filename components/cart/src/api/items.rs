//! `/api/v1/carts/{id}/items`: what is put into a cart and taken out of it.
//!
//! Adding and subtracting commute, so clients need no version for it, over however many replicas;
//! setting and removing need `If-Match`. Both of the latter may be repeated with an `If-Match` that
//! their first attempt made stale (gateways do that when an answer is lost): when the line already
//! is what is asked for, nothing is written and the answer is a success, as RFC 9110, 13.1.1 allows.
//!
//! A product must be known before there is more of it in a cart. Who asks is never kept waiting with
//! an open transaction: if the cached data is too old, the transaction ends, products is asked, and
//! the change is tried again. When products does not answer, any cached data will do.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::routing::{post, put};
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{Idempotency, Json, Path, Problem, Query, Reply, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::carts::NoParameters;
use super::precondition::Match;
use super::{App, Expected, invalid, not_found, quantity_in_range, version_tag};
use crate::clients::{Answer, unavailable};
use crate::domain::{
    Availability, Cart, CartId, Change, Line, MAX_QUANTITY, ProductId, Snapshot, StoreId, is_stale, why_refused,
};
use crate::store;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/carts/{id}/items", post(add))
        .route("/api/v1/carts/{id}/items/{product_id}", put(set).patch(change).delete(remove))
}

/// Units to be added to a cart.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    #[schema(example = 1)]
    product_id: ProductId,
    #[schema(example = 2, minimum = 1, maximum = 999)]
    quantity: i64,
}

/// Units to be added (positive) or taken (negative).
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    #[schema(example = -1, minimum = -999, maximum = 999)]
    delta: i64,
}

/// What a line shall hold.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemQuantity {
    /// Zero removes the line.
    #[schema(example = 3, minimum = 0, maximum = 999)]
    quantity: i64,
}

/// A line after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    pub cart_id: CartId,
    #[schema(example = 1)]
    pub product_id: ProductId,
    /// What the cart holds of the product now; zero: nothing any more.
    #[schema(example = 3, minimum = 0, maximum = 999)]
    pub quantity: i32,
    /// Of the cart, as in `ETag`.
    #[schema(example = 4)]
    pub version: i64,
}

/// Add units of a product
///
/// Adds to the line if there is one. Concurrent additions sum up, on whichever replica.
#[utoipa::path(
    post, path = "/api/v1/carts/{id}/items", operation_id = "addCartItem", tag = "items", request_body = NewItem,
    params(
        ("id" = CartId, Path, description = "The cart"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
        ("If-Match" = Option<String>, Header, description = "Only if the cart is still at this version"),
    ),
    responses(
        (status = 200, description = "The line as it is now", body = Item,
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`quantity-above-limit`, `cart-full`, `cart-merged`, \
            `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn add(
    State(app): State<App>,
    Path(cart): Path<CartId>,
    Query(NoParameters {}): Query<NoParameters>,
    expected: Option<Expected>,
    idempotency: Idempotency,
    Json(body): Json<NewItem>,
) -> Result<Reply> {
    let quantity = quantity_in_range("/quantity", body.quantity, 1)?;
    let change =
        LineChange { cart, product: body.product_id, change: Change::Add(quantity), expected, named: Named::InBody };
    change.run(&app, &idempotency, &body).await
}

/// Add or take units of a product
///
/// What would be less than nothing is refused, and changes nothing; zero removes the line.
#[utoipa::path(
    patch, path = "/api/v1/carts/{id}/items/{product_id}", operation_id = "changeCartItem", tag = "items",
    request_body = ItemChange,
    params(
        ("id" = CartId, Path, description = "The cart"),
        ("product_id" = ProductId, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
        ("If-Match" = Option<String>, Header, description = "Only if the cart is still at this version"),
    ),
    responses(
        (status = 200, description = "The line as it is now", body = Item,
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`quantity-below-zero` with the current `quantity`, \
            `quantity-above-limit`, `cart-full`, `product-archived`, `cart-merged`, \
            `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(app): State<App>,
    Path((cart, product)): Path<(CartId, ProductId)>,
    Query(NoParameters {}): Query<NoParameters>,
    expected: Option<Expected>,
    idempotency: Idempotency,
    Json(body): Json<ItemChange>,
) -> Result<Reply> {
    let units = quantity_in_range("/delta", body.delta.saturating_abs(), 1).map_err(|_| {
        let detail = format!("must be from -{MAX_QUANTITY} to {MAX_QUANTITY}, and not zero");
        invalid("/delta", "quantity-out-of-range", detail)
    })?;
    let change = LineChange {
        cart,
        product,
        change: match body.delta > 0 {
            true => Change::Add(units),
            false => Change::Subtract(units),
        },
        expected,
        named: Named::InPath,
    };
    change.run(&app, &idempotency, &body).await
}

/// Set the units of a product
///
/// May be repeated with the same `If-Match` when the answer was lost: if the line holds what the body
/// says, and the tag is an earlier one of this cart, the answer is 200 and nothing is written.
#[utoipa::path(
    put, path = "/api/v1/carts/{id}/items/{product_id}", operation_id = "setCartItem", tag = "items",
    request_body = ItemQuantity,
    params(
        ("id" = CartId, Path, description = "The cart"),
        ("product_id" = ProductId, Path, description = "The product"),
        ("If-Match" = String, Header, description = "The version of the cart that is changed: any \
            `ETag` of it"),
    ),
    responses(
        (status = 200, description = "The line as it is now", body = Item,
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`cart-full`, `product-archived`, `cart-merged`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn set(
    State(app): State<App>,
    Path((cart, product)): Path<(CartId, ProductId)>,
    Query(NoParameters {}): Query<NoParameters>,
    expected: Expected,
    idempotency: Idempotency,
    Json(body): Json<ItemQuantity>,
) -> Result<Reply> {
    let quantity = quantity_in_range("/quantity", body.quantity, 0)?;
    let change =
        LineChange { cart, product, change: Change::Set(quantity), expected: Some(expected), named: Named::InPath };
    change.run(&app, &idempotency, &body).await
}

/// Remove a product
///
/// May be repeated with the same `If-Match`: a product that is not in the cart is removed already.
#[utoipa::path(
    delete, path = "/api/v1/carts/{id}/items/{product_id}", operation_id = "removeCartItem", tag = "items",
    params(
        ("id" = CartId, Path, description = "The cart"),
        ("product_id" = ProductId, Path, description = "The product"),
        ("If-Match" = String, Header, description = "The version of the cart that is changed: any \
            `ETag` of it"),
    ),
    responses(
        (status = 204, description = "Removed",
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`cart-merged`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Path((cart, product)): Path<(CartId, ProductId)>,
    Query(NoParameters {}): Query<NoParameters>,
    expected: Expected,
    idempotency: Idempotency,
) -> Result<Reply> {
    let change = LineChange { cart, product, change: Change::Remove, expected: Some(expected), named: Named::InPath };
    change.run(&app, &idempotency, &()).await
}

/// A change of a line, on its way.
struct LineChange {
    cart: CartId,
    product: ProductId,
    change: Change,
    /// None: whichever version there is.
    expected: Option<Expected>,
    named: Named,
}

/// Where the client names the product: that is where it is told that there is none.
#[derive(Clone, Copy)]
enum Named {
    InBody,
    InPath,
}

/// What the product is checked against.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// The cache, as long as it is fresh; if it is not, the store of the cart is left here.
    Fresh(&'a OnceLock<Option<StoreId>>),
    /// What products said, or else the cache.
    Asked(&'a Answer),
}

impl LineChange {
    async fn run<B: Serialize + Sync>(&self, app: &App, idempotency: &Idempotency, body: &B) -> Result<Reply> {
        let db = &app.context.db;
        let stale = &OnceLock::new();
        let reply =
            idempotency.run(db, body, |tx| async move { self.attempt(app, &tx, Basis::Fresh(stale)).await }).await;
        let Some(store) = stale.get() else {
            return reply;
        };
        let answer = &app.products.ask(*store, self.product).await?;
        idempotency.run(db, body, |tx| async move { self.attempt(app, &tx, Basis::Asked(answer)).await }).await
    }

    async fn attempt(&self, app: &App, tx: &Tx, basis: Basis<'_>) -> Result<Reply> {
        let found = store::lock_with_product(tx, self.cart, self.product).await?;
        let (cart, cached) = found.ok_or_else(|| not_found(self.cart))?;
        cart.writable()?;
        if self.is_repeated(tx, &cart).await? {
            return self.without_effect(tx, &cart).await;
        }
        let now = app.now();
        if self.change.may_grow() {
            self.check_product(&cart, cached.as_ref(), basis, now)?;
        }
        let line = |quantity| Line { product_id: self.product, quantity };
        let changed = match self.change {
            Change::Add(units) => store::add(tx, &cart, line(units), now).await?,
            Change::Subtract(units) => store::subtract(tx, &cart, line(units), now).await?,
            Change::Set(0) | Change::Remove => store::remove(tx, &cart, self.product, now).await?,
            Change::Set(units) => store::set(tx, &cart, line(units), now).await?,
        };
        match changed {
            Some(changed) => Ok(self.reply(changed.quantity, changed.version)),
            None => self.without_effect(tx, &cart).await,
        }
    }

    fn check_product(&self, cart: &Cart, cached: Option<&Snapshot>, basis: Basis<'_>, now: Timestamp) -> Result<()> {
        match basis {
            Basis::Fresh(stale) => match cached.filter(|product| !is_stale(product.fetched_at, now)) {
                Some(product) => self.orderable(product),
                None => {
                    let _ = stale.set(cart.store_id);
                    // Rolls back, and never leaves `run`.
                    Err(unavailable())
                }
            },
            Basis::Asked(Answer::Found(product)) => self.orderable(product),
            Basis::Asked(Answer::Missing) => Err(self.no_such_product()),
            Basis::Asked(Answer::Silent) => self.orderable(cached.ok_or_else(unavailable)?),
        }
    }

    /// Whether the change was made before: by an attempt that made its own `If-Match` stale.
    async fn is_repeated(&self, tx: &Tx, cart: &Cart) -> Result<bool> {
        let Some(expected) = &self.expected else {
            return Ok(false);
        };
        match expected.compare(cart.version) {
            Match::Current => Ok(false),
            Match::Never => Err(Expected::failed(cart)),
            Match::Earlier => {
                let standing = store::standing(tx, cart.id, self.product).await?;
                match self.change.is_done(standing.quantity.unwrap_or(0)) {
                    true => Ok(true),
                    false => Err(Expected::failed(cart)),
                }
            }
        }
    }

    /// A change that there was no need for, or why there could be none.
    async fn without_effect(&self, tx: &Tx, cart: &Cart) -> Result<Reply> {
        let standing = store::standing(tx, cart.id, self.product).await?;
        match why_refused(self.change, standing.quantity, standing.lines) {
            None => Ok(self.reply(standing.quantity.unwrap_or(0), cart.version)),
            Some(refusal) => Err(refusal.into()),
        }
    }

    fn reply(&self, quantity: i32, version: i64) -> Reply {
        let reply = match self.change {
            Change::Remove => Reply::no_content(),
            Change::Add(_) | Change::Subtract(_) | Change::Set(_) => {
                Reply::ok(&Item { cart_id: self.cart, product_id: self.product, quantity, version })
            }
        };
        reply.etag(version_tag(version))
    }

    fn orderable(&self, product: &Snapshot) -> Result<()> {
        let detail = "this product is not for sale any more";
        match (product.availability, self.named) {
            (Availability::Active, _) => Ok(()),
            (Availability::Archived, Named::InBody) => Err(invalid("/product_id", "product-archived", detail)),
            (Availability::Archived, Named::InPath) => Err(Problem::conflict("product-archived").detail(detail)),
        }
    }

    fn no_such_product(&self) -> Problem {
        let detail = "there is no such product";
        match self.named {
            Named::InBody => invalid("/product_id", "product-not-found", detail),
            Named::InPath => Problem::not_found("product-not-found").detail(detail),
        }
    }
}
