//! The cart service: what is to be bought, and that it was.

use sdk::{Client, ClientError};
use serde::Serialize;

use super::{Said, read, unforeseen};
use crate::domain::basket::{Cart, CartLine};
use crate::domain::failure::{Code, Failure};
use crate::domain::{CartId, CheckoutId, CustomerId};

#[derive(Serialize)]
struct Consumption<'a> {
    checkout_id: CheckoutId,
    lines: &'a [CartLine],
}

/// The lines of the cart now; of somebody else's there is nothing to see.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn snapshot(http: &Client, id: CartId, of: CustomerId) -> Result<Result<Cart, Failure>, ClientError> {
    let response = http.get(format!("http://cart/internal/v1/carts/{id}/snapshot")).send().await?;
    let cart: Cart = match read(response)? {
        Ok(response) => response.json()?,
        Err(problem) => {
            return match problem.code.as_str() {
                "cart-not-found" => Ok(Err(not_found())),
                "cart-merged" | "cart-expired" => {
                    let detail = "the cart was merged into another, or has expired";
                    Ok(Err(Failure::new(Code::CartClosed, detail)))
                }
                _ => Err(unforeseen(&problem)),
            };
        }
    };
    if cart.customer_id.is_some_and(|owner| owner != of) {
        return Ok(Err(not_found()));
    }
    if cart.lines.is_empty() {
        return Ok(Err(Failure::new(Code::CartEmpty, "there is nothing in the cart")));
    }
    Ok(Ok(cart))
}

fn not_found() -> Failure {
    Failure::new(Code::CartNotFound, "there is no such cart")
}

/// Takes what was bought out of the cart, once for each checkout.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn consume(
    http: &Client,
    id: CartId,
    checkout_id: CheckoutId,
    lines: &[CartLine],
) -> Result<Said, ClientError> {
    let post = http.post(format!("http://cart/internal/v1/carts/{id}/consume"));
    match read(post.json(&Consumption { checkout_id, lines }).send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) if problem.code == "cart-not-found" => Ok(Said::No(not_found())),
        Err(problem) => Err(unforeseen(&problem)),
    }
}
