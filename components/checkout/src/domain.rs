//! The rules of a checkout: its states, its ids, its times.
//!
//! Pure: no SQL, no HTTP, no clock. `domain/steps.rs` is the table of steps, `domain/decision.rs` what follows
//! from what a step came to, `domain/basket.rs` what is bought, `domain/failure.rs` why a checkout failed.

pub mod basket;
pub mod checkout;
pub mod decision;
pub mod failure;
pub mod steps;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sdk::typed_id;

pub use sdk::fulfilment::LocationId;

typed_id!(
    /// A checkout: a UUIDv7.
    CheckoutId,
    Uuid
);
typed_id!(
    /// A cart of the cart service.
    CartId,
    Uuid
);
typed_id!(
    /// An order of the orders service, minted here.
    OrderId,
    Uuid
);
typed_id!(
    /// A reservation of the inventory service, minted here.
    ReservationId,
    Uuid
);
typed_id!(
    /// A payment of the provider, minted here.
    PaymentId,
    Uuid
);
typed_id!(
    /// A refund of a payment, minted by the orders service.
    RefundId,
    Uuid
);
typed_id!(
    /// A customer of the customers service.
    CustomerId,
    i64
);
typed_id!(
    /// A product of the products service.
    ProductId,
    i64
);

/// Where deliveries leave from, and whose sale they are unless the cart names a store.
pub const WAREHOUSE: LocationId = LocationId(100);

/// How long whoever has a checkout has it alone after each step. Three calls may run into their deadline of two
/// seconds before the next write, with room for the write.
pub const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// How long a service may be away before a checkout that has not come to its pivot is given up: a customer waits
/// no longer, and the units are wanted by others.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How long units are promised: what patience allows, and the longest lease and pause after it, twice.
pub const RESERVED_FOR_S: i64 = 120;

/// How long a request waits for the end of its checkout. Below the 15 s that a host gives a request and the 20 s
/// that the gateway waits for an answer, with room for the call that is under way.
pub const BUDGET: Duration = Duration::from_secs(8);

/// The pause after the first failure of a step; it doubles with every further one.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause. So a checkout goes on within five seconds once whoever was away is back.
const PAUSE_MAX: Duration = Duration::from_secs(5);

sdk::text_enum!(
    /// What becomes of a checkout. The last three are final.
    State {
        /// On its way forward.
        Running = "running",
        /// On its way back: what it did is undone.
        Compensating = "compensating",
        /// Paid for; there is an order.
        Completed = "completed",
        /// Nothing is left of it.
        Failed = "failed",
        /// The customer called it off; nothing is left of it.
        Cancelled = "cancelled",
    }
);

sdk::text_enum!(
    /// How it is paid.
    PaymentMethod { Card = "card" }
);

impl State {
    pub const fn is_final(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Cancelled)
    }
}

/// The human number of a checkout, `K-100001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "K-{}", self.0)
    }
}

/// How long to wait after a step has failed so often.
pub fn pause_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    PAUSE.saturating_mul(1 << doublings).min(PAUSE_MAX)
}

/// Clocks stay within the range of a timestamp: saturating costs nothing and cannot fail.
pub fn later(at: Timestamp, by: impl TryInto<SignedDuration>) -> Timestamp {
    by.try_into().ok().and_then(|by| at.saturating_add(by).ok()).unwrap_or(at)
}
