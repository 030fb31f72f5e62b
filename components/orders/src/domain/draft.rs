//! What a checkout orders, and what that comes to.

use std::collections::BTreeSet;

use pricing::{Money, Quote, QuoteError, TaxRates};
pub use sdk::fulfilment::{Fulfilment, Method};
use sdk::problem::FieldError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CheckoutId, CustomerId, LocationId, MAX_LINES, PaymentId, ProductId, ReservationId};

/// The longest name of a product and the longest SKU, in characters.
const TEXT_MAX: usize = 200;

/// An order to be made, by a checkout that has minted its ids.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder)]
pub struct Draft {
    pub checkout_id: CheckoutId,
    pub reservation_id: ReservationId,
    pub payment_id: PaymentId,
    #[schema(example = 7)]
    pub customer_id: CustomerId,
    /// Whose sale it is.
    #[schema(example = 1)]
    pub store_id: LocationId,
    /// Whose stock was reserved, and where the goods come back to; the store if left out.
    #[serde(default)]
    #[schema(example = 100)]
    pub location_id: Option<LocationId>,
    pub fulfilment: Fulfilment,
    /// Each product once.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<DraftLine>,
    /// What the customer was told; refused unless the lines come to it.
    pub total: Money,
}

/// A line, as it was quoted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderLine)]
pub struct DraftLine {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    pub quantity: u32,
    pub unit_price: Money,
    /// Off the whole line: its own and its part of the basket's.
    #[serde(default)]
    pub discount: Money,
    /// On one container, untaxed.
    #[serde(default)]
    pub unit_deposit: Money,
    #[schema(example = "standard")]
    pub tax_category: String,
    /// Of the category, on the day: in thousandths of a percent.
    pub rates: TaxRates,
}

impl Draft {
    pub fn location(&self) -> LocationId {
        self.location_id.unwrap_or(self.store_id)
    }

    /// What the lines come to.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn priced(&self) -> Result<Quote, Vec<FieldError>> {
        let mut found = self.mistakes();
        let lines: Vec<pricing::Line> = self.lines.iter().map(DraftLine::priced).collect();
        let quote = match pricing::quote(&lines, Money::ZERO) {
            Ok(quote) if quote.total == self.total => Some(quote),
            Ok(quote) => {
                let detail = format!("the lines come to {}, not to {}", quote.total, self.total);
                found.push(FieldError::at_pointer("/total", "total-differs", detail));
                None
            }
            Err(_) => {
                found.extend(pricing::violations(&lines, Money::ZERO).iter().map(violation));
                None
            }
        };
        match quote {
            Some(quote) if found.is_empty() => Ok(quote),
            _ => Err(found),
        }
    }

    fn mistakes(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        let ids = [
            ("/customer_id", self.customer_id.0),
            ("/store_id", self.store_id.0),
            ("/location_id", self.location().0),
            ("/fulfilment/store_id", self.fulfilment.store_id.map_or(1, |store| store.0)),
        ];
        for (pointer, id) in ids {
            if id <= 0 {
                found.push(FieldError::at_pointer(pointer, "out-of-range", "must be positive"));
            }
        }
        found.extend(self.fulfilment.mistakes("/fulfilment"));
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            let detail = format!("must be from 1 to {MAX_LINES} lines");
            found.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
        }
        let mut seen = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            let mut wrong = |member: &str, code, detail: String| {
                found.push(FieldError::at_pointer(format!("/lines/{index}/{member}"), code, detail));
            };
            if line.product_id.0 <= 0 {
                wrong("product_id", "out-of-range", "must be positive".to_owned());
            }
            if !seen.insert(line.product_id) {
                wrong("product_id", "product-repeated", "each product must be named once".to_owned());
            }
            for (member, text) in [("sku", &line.sku), ("name", &line.name), ("tax_category", &line.tax_category)] {
                if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
                    wrong(member, "length-out-of-range", format!("must be from 1 to {TEXT_MAX} characters"));
                }
            }
        }
        found
    }
}

impl DraftLine {
    fn priced(&self) -> pricing::Line {
        pricing::Line {
            discount: self.discount,
            unit_deposit: self.unit_deposit,
            ..pricing::Line::new(self.unit_price, self.quantity, self.rates)
        }
    }
}

/// What [`pricing`] refuses, at its place in the body.
fn violation(violation: &QuoteError) -> FieldError {
    let pointer = match (violation.line(), violation.field()) {
        (Some(line), Some(field @ "quantity")) => format!("/lines/{line}/{field}"),
        (Some(line), Some(field)) => format!("/lines/{line}/{field}/amount"),
        (_, field) => format!("/{}", field.unwrap_or("lines")),
    };
    FieldError::at_pointer(pointer, violation.code(), violation.to_string())
}
