//! What inventory is to be told because of what happened at a till.
//!
//! Each has a natural key, under which inventory does it once however often it is told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Disposition, LocationId, ProductId, ReturnId, SaleId, later};

/// How long whoever has claimed an effect has it alone; longer than a call may take.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// The pause after the first failure; it doubles with every further one.
const PAUSE_S: i64 = 1;

/// The longest pause.
const PAUSE_MAX_S: i64 = 300;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Effect {
    /// Units left the shelf. The customer has them: what is not on the books is missing there.
    Issue { reference: String, location: LocationId, lines: Vec<Units> },
    /// Units are back, to be sold again or to be written off.
    Receipt { reference: String, location: LocationId, condition: Disposition, lines: Vec<Units> },
}

/// Units of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub product_id: ProductId,
    pub quantity: u32,
}

impl Units {
    /// Each product once, as inventory takes them.
    pub fn of(lines: impl IntoIterator<Item = (ProductId, u32)>) -> Vec<Units> {
        let mut by_product: BTreeMap<ProductId, u32> = BTreeMap::new();
        for (product, quantity) in lines {
            let units = by_product.entry(product).or_default();
            *units = units.saturating_add(quantity);
        }
        by_product.into_iter().map(|(product_id, quantity)| Units { product_id, quantity }).collect()
    }
}

impl Effect {
    /// What a sale takes.
    pub fn sold(sale: SaleId, location: LocationId, lines: Vec<Units>) -> Effect {
        Effect::Issue { reference: sale.to_string(), location, lines }
    }

    /// What a sale that is called off gives back.
    pub fn voided(sale: SaleId, location: LocationId, lines: Vec<Units>) -> Effect {
        let reference = format!("void-{sale}");
        Effect::Receipt { reference, location, condition: Disposition::Resalable, lines }
    }

    /// What of a return goes where.
    pub fn returned(id: ReturnId, location: LocationId, condition: Disposition, lines: Vec<Units>) -> Effect {
        let reference = match condition {
            Disposition::Resalable => id.to_string(),
            Disposition::Damaged => format!("{id}-damaged"),
        };
        Effect::Receipt { reference, location, condition, lines }
    }

    /// As in the constraint `effects_kind_known`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Effect::Issue { .. } => "issue",
            Effect::Receipt { .. } => "receipt",
        }
    }

    /// What inventory knows it by.
    pub fn reference(&self) -> &str {
        match self {
            Effect::Issue { reference, .. } | Effect::Receipt { reference, .. } => reference,
        }
    }
}

/// Until when an effect that is claimed `now` is nobody else's.
pub fn lease_until(now: Timestamp) -> Timestamp {
    later(now, LEASE)
}

/// When to try again what has failed so often.
pub fn next_attempt(now: Timestamp, attempts: i32) -> Timestamp {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let pause_s = (PAUSE_S << doublings).min(PAUSE_MAX_S);
    later(now, SignedDuration::from_secs(pause_s))
}
