//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::Conventions;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{carts, estimate, internal, items, merge};
use crate::domain::estimate::Payment;

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir cart",
        description = "What customers mean to buy.\n\n\
            Money is integer cents of CAD, rates are percentages as text, times are RFC 3339 in UTC; \
            errors are RFC 9457 problems whose `code` is stable. Who knows the id of a cart may use \
            it; what is under `/internal` is for other services. The entity tag of a cart begins \
            with its version, and a change is meant for the version alone: any `ETag` that the \
            service gave for it will do as `If-Match`.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        carts::create, carts::read, items::add, items::change, items::set, items::remove,
        merge::merge, estimate::estimate, internal::snapshot, internal::consume, sdk::outbox::events, sdk::audit::audit,
    ),
    components(schemas(Payment), responses(Forbidden, NotFound, Gone, PreconditionFailed)),
    tags(
        (name = "carts", description = "Carts, and what they cost"),
        (name = "items", description = "What is in them"),
        (name = "internal", description = "For other services; the gateway does not route it"),
    ),
    modifiers(&Conventions),
)]
struct Api;

/// The document as the code has it.
pub fn document() -> Document {
    Api::openapi()
}

// Common problems with codes or words of our own: `Conventions` keeps those, and adds the rest.

/// `forbidden`: for other services alone
#[derive(ToResponse)]
struct Forbidden;

/// `cart-not-found`, `product-not-found`
#[derive(ToResponse)]
struct NotFound;

/// `cart-expired`
#[derive(ToResponse)]
struct Gone;

/// `precondition-failed`: the cart was changed in the meantime; `ETag` says what is current
#[derive(ToResponse)]
struct PreconditionFailed;
