//! `/api/v1/carts/{id}/estimate`: what the cart costs, taxes and deposits included.
//!
//! Products quotes it, so an estimate is a quote to the cent. While products is down it is computed
//! from cached prices by the same crate, and marked `stale`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::problem::{FieldError, ProblemBody};
use sdk::{Json, Path, Problem, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{App, not_found};
use crate::clients::{Quoted, unavailable};
use crate::domain::estimate::{Amounts, Payment, amounts};
use crate::domain::{Availability, CartId, KnownLine};
use crate::store;

pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/carts/{id}/estimate", get(estimate))
}

/// How it is going to be paid.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EstimateQuery {
    /// `cash` makes `payable` the total rounded to five cents.
    payment: Option<Payment>,
}

/// What a cart costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Estimate {
    pub cart_id: CartId,
    /// Of the cart that was estimated.
    #[schema(example = 3)]
    pub version: i64,
    #[serde(flatten)]
    pub amounts: Amounts,
    /// Whether these are cached prices, because products did not answer.
    pub stale: bool,
    /// The instant whose prices and rates these are; when stale, that of the oldest of them.
    #[schema(value_type = String, format = DateTime)]
    pub priced_at: Timestamp,
}

/// What the cart costs
#[utoipa::path(
    get, path = "/api/v1/carts/{id}/estimate", operation_id = "estimateCart", tag = "carts",
    params(("id" = CartId, Path, description = "The cart"), EstimateQuery),
    responses(
        (status = 200, description = "The estimate", body = Estimate),
        (status = 409, description = "`cart-not-orderable`: `errors` says which lines, \
            `product-archived` or `product-not-found`; `cart-merged`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn estimate(
    State(app): State<App>,
    Path(id): Path<CartId>,
    Query(query): Query<EstimateQuery>,
) -> Result<Json<Estimate>> {
    let found = store::view(&app.context.db, id).await?;
    let (cart, lines) = found.ok_or_else(|| not_found(id))?;
    cart.writable()?;
    let quoted = match lines.is_empty() {
        // Nothing costs nothing, whatever the prices are.
        true => Quoted::Amounts(Box::new(local(&lines, query.payment)?), app.now()),
        false => app.products.quote(cart.store_id, &lines, query.payment).await,
    };
    let (amounts, stale, priced_at) = match quoted {
        Quoted::Amounts(amounts, quoted_at) => (*amounts, false, quoted_at),
        Quoted::Refused(errors) => return Err(not_orderable(errors)),
        Quoted::Silent => {
            let priced_at = oldest(&lines).ok_or_else(unavailable)?;
            (local(&lines, query.payment)?, true, priced_at)
        }
    };
    Ok(Json(Estimate { cart_id: cart.id, version: cart.version, amounts, stale, priced_at }))
}

/// The amounts by cached prices, of lines that are all known.
fn local(lines: &[KnownLine], payment: Option<Payment>) -> Result<Amounts> {
    let archived: Vec<FieldError> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.product.as_ref().is_some_and(|p| p.availability == Availability::Archived))
        .map(|(index, _)| {
            FieldError::at_pointer(
                format!("/lines/{index}/product_id"),
                "product-archived",
                "this product is not for sale any more",
            )
        })
        .collect();
    if !archived.is_empty() {
        return Err(not_orderable(archived));
    }
    // Products keeps prices, deposits and quantities within what can be quoted.
    amounts(lines, payment).map_err(Problem::internal)
}

/// When the oldest price was asked for; `None` if one was never.
fn oldest(lines: &[KnownLine]) -> Option<Timestamp> {
    let fetched: Option<Vec<Timestamp>> =
        lines.iter().map(|line| line.product.as_ref().map(|p| p.fetched_at)).collect();
    fetched?.into_iter().min()
}

fn not_orderable(errors: Vec<FieldError>) -> Problem {
    let problem = Problem::conflict("cart-not-orderable").detail("some of these lines cannot be ordered: remove them");
    errors.into_iter().fold(problem, Problem::error)
}
