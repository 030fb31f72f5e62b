//! The rules of an order: its states and steps, and who may take which.
//!
//! Pure: no SQL, no HTTP, no clock. What an order is made of is in `domain/draft.rs`, what it is in
//! `domain/order.rs`; what a decision changes is in `domain/decision.rs`, refunds and payments beside
//! it; what other services are to be told in `domain/effect.rs`.

pub mod decision;
pub mod draft;
pub mod effect;
pub mod order;
pub mod payment;
pub mod refund;
#[cfg(test)]
mod tests;

use std::fmt;

pub use sdk::fulfilment::LocationId;
use sdk::typed_id;

typed_id!(
    /// An order: a UUIDv7, minted by the checkout.
    OrderId,
    Uuid
);
typed_id!(
    /// A checkout, minted by the checkout service.
    CheckoutId,
    Uuid
);
typed_id!(
    /// A reservation of the inventory service.
    ReservationId,
    Uuid
);
typed_id!(
    /// A payment of the checkout service.
    PaymentId,
    Uuid
);
typed_id!(
    /// A refund of an order.
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

/// The most lines of an order: those of a cart.
pub const MAX_LINES: usize = 200;

/// How many wrong codes a pickup bears; then somebody looks at the customer's papers.
pub const MAX_PICKUP_FAILURES: i32 = 5;

sdk::text_enum!(
    /// What becomes of an order. `completed` and `cancelled` are final.
    Status {
        /// Made by a checkout that is not through yet.
        Pending = "pending",
        /// Paid for.
        Confirmed = "confirmed",
        /// Being picked.
        Processing = "processing",
        /// Packed: to be delivered or collected.
        Ready = "ready",
        /// With the customer.
        Completed = "completed",
        Cancelled = "cancelled",
    }
);

sdk::text_enum!(
    /// What became of the money.
    PaymentStatus {
        Unpaid = "unpaid",
        /// Set aside, and not ours yet.
        Authorized = "authorized",
        /// Captured.
        Paid = "paid",
        PartiallyRefunded = "partially-refunded",
        Refunded = "refunded",
        /// Given free without having been captured.
        Voided = "voided",
    }
);

use Status::{Cancelled, Completed, Confirmed, Pending, Processing, Ready};

/// Every step that there is.
pub const STEPS: &[(Status, Status)] = &[
    (Pending, Confirmed),
    (Confirmed, Processing),
    (Processing, Ready),
    (Ready, Completed),
    (Pending, Cancelled),
    (Confirmed, Cancelled),
    (Processing, Cancelled),
    (Ready, Cancelled),
];

impl Status {
    pub fn leads_to(self, next: Status) -> bool {
        STEPS.contains(&(self, next))
    }
}

/// On what grounds a step is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// Somebody of the staff says so.
    Word,
    /// A manager or the head office says so.
    Authority,
    /// The customer has shown the code.
    Code,
}

/// What of an order decides which steps it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    pub payment: PaymentStatus,
    /// Whether a customer collects it.
    pub pickup: bool,
}

impl Standing {
    /// Whether a step of [`STEPS`] may be taken now: nothing is confirmed before it is paid, nothing goes
    /// on once all of the money went back, and what is to be collected is handed out for a code, or on
    /// a manager's word.
    pub fn permits(self, next: Status, grounds: Grounds) -> bool {
        self.status.leads_to(next)
            && match next {
                Confirmed => self.payment == PaymentStatus::Paid,
                Processing | Ready => self.payment != PaymentStatus::Refunded,
                Completed => self.payment != PaymentStatus::Refunded && (!self.pickup || grounds != Grounds::Word),
                Pending | Cancelled => true,
            }
    }

    /// Every step that may be taken now, in the order of [`STEPS`].
    pub fn allowed(self, grounds: Grounds) -> Vec<Status> {
        let next = STEPS.iter().map(|(_, next)| *next);
        // Each status is looked at once for every step that leads to it.
        let mut allowed: Vec<Status> = next.filter(|next| self.permits(*next, grounds)).collect();
        allowed.dedup();
        allowed
    }
}

/// Why a decision is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such step, or not now.
    Step { from: Status, to: Status, allowed: Vec<Status> },
    /// There is no money to give back: nothing was captured, or the order was cancelled.
    NotRefundable { payment: PaymentStatus },
    /// All of it was returned.
    NothingLeft,
    /// Line of the request, and how many units of its product may still come back.
    MoreThanSold { index: usize, most: u32 },
    /// Line of the request: the order has no such product.
    NotOrdered { index: usize },
    /// The payment tells of another amount than the order's total.
    AmountDiffers,
    /// The event is about a refund that was never decided.
    NoSuchRefund,
    /// What is stored does not add up: a bug.
    Broken(String),
}

/// The human number of an order, `O-100001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "O-{}", self.0)
    }
}
