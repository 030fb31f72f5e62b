//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::{Conventions, CustomerToken};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{cancel, checkouts, listing, payments, quote};
use crate::simulator;

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir checkout",
        description = "A purchase, from the cart to the paid order.\n\n\
            Money is integer cents of CAD, times are RFC 3339 in UTC; errors are RFC 9457 problems whose `code` is \
            stable. A customer sees their own checkouts, the head office sees all; somebody else's is as good as \
            none. What is under `/internal` is for other services; what is under `/simulator` stands in for the \
            payment provider.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        quote::quote, checkouts::check_out, checkouts::read, listing::list, cancel::cancel, payments::void,
        payments::refund, simulator::authorize, simulator::look, simulator::capture, simulator::void,
        simulator::refund, sdk::outbox::events, sdk::audit::audit,
    ),
    components(schemas(crate::domain::RefundId), responses(NotFound, UnprocessableContent)),
    tags(
        (name = "checkouts", description = "For customers, and to look at for the head office"),
        (name = "internal", description = "For other services; the gateway does not route it"),
        (name = "simulator", description = "The payment provider; the gateway does not route it"),
    ),
    modifiers(&CustomerToken, &Conventions),
)]
struct Api;

/// The document as the code has it.
pub fn document() -> Document {
    Api::openapi()
}

// Common problems with codes or words of our own: `Conventions` keeps those, and adds the rest.

/// `checkout-not-found`: there is none, or it is somebody else's
#[derive(ToResponse)]
struct NotFound;

/// `validation-failed`: valid JSON with invalid content; `errors` says what, and where. Or `cart-empty`,
/// `cart-not-found`, `location-not-found`, `idempotency-key-reused`
#[derive(ToResponse)]
struct UnprocessableContent;
