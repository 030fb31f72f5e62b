//! What a checkout asks to have recorded: an order that is paid, as it was priced.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use sdk::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::draft::{Priced, violation};
use super::sale::{Item, Line};
use super::{CheckoutId, CustomerId, LocationId, MAX_LINES, PaymentId, ProductId, is_storable};

/// The longest SKU, name and tax category, in characters.
const TEXT_MAX: usize = 200;

/// An order that is paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnlineSale {
    pub checkout_id: CheckoutId,
    pub payment_id: PaymentId,
    #[schema(example = 7)]
    pub customer_id: CustomerId,
    /// Whose sale it is.
    #[schema(example = 1)]
    pub store_id: LocationId,
    /// When it was paid.
    #[schema(value_type = String, format = DateTime)]
    pub sold_at: Timestamp,
    /// Each product once.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<OnlineLine>,
    /// What they come to, and what was captured.
    pub total: Money,
}

/// A product as it was priced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnlineLine {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = 2)]
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
    /// In thousandths of a percent.
    pub rates: TaxRates,
}

impl OnlineSale {
    /// Whether it asks for the same as another did. When it was paid does not matter: whoever asks again may
    /// have another opinion of that.
    pub fn is_same(&self, before: &OnlineSale) -> bool {
        OnlineSale { sold_at: before.sold_at, ..self.clone() } == *before
    }

    /// What the lines come to.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn priced(&self) -> Result<Priced, Vec<FieldError>> {
        let mut found = self.mistakes();
        let lines: Vec<pricing::Line> = self.lines.iter().map(OnlineLine::priced).collect();
        let quote = match pricing::quote(&lines, Money::ZERO) {
            Ok(quote) if quote.total == self.total => quote,
            Ok(quote) => {
                let detail = format!("the lines come to {}, not to {}", quote.total, self.total);
                found.push(FieldError::at_pointer("/total", "total-differs", detail));
                return Err(found);
            }
            Err(_) => {
                found.extend(pricing::violations(&lines, Money::ZERO).iter().map(violation));
                return Err(found);
            }
        };
        if !found.is_empty() {
            return Err(found);
        }
        let lines = self.lines.iter().zip(&quote.lines).zip(1..);
        let lines = lines.map(|((line, quoted), number)| Line::of(number, line.item(), quoted)).collect();
        Ok(Priced { quote, lines })
    }

    fn mistakes(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        for (pointer, id) in [("/customer_id", self.customer_id.0), ("/store_id", self.store_id.0)] {
            if id <= 0 {
                found.push(FieldError::at_pointer(pointer, "out-of-range", "must be positive"));
            }
        }
        if !is_storable(self.sold_at) {
            found.push(FieldError::at_pointer("/sold_at", "instant-invalid", "must be an instant of our era"));
        }
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

impl OnlineLine {
    fn priced(&self) -> pricing::Line {
        pricing::Line {
            discount: self.discount,
            unit_deposit: self.unit_deposit,
            ..pricing::Line::new(self.unit_price, self.quantity, self.rates)
        }
    }

    /// What was quoted is what is charged: there is no other price to compare it with.
    fn item(&self) -> Item {
        Item {
            product_id: self.product_id,
            sku: self.sku.clone(),
            name: self.name.clone(),
            list_unit_price: self.unit_price,
            unit_deposit: self.unit_deposit,
            tax_category: self.tax_category.clone(),
        }
    }
}
