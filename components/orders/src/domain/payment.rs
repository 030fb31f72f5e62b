//! What the payment's owner tells, in whatever order it arrives.

use pricing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{OrderId, PaymentId, PaymentStatus, RefundId};

sdk::text_enum!(
    /// What happened to a payment.
    PaymentEventKind {
        Authorized = "authorized",
        /// Nothing was set aside; the checkout gives up, and says so itself.
        Declined = "declined",
        Captured = "captured",
        Voided = "voided",
        /// With the `refund_id`.
        Refunded = "refunded",
    }
);

/// An event of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentEvent {
    /// The same however often it is delivered.
    #[schema(value_type = String, format = "uuid")]
    pub event_id: Uuid,
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    #[serde(rename = "type")]
    pub kind: PaymentEventKind,
    /// The order's total; of a refund, its own.
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
}

/// What an event changes, given what is known of the payment. Captured is more than authorized, and a
/// refund more than both; what was voided was never captured. So whatever comes late changes nothing.
pub fn after(known: PaymentStatus, kind: PaymentEventKind) -> Option<PaymentStatus> {
    use PaymentEventKind::{Authorized, Captured, Voided};
    use PaymentStatus as Status;
    match (known, kind) {
        (Status::Unpaid, Authorized) => Some(Status::Authorized),
        (Status::Unpaid | Status::Authorized | Status::Voided, Captured) => Some(Status::Paid),
        (Status::Unpaid | Status::Authorized, Voided) => Some(Status::Voided),
        _ => None,
    }
}
