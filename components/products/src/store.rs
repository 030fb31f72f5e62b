//! The catalogue in PostgreSQL: every statement of this service, a file for each resource.
//!
//! Owns SQL and rows; refuses in problems where a named constraint says no. What a value may look
//! like is decided in [`crate::domain`], before it comes here.

pub mod categories;
pub mod prices;
pub mod products;
pub mod quotes;
pub mod tax_categories;

use crate::domain::price::PriceKind;
use crate::domain::product::Status;
use sdk::{DbError, FromValue, Value};

/// The price in force of the product `p`, as `e`: the first in the order of (kind, store), which is
/// promo before regular and a store's own before all stores'. One index-only scan without a sort.
macro_rules! price_in_force {
    (at: $instant:literal, store: $store:literal) => {
        concat!(
            "cross join lateral (
               select r.id, r.kind, r.amount_cents
               from prices r
               where r.product_id = p.id
                 and r.valid @> ",
            $instant,
            "
                 and (r.store_id is null or r.store_id = ",
            $store,
            ")
               order by r.kind, r.store_id
               limit 1
             ) e"
        )
    };
}
use price_in_force;

/// A stored text that must be one of an enumeration's.
fn parsed<T>(value: Value, parse: fn(&str) -> Option<T>) -> Result<T, DbError> {
    let text = String::from_value(value)?;
    parse(&text).ok_or_else(|| DbError::Conversion(format!("unexpected text {text:?}")))
}

impl FromValue for Status {
    fn from_value(value: Value) -> Result<Self, DbError> {
        parsed(value, Status::parse)
    }
}

impl FromValue for PriceKind {
    fn from_value(value: Value) -> Result<Self, DbError> {
        parsed(value, PriceKind::parse)
    }
}
