//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::{Conventions, CustomerToken};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{cancel, internal, orders, payments, pickup, refunds, timeline, transitions};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir orders",
        description = "What was bought, from the checkout to the customer's hands, and back.\n\n\
            Money is integer cents of CAD, tax rates are integers in thousandths of a percent, times are \
            RFC 3339 in UTC; errors are RFC 9457 problems whose `code` is stable. A customer sees their own \
            orders, staff see all; somebody else's order is as good as none. What is under `/internal` is \
            for other services.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        orders::list, orders::read, timeline::read, transitions::transition, cancel::cancel, refunds::list,
        refunds::refund, pickup::pick_up, internal::make, internal::read, internal::confirm, internal::cancel,
        payments::tell, sdk::outbox::events, sdk::audit::audit,
    ),
    components(responses(NotFound, PreconditionFailed)),
    tags(
        (name = "orders", description = "For customers and staff"),
        (name = "internal", description = "For other services; the gateway does not route it"),
    ),
    modifiers(&CustomerToken, &Conventions),
)]
struct Api;

/// The document as the code has it.
pub fn document() -> Document {
    Api::openapi()
}

// Common problems with codes or words of our own: `Conventions` keeps those, and adds the rest.

/// `order-not-found`: there is none, or it is somebody else's
#[derive(ToResponse)]
struct NotFound;

/// `precondition-failed`: the order was changed in the meantime; `ETag` says what is current
#[derive(ToResponse)]
struct PreconditionFailed;
