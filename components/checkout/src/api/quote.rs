//! `/api/v1/checkouts/quote`: what a cart costs, as a checkout of it demands it at this moment.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Json, NoQuery, Principal, Problem, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::buyer;
use crate::clients::{cart, products};
use crate::domain::CartId;
use crate::domain::basket::Quote;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/checkouts/quote", post(quote))
}

/// A cart to be quoted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    cart_id: CartId,
}

/// What a cart costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartQuote {
    pub cart_id: CartId,
    /// Of the cart that was quoted.
    #[schema(example = 3)]
    pub cart_version: i64,
    #[serde(flatten)]
    pub quote: Quote,
    /// What is charged: the `expected_total` of a checkout.
    pub payable: Money,
}

/// Quote a cart
///
/// Without any effect: nothing is kept, neither units nor prices.
#[utoipa::path(
    post, path = "/api/v1/checkouts/quote", operation_id = "quoteCheckout", tag = "checkouts",
    request_body = QuoteRequest,
    responses(
        (status = 200, description = "The quote", body = CartQuote),
        (status = 409, description = "`product-unavailable`: `errors` says which lines; `cart-closed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(super) async fn quote(
    principal: Principal,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<QuoteRequest>,
) -> Result<Json<CartQuote>> {
    let customer = buyer(&principal)?;
    let cart = cart::snapshot(&context.http, request.cart_id, customer).await?;
    let cart = cart.map_err(|failure| Problem::from(&failure))?;
    let quote = products::quote(&context.http, &cart).await?.map_err(|failure| Problem::from(&failure))?;
    let payable = quote.total;
    Ok(Json(CartQuote { cart_id: cart.id, cart_version: cart.version, quote, payable }))
}
