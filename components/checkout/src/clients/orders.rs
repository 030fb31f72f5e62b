//! The orders service: a pending order, confirmed or called off.
//!
//! It is told of no payment events: that the payment is captured, its confirmation says, and what became of a void or
//! a refund that orders asks for, the answer to that. So nothing is told twice, and nothing has to be told later.

use pricing::{Money, TaxRates};
use sdk::fulfilment::Fulfilment;
use sdk::{Client, ClientError};
use serde::Serialize;
use serde_json::json;

use super::{Said, read, unforeseen};
use crate::domain::basket::{Basket, Line};
use crate::domain::checkout::Checkout;
use crate::domain::failure::{Code, Failure};
use crate::domain::{CheckoutId, CustomerId, LocationId, OrderId, PaymentId, ProductId, ReservationId};

#[derive(Serialize)]
struct Draft<'a> {
    checkout_id: CheckoutId,
    reservation_id: ReservationId,
    payment_id: PaymentId,
    customer_id: CustomerId,
    store_id: LocationId,
    location_id: LocationId,
    fulfilment: &'a Fulfilment,
    lines: Vec<DraftLine<'a>>,
    total: Money,
}

#[derive(Serialize)]
struct DraftLine<'a> {
    product_id: ProductId,
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    unit_price: Money,
    discount: Money,
    unit_deposit: Money,
    tax_category: &'a str,
    rates: TaxRates,
}

impl<'a> From<&'a Line> for DraftLine<'a> {
    fn from(line: &'a Line) -> Self {
        DraftLine {
            product_id: line.product_id,
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount,
            unit_deposit: line.unit_deposit,
            tax_category: &line.tax_category,
            rates: line.rates,
        }
    }
}

/// A pending order of what was quoted.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn make(http: &Client, checkout: &Checkout, basket: &Basket) -> Result<Said, ClientError> {
    let draft = Draft {
        checkout_id: checkout.id,
        reservation_id: checkout.reservation_id,
        payment_id: checkout.payment_id,
        customer_id: checkout.customer_id,
        store_id: basket.store_id,
        location_id: basket.location_id,
        fulfilment: &checkout.fulfilment,
        lines: basket.quote.lines.iter().map(DraftLine::from).collect(),
        total: basket.total(),
    };
    let put = http.put(format!("http://orders/internal/v1/orders/{}", checkout.order_id));
    match read(put.json(&draft).send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) => match problem.code.as_str() {
            "order-cancelled" => Ok(Said::No(cancelled())),
            "validation-failed" => {
                let detail = "the order was refused; nothing was charged";
                Ok(Said::No(Failure { errors: problem.errors, ..Failure::new(Code::OrderRefused, detail) }))
            }
            _ => Err(unforeseen(&problem)),
        },
    }
}

/// Confirmed and paid.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn confirm(http: &Client, id: OrderId) -> Result<Said, ClientError> {
    let post = http.post(format!("http://orders/internal/v1/orders/{id}/confirm"));
    match read(post.send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) if problem.code == "order-cancelled" => Ok(Said::No(cancelled())),
        Err(problem) => Err(unforeseen(&problem)),
    }
}

/// Called off, and never to be made if it was not.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn cancel(http: &Client, id: OrderId, reason: &str) -> Result<Said, ClientError> {
    let post = http.post(format!("http://orders/internal/v1/orders/{id}/cancel"));
    match read(post.json(&json!({"reason": reason})).send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) => Err(unforeseen(&problem)),
    }
}

fn cancelled() -> Failure {
    Failure::new(Code::OrderCancelled, "the order was cancelled while it was being paid for")
}
