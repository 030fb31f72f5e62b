//! The lines of a request: checked, and in the order in which their rows are locked.
//!
//! A line is numbered by that order and not by the client's, so that the same lines in another order
//! are the same request, with the same references in the ledger.

use std::collections::BTreeSet;

use sdk::problem::FieldError;

use super::{LINES_MAX, LocationId, Place, ProductId, QUANTITY_MAX};

/// A line as a client wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// None: the request's own.
    pub location: Option<LocationId>,
    pub product: ProductId,
    pub amount: i64,
}

/// What the amounts of a request are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// From 1 to [`QUANTITY_MAX`].
    Quantity,
    /// That, or less than nothing.
    Delta,
}

/// A line that has nothing wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1, in the order of places.
    pub number: i64,
    pub place: Place,
    pub amount: i64,
}

/// Lines that have nothing wrong with them: of each place one, in the order of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    lines: Vec<Line>,
    /// Where each location was named first, as a JSON pointer.
    named: Vec<(LocationId, String)>,
}

impl Amount {
    const fn member(self) -> &'static str {
        match self {
            Amount::Quantity => "quantity",
            Amount::Delta => "delta",
        }
    }

    fn error(self, amount: i64) -> Option<(&'static str, String)> {
        let in_range = match self {
            Amount::Quantity => (1..=QUANTITY_MAX).contains(&amount),
            Amount::Delta => amount != 0 && (-QUANTITY_MAX..=QUANTITY_MAX).contains(&amount),
        };
        let detail = match self {
            Amount::Quantity => format!("must be from 1 to {QUANTITY_MAX}"),
            Amount::Delta => format!("must be from -{QUANTITY_MAX} to {QUANTITY_MAX}, and not 0"),
        };
        let code = match self {
            Amount::Quantity => "quantity-out-of-range",
            Amount::Delta => "delta-out-of-range",
        };
        (!in_range).then_some((code, detail))
    }
}

impl Lines {
    /// The lines, or everything that is wrong with them. `default` is the location that the request
    /// names for all of them, at `/location_id`.
    pub fn check(amount: Amount, default: Option<LocationId>, drafts: &[Draft]) -> Result<Lines, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut lines = Vec::with_capacity(drafts.len());
        let mut named: Vec<(LocationId, String)> = Vec::new();
        let mut seen = BTreeSet::new();
        if !(1..=LINES_MAX).contains(&drafts.len()) {
            let detail = format!("must be from 1 to {LINES_MAX} lines");
            errors.push(FieldError::at_pointer("/lines", "lines-out-of-range", detail));
        }
        for (index, draft) in drafts.iter().enumerate() {
            let at = |member: &str| format!("/lines/{index}/{member}");
            if draft.product.0 < 1 {
                errors.push(FieldError::at_pointer(at("product_id"), "out-of-range", "must be positive"));
            }
            if let Some((code, detail)) = amount.error(draft.amount) {
                errors.push(FieldError::at_pointer(at(amount.member()), code, detail));
            }
            let Some(location) = draft.location.or(default) else {
                let detail = "must be named, here or for all lines";
                errors.push(FieldError::at_pointer(at("location_id"), "location-missing", detail));
                continue;
            };
            let place = Place { location, product: draft.product };
            if !seen.insert(place) {
                let detail = "each product must be named once for a location";
                errors.push(FieldError::at_pointer(at("product_id"), "line-repeated", detail));
            }
            if !named.iter().any(|(known, _)| *known == location) {
                let pointer = if draft.location.is_some() { at("location_id") } else { "/location_id".to_owned() };
                named.push((location, pointer));
            }
            lines.push(Line { number: 0, place, amount: draft.amount });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        lines.sort_by_key(|line| line.place);
        for (line, number) in lines.iter_mut().zip(1..) {
            line.number = number;
        }
        Ok(Lines { lines, named })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    pub fn as_slice(&self) -> &[Line] {
        &self.lines
    }

    /// Where the request names that location.
    pub fn pointer_of(&self, location: LocationId) -> &str {
        let found = self.named.iter().find(|(named, _)| *named == location);
        found.map_or("/location_id", |(_, pointer)| pointer)
    }
}
