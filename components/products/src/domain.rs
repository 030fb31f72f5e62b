//! The rules of the catalogue that need neither HTTP nor SQL: what a product, a price and a tax rate may look like,
//! and what a revision is.
//!
//! - [`product`]: the fields of a product, barcodes, revisions.
//! - [`price`]: kinds and periods of prices.
//! - [`tax`]: taxes and rates as text.
//!
//! Rules that only the stored rows can decide (uniqueness, overlap, continuity) are constraints in `migrations/`.

pub mod price;
pub mod product;
pub mod tax;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use sdk::problem::FieldError;
use sdk::typed_id;

typed_id!(ProductId, i64);
typed_id!(PriceId, i64);
typed_id!(StoreId, i64);

/// 0001-01-01T00:00:00Z.
const YEAR_ONE_S: i64 = -62_135_596_800;

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2_000;
/// The longest code of a category or a tax category.
pub const MAX_CODE: usize = 50;

/// Collects what is wrong, so that a client learns everything at once.
#[derive(Debug, Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Records an error unless `holds`.
    pub fn that(&mut self, holds: bool, pointer: &str, code: &'static str, detail: &str) {
        if !holds {
            self.0.push(FieldError::at_pointer(pointer, code, detail));
        }
    }

    /// A name: trimmed, not empty, one line, at most [`MAX_NAME`] characters.
    pub fn name(&mut self, pointer: &str, value: &str) -> String {
        let trimmed = value.trim();
        let length = trimmed.chars().count();
        self.that(
            (1..=MAX_NAME).contains(&length) && !trimmed.chars().any(char::is_control),
            pointer,
            "name-invalid",
            "must be one line of 1 to 200 characters",
        );
        trimmed.to_owned()
    }

    /// A code, as [`is_code`] understands it.
    pub fn code(&mut self, pointer: &str, value: &str) -> String {
        self.that(
            is_code(value),
            pointer,
            "code-invalid",
            "must be lower-case letters, digits and single hyphens, at most 50",
        );
        value.to_owned()
    }

    /// The value when nothing was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// Whether PostgreSQL can hold it: its calendar ends before jiff's does, far from anything we sell.
pub fn is_storable(instant: Timestamp) -> bool {
    instant.as_second() >= YEAR_ONE_S
}

/// `soft-drinks`: lower-case letters and digits in groups joined by single hyphens.
pub fn is_code(value: &str) -> bool {
    value.len() <= MAX_CODE
        && value
            .split('-')
            .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}
