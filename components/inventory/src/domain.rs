//! The rules of stock that need neither HTTP nor SQL.
//!
//! - here: what a row of stock holds, what a change does to it, and when it cannot;
//! - [`lines`]: the lines of a request, checked and in the order in which rows are locked;
//! - [`reservation`]: the states of a reservation, as a table;
//! - [`shipment`]: those of restock requests and transfers, and what arrives.

pub mod lines;
pub mod reservation;
pub mod shipment;
#[cfg(test)]
mod tests;

use sdk::typed_id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

typed_id!(
    /// A store or a warehouse.
    LocationId,
    i64
);
typed_id!(
    /// A product of the products service.
    ProductId,
    i64
);
typed_id!(
    /// A reservation, minted by whoever makes it.
    ReservationId,
    Uuid
);
typed_id!(
    /// A restock request or a transfer: a UUIDv7.
    ShipmentId,
    Uuid
);

/// The most units that one line can be about.
pub const QUANTITY_MAX: i64 = 1_000_000;
/// The most lines of a request.
pub const LINES_MAX: usize = 200;
/// The longest text that somebody writes for others to read, in characters.
pub const NOTE_MAX: usize = 500;

sdk::text_enum!(
    /// What changes a row of stock. The first eight move units, and are the kinds of the ledger.
    Kind {
        /// What there was in the beginning.
        Opening = "opening",
        /// Somebody counted.
        Count = "count",
        /// Somebody knows better.
        Adjustment = "adjustment",
        /// A reservation was committed.
        Order = "order",
        /// Sold at the counter.
        Sale = "sale",
        /// Brought back.
        Return = "return",
        /// Shipped from here.
        Dispatch = "dispatch",
        /// Shipped to here, and arrived or lost.
        Arrival = "arrival",
        /// Promised.
        Reservation = "reservation",
        /// Promised no more: given back.
        Release = "release",
        /// Promised no more: the time is over.
        Expiry = "expiry",
        /// Under way to here.
        Transit = "transit",
    }
);

sdk::text_enum!(
    /// How much there is, against the thresholds of the row.
    Level {
        /// Nothing is available.
        Out = "out",
        /// What is available is at the lower threshold or below.
        Low = "low",
        /// Neither low nor too much.
        Normal = "normal",
        /// What is on hand is above the upper threshold.
        Over = "over",
    }
);

sdk::text_enum!(
    /// Whether goods are sold here.
    LocationKind {
        Store = "store",
        Warehouse = "warehouse",
    }
);

sdk::text_enum!(
    /// How units were lost where no movement could say so.
    DiscrepancyKind {
        /// A till was offline and sold what the ledger did not have.
        SoldWithoutStock = "sold_without_stock",
        /// Shipped, and never arrived.
        LostInTransit = "lost_in_transit",
    }
);

sdk::text_enum!(
    /// What a voucher is of.
    VoucherKind {
        /// Sold.
        Issue = "issue",
        /// Brought back, to be sold again.
        Receipt = "receipt",
    }
);

sdk::text_enum!(
    /// What to do about a sale of more than is available.
    OnShortage {
        /// Nothing moves: 409.
        Refuse = "refuse",
        /// What is there moves, the rest becomes a discrepancy: for sales of a till that was offline.
        Record = "record",
    }
);

sdk::text_enum!(
    /// How what was brought back is.
    Condition {
        /// It can be sold again.
        Resalable = "resalable",
        /// It is written off as soon as it is back.
        Damaged = "damaged",
    }
);

/// Whether something was made by this request, or by one before of which this is a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Now,
    Before,
}

/// A row of stock: what there is of a product at a location. Its order is that of locking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub location: LocationId,
    pub product: ProductId,
}

/// What a row of stock holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
}

/// What is to happen to one row of stock. A transaction changes a row once: it gets one version and
/// one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub place: Place,
    pub kind: Kind,
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
    /// Of the reference that the movement is recorded with.
    pub line: i64,
}

/// Too little of a product at a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Shortage {
    #[schema(example = 1)]
    pub location_id: LocationId,
    #[schema(example = 42)]
    pub product_id: ProductId,
    #[schema(example = 3)]
    pub requested: i64,
    #[schema(example = 1)]
    pub available: i64,
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impossible {
    Short(Shortage),
    /// It gives back what was never taken: a bug of ours.
    Unfounded,
}

impl Holding {
    /// What can still be promised or taken.
    pub const fn available(self) -> i64 {
        self.on_hand - self.reserved
    }

    /// After the change. What is promised to somebody is never taken by somebody else.
    pub fn after(self, change: &Change) -> Result<Holding, Impossible> {
        let after = Holding {
            on_hand: self.on_hand + change.on_hand,
            reserved: self.reserved + change.reserved,
            in_transit: self.in_transit + change.in_transit,
        };
        if after.reserved < 0 || after.in_transit < 0 {
            return Err(Impossible::Unfounded);
        }
        if after.available() < 0 {
            return Err(Impossible::Short(Shortage {
                location_id: change.place.location,
                product_id: change.place.product,
                requested: change.reserved - change.on_hand,
                available: self.available(),
            }));
        }
        Ok(after)
    }
}

impl Change {
    /// Of nothing yet.
    pub const fn none(place: Place, kind: Kind, line: i64) -> Change {
        Change { place, kind, on_hand: 0, reserved: 0, in_transit: 0, line }
    }

    pub const fn on_hand(self, by: i64) -> Change {
        Change { on_hand: by, ..self }
    }

    pub const fn reserved(self, by: i64) -> Change {
        Change { reserved: by, ..self }
    }

    pub const fn in_transit(self, by: i64) -> Change {
        Change { in_transit: by, ..self }
    }
}

/// What tells a voucher from others: 1 to 100 letters, digits, `.`, `_`, `-`, `:`.
pub fn is_reference(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:".contains(&b))
}
