//! What the world is told: that a checkout was accepted, and how it ended. Its token and its address are
//! nobody's business, and events are kept for good.

use pricing::Money;
use sdk::Result;
use sdk::outbox::Event;
use serde::Serialize;

use crate::domain::checkout::Checkout;
use crate::domain::failure::Code;
use crate::domain::{
    CartId, CheckoutId, CustomerId, LocationId, Number, OrderId, PaymentId, PaymentMethod, ReservationId, State,
};

/// A checkout, as an event tells of it.
#[derive(Clone, Debug, Serialize)]
struct Told {
    checkout_id: CheckoutId,
    /// Not of one that is just being accepted: it is given with the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    state: State,
    customer_id: CustomerId,
    cart_id: CartId,
    order_id: OrderId,
    reservation_id: ReservationId,
    payment_id: PaymentId,
    method: PaymentMethod,
    expected: Money,
    total: Option<Money>,
    store_id: Option<LocationId>,
    location_id: Option<LocationId>,
    failure: Option<Code>,
    created_at: jiff::Timestamp,
    ended_at: Option<jiff::Timestamp>,
}

/// It was accepted.
///
/// # Errors
/// When it cannot be JSON, which is a bug.
pub fn accepted(checkout: &Checkout) -> Result<Event> {
    of("checkout.accepted", checkout)
}

/// It has ended.
///
/// # Errors
/// When it cannot be JSON, which is a bug.
pub fn ended(checkout: &Checkout) -> Result<Event> {
    let kind = match checkout.state {
        State::Completed => "checkout.completed",
        State::Cancelled => "checkout.cancelled",
        State::Failed | State::Running | State::Compensating => "checkout.failed",
    };
    of(kind, checkout)
}

fn of(kind: &'static str, checkout: &Checkout) -> Result<Event> {
    let basket = checkout.basket.as_ref();
    let told = Told {
        checkout_id: checkout.id,
        number: (checkout.number > 0).then(|| Number(checkout.number).to_string()),
        state: checkout.state,
        customer_id: checkout.customer_id,
        cart_id: checkout.cart_id,
        order_id: checkout.order_id,
        reservation_id: checkout.reservation_id,
        payment_id: checkout.payment_id,
        method: checkout.method,
        expected: checkout.expected,
        total: basket.map(|basket| basket.total()),
        store_id: basket.map(|basket| basket.store_id),
        location_id: basket.map(|basket| basket.location_id),
        failure: checkout.failure.as_ref().map(|failure| failure.code),
        created_at: checkout.created_at,
        ended_at: checkout.ended_at,
    };
    Event::new(kind, format!("checkout/{}", checkout.id), checkout.version, &told)
}
