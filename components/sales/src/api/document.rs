//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::Conventions;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{cash, online, receipts, registers, reports, returns, sales, sessions, voids};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir sales",
        description = "Points of sale, and the fiscal record of every sale.\n\n\
            Money is integer cents of CAD, tax rates are integers in thousandths of a percent, times are \
            RFC 3339 in UTC; errors are RFC 9457 problems whose `code` is stable. A till works in the sessions that \
            it opened, a manager in any; the head office reads. What is under `/internal` is for other services.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        registers::list, registers::create, registers::read, sessions::list, sessions::open, sessions::read,
        sessions::close, cash::list, cash::create, reports::x, reports::z, sales::list, sales::create, sales::record,
        sales::read, receipts::read, voids::void, returns::list, returns::create, online::record, online::read,
        sdk::outbox::events, sdk::audit::audit,
    ),
    components(responses(NotFound, Forbidden)),
    tags(
        (name = "registers", description = "Where something is sold"),
        (name = "sessions", description = "Drawers, from their opening to their count"),
        (name = "sales", description = "What was sold, and what came back"),
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

/// `sale-not-found`, `session-not-found`, `register-not-found`
#[derive(ToResponse)]
struct NotFound;

/// `forbidden`; `session-of-another`: a till works in the sessions that it opened
#[derive(ToResponse)]
struct Forbidden;
