//! What another service is to be told because of a decision here.
//!
//! Each has a natural key, under which the other service does it once however often it is told.

use jiff::{SignedDuration, Timestamp};
use pricing::Money;
use serde::{Deserialize, Serialize};

use super::{LocationId, OrderId, PaymentId, ProductId, RefundId, ReservationId};

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
    /// To inventory: the units are promised no more.
    Release { reservation: ReservationId },
    /// To checkout: the money is not wanted any more.
    Void { payment: PaymentId },
    /// To checkout: some of the money goes back.
    Refund { payment: PaymentId, refund: RefundId, amount: Money },
    /// To inventory: units are back.
    Restock { reference: String, location: LocationId, lines: Vec<Units> },
}

/// Units of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub product_id: ProductId,
    pub quantity: u32,
}

impl Effect {
    /// As in the constraint `effects_kind_known`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Effect::Release { .. } => "release",
            Effect::Void { .. } => "void",
            Effect::Refund { .. } => "refund",
            Effect::Restock { .. } => "restock",
        }
    }

    /// What the other service knows it by.
    pub fn reference(&self) -> String {
        match self {
            Effect::Release { reservation } => reservation.to_string(),
            Effect::Void { payment } => payment.to_string(),
            Effect::Refund { refund, .. } => refund.to_string(),
            Effect::Restock { reference, .. } => reference.clone(),
        }
    }
}

/// The receipt of what a cancelled order gives back.
pub fn cancellation_receipt(order: OrderId) -> String {
    format!("order-{order}-cancelled")
}

/// The receipt of what comes back with a refund.
pub fn refund_receipt(refund: RefundId) -> String {
    format!("refund-{refund}")
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

/// Clocks stay within the range of a timestamp: saturating costs nothing and cannot fail.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}
