//! The sales service: what was paid is a sale, one for each order.

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use sdk::{Client, ClientError};
use serde::Serialize;

use super::{Said, read, unforeseen};
use crate::domain::basket::{Basket, Line};
use crate::domain::checkout::Checkout;
use crate::domain::failure::{Code, Failure};
use crate::domain::{CheckoutId, CustomerId, LocationId, PaymentId, ProductId};

#[derive(Serialize)]
struct Sale<'a> {
    checkout_id: CheckoutId,
    payment_id: PaymentId,
    customer_id: CustomerId,
    store_id: LocationId,
    sold_at: Timestamp,
    lines: Vec<SaleLine<'a>>,
    total: Money,
}

#[derive(Serialize)]
struct SaleLine<'a> {
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

impl<'a> From<&'a Line> for SaleLine<'a> {
    fn from(line: &'a Line) -> Self {
        SaleLine {
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

/// The sale of an order that is paid: of the day on which the capture was intended, however long it took.
///
/// # Errors
/// When there is no answer that can be relied upon.
pub async fn record(http: &Client, checkout: &Checkout, basket: &Basket) -> Result<Said, ClientError> {
    let sale = Sale {
        checkout_id: checkout.id,
        payment_id: checkout.payment_id,
        customer_id: checkout.customer_id,
        store_id: basket.store_id,
        sold_at: checkout.pivoted_at.unwrap_or(checkout.updated_at),
        lines: basket.quote.lines.iter().map(SaleLine::from).collect(),
        total: basket.total(),
    };
    let put = http.put(format!("http://sales/internal/v1/sales/{}", checkout.order_id));
    match read(put.json(&sale).send().await?)? {
        Ok(_) => Ok(Said::Done),
        Err(problem) => match problem.code.as_str() {
            "validation-failed" | "sale-differs" => {
                let detail = format!("the sale was refused: {}", problem.code);
                Ok(Said::No(Failure { errors: problem.errors, ..Failure::new(Code::SaleRefused, detail) }))
            }
            _ => Err(unforeseen(&problem)),
        },
    }
}
