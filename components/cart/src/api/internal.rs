//! `/internal/v1`: what checkouts read and take. For services alone.
//!
//! A checkout takes exactly what it bought: what was added meanwhile stays, what was removed meanwhile
//! is not owed. It is done once for each checkout, and it finds lines that were merged into another
//! cart meanwhile: after the payment a checkout only goes forward.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Json, OfService, OnConstraint, Path, Problem, Query, Result, Tx, WithETag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::carts::NoParameters;
use super::{App, Contents, not_found, version_tag};
use crate::domain::{Cart, CartId, CheckoutId, Line, MAX_LINES, MAX_QUANTITY, ProductId, Status, Taken};
use crate::store;

/// How often a consumption follows a merge that happens at the very moment.
const HOPS_MAX: u32 = 8;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/internal/v1/carts/{id}/snapshot", get(snapshot))
        .route("/internal/v1/carts/{id}/consume", post(consume))
}

/// What a checkout bought.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consumption {
    checkout_id: CheckoutId,
    /// Each product once.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<BoughtLine>,
}

/// Units of a product that were bought.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoughtLine {
    #[schema(example = 1)]
    product_id: ProductId,
    #[schema(example = 2, minimum = 1, maximum = 999)]
    quantity: i64,
}

/// What a checkout took out of a cart.
#[derive(Debug, Serialize, ToSchema)]
pub struct Consumed {
    checkout_id: CheckoutId,
    /// The cart that the lines were in: the one asked for, or the one that it was merged into.
    cart_id: CartId,
    lines: Vec<Taken>,
}

/// The lines of an open cart
#[utoipa::path(
    get, path = "/internal/v1/carts/{id}/snapshot", operation_id = "snapshotCart", tag = "internal",
    params(("id" = CartId, Path, description = "The cart")),
    responses(
        (status = 200, description = "What is in it now", body = Contents,
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`cart-merged`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn snapshot(
    _: OfService,
    State(app): State<App>,
    Path(id): Path<CartId>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<WithETag<Json<Contents>>> {
    let found = store::view(&app.context.db, id).await?;
    let (cart, lines) = found.ok_or_else(|| not_found(id))?;
    cart.writable()?;
    let lines = lines.iter().map(|line| Line { product_id: line.product_id, quantity: line.quantity });
    let tag = version_tag(cart.version);
    Ok(WithETag(tag, Json(Contents::of(cart, lines.collect()))))
}

/// Take what was bought
///
/// Once for each checkout: a repetition is answered alike and takes nothing.
#[utoipa::path(
    post, path = "/internal/v1/carts/{id}/consume", operation_id = "consumeCart", tag = "internal",
    request_body = Consumption,
    params(("id" = CartId, Path, description = "The cart")),
    responses(
        (status = 200, description = "What was taken", body = Consumed),
        (status = 409, description = "`checkout-consumed-differently`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn consume(
    _: OfService,
    State(app): State<App>,
    Path(id): Path<CartId>,
    Query(NoParameters {}): Query<NoParameters>,
    Json(body): Json<Consumption>,
) -> Result<Json<Consumed>> {
    let (app, checkout, bought) = (&app, body.checkout_id, &bought(&body.lines)?);
    let consumed = app.context.db.transaction(|tx| async move { take(app, &tx, id, checkout, bought).await }).await?;
    Ok(Json(consumed))
}

async fn take(app: &App, tx: &Tx, asked: CartId, checkout: CheckoutId, bought: &[Line]) -> Result<Consumed> {
    let cart = lock_last(tx, asked).await?;
    if let Some(before) = store::consumption(tx, checkout).await? {
        let lines: Vec<Taken> = serde_json::from_value(before.lines).map_err(Problem::internal)?;
        if before.asked_id != asked || !lines.iter().map(Taken::line).eq(bought.iter().copied()) {
            return Err(differently());
        }
        return Ok(Consumed { checkout_id: checkout, cart_id: before.cart_id, lines });
    }
    let lines = store::take(tx, &cart, bought).await?;
    let record = serde_json::to_value(&lines).map_err(Problem::internal)?;
    // The key was free a moment ago: only the same checkout for another cart can have it now.
    store::record(tx, checkout, &cart, asked, record, app.now())
        .await
        .on_constraint("cart_consumptions_pkey", differently)?;
    Ok(Consumed { checkout_id: checkout, cart_id: cart.id, lines })
}

/// Locks the cart that the lines of this one are in. Holding a merged cart while waiting for the next
/// one could meet a merge that waits the other way round; PostgreSQL breaks that, and the transaction
/// is run again.
async fn lock_last(tx: &Tx, asked: CartId) -> Result<Cart> {
    for _ in 0..HOPS_MAX {
        let id = store::last_of_chain(tx, asked).await?.ok_or_else(|| not_found(asked))?;
        match store::lock(tx, id).await? {
            Some(cart) if cart.status != Status::Merged => return Ok(cart),
            _ => {}
        }
    }
    Err(Problem::unavailable(1).code("cart-busy").cause("merged again and again"))
}

/// The lines in ascending order of product, or everything that is wrong with them.
fn bought(lines: &[BoughtLine]) -> Result<Vec<Line>> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    let mut bought = Vec::with_capacity(lines.len());
    if !(1..=MAX_LINES as usize).contains(&lines.len()) {
        let detail = format!("must be from 1 to {MAX_LINES} lines");
        errors.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
    }
    for (index, line) in lines.iter().enumerate() {
        let quantity = i32::try_from(line.quantity).ok().filter(|q| (1..=MAX_QUANTITY).contains(q));
        match quantity {
            Some(quantity) => bought.push(Line { product_id: line.product_id, quantity }),
            None => errors.push(FieldError::at_pointer(
                format!("/lines/{index}/quantity"),
                "quantity-out-of-range",
                format!("must be from 1 to {MAX_QUANTITY}"),
            )),
        }
        if !seen.insert(line.product_id) {
            let pointer = format!("/lines/{index}/product_id");
            let detail = "each product must be named once";
            errors.push(FieldError::at_pointer(pointer, "product-repeated", detail));
        }
    }
    if !errors.is_empty() {
        let problem = Problem::unprocessable("validation-failed");
        return Err(errors.into_iter().fold(problem, Problem::error));
    }
    bought.sort_by_key(|line| line.product_id);
    Ok(bought)
}

fn differently() -> Problem {
    Problem::conflict("checkout-consumed-differently")
        .detail("this checkout took other lines, or from another cart, before")
}
