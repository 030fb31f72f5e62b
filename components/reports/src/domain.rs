//! The rules of reports: whose feeds there are, what an event means, what figures say.
//!
//! Pure: no SQL, no HTTP, no clock. `domain/payload.rs` is what is read of an event, `domain/projection.rs` what it
//! becomes, `domain/rows.rs` the rows; `domain/versions.rs` knows which versions of a subject were told,
//! `domain/period.rs` the days of a report, `domain/rating.rs` what is said about its figures.

pub mod payload;
pub mod period;
pub mod projection;
pub mod rating;
pub mod rows;
#[cfg(test)]
mod tests;
pub mod versions;

use std::time::Duration;

pub use sdk::fulfilment::LocationId;
use sdk::typed_id;

typed_id!(
    /// A product of the products service.
    ProductId,
    i64
);
typed_id!(
    /// A rebuild: a UUIDv7.
    RebuildId,
    Uuid
);
typed_id!(
    /// Everything that was built from the feeds together.
    Epoch,
    i64
);

/// The most events of a page: what a feed gives at once.
pub const PAGE_MAX: u32 = 500;

/// What a page should be long at most. Seven of them are in memory at the same time, several times over, and an
/// instance has 128 MiB.
pub const PAGE_BYTES: usize = 1 << 20;

/// How long a report waits for feeds at most. Below the 15 s that a host gives a request, with room for a call that
/// is under way.
pub const BUDGET: Duration = Duration::from_secs(5);

/// How old the view of a feed may be that is called complete, when nobody asks for less.
pub const STALENESS_DEFAULT_MS: i64 = 10_000;

/// How long services may be under way with something before their books are compared about it.
pub const GRACE_S: i64 = 60;

sdk::text_enum!(
    /// A service whose feed is read.
    Source {
        Products = "products",
        Inventory = "inventory",
        Customers = "customers",
        Orders = "orders",
        Cart = "cart",
        Checkout = "checkout",
        Sales = "sales",
    }
);

sdk::text_enum!(
    /// How goods are sold.
    Channel {
        /// At a till.
        Store = "store",
        Online = "online",
    }
);

impl Source {
    /// Whether each of its subjects begins with version 1. Products and carts were there before they had events,
    /// and begin with the version that they had by then.
    pub const fn counts_from_one(self) -> bool {
        !matches!(self, Source::Products | Source::Cart)
    }
}

/// How many events to ask for next, after a page of that many that was so long.
pub fn page_limit_after(limit: u32, bytes: usize) -> u32 {
    if bytes > PAGE_BYTES { (limit / 2).max(1) } else { limit.saturating_mul(2).min(PAGE_MAX) }
}
