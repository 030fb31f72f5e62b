//! A checkout as it is stored, and its steps.

use jiff::Timestamp;
use pricing::Money;
use sdk::fulfilment::Fulfilment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::basket::Basket;
use super::decision::Progress;
use super::failure::Failure;
use super::steps::Step;
use super::{CartId, CheckoutId, CustomerId, OrderId, PATIENCE, PaymentId, PaymentMethod, ReservationId, State};

/// A checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    pub id: CheckoutId,
    pub number: i64,
    pub customer_id: CustomerId,
    pub cart_id: CartId,
    pub order_id: OrderId,
    pub reservation_id: ReservationId,
    pub payment_id: PaymentId,
    pub fulfilment: Fulfilment,
    pub method: PaymentMethod,
    /// Until it has ended.
    pub token: Option<Token>,
    pub expected: Money,
    /// Once it is priced.
    pub basket: Option<Basket>,
    pub state: State,
    pub step: Step,
    pub attempts: i32,
    pub cancel_requested: bool,
    pub pivoted_at: Option<Timestamp>,
    pub failure: Option<Failure>,
    /// Under which it is changed.
    pub fence: i64,
    pub due_at: Timestamp,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What the provider knows a customer's means of payment by. In no log line.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

sdk::text_enum!(
    /// What became of a step.
    StepState {
        /// It is being tried, or will be.
        Intended = "intended",
        Done = "done",
        /// There was nothing to do.
        Skipped = "skipped",
        /// The other service has said no.
        Refused = "refused",
        /// There was no answer; what it may have done was undone.
        Unknown = "unknown",
    }
);

/// A step that a checkout has taken, or is about to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub step: Step,
    pub state: StepState,
    /// Beyond the first try.
    pub retries: i32,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub note: Option<String>,
}

impl Checkout {
    /// Whether the customer can still call it off.
    pub fn is_cancellable(&self) -> bool {
        self.state == State::Running && self.pivoted_at.is_none() && !self.cancel_requested
    }

    pub fn progress(&self, now: Timestamp) -> Progress {
        Progress {
            state: self.state,
            step: self.step,
            attempts: u32::try_from(self.attempts).unwrap_or(0),
            cancel_requested: self.cancel_requested,
            out_of_patience: now.duration_since(self.created_at) >= PATIENCE,
            failure: self.failure.as_ref().map(|failure| failure.code),
        }
    }
}
