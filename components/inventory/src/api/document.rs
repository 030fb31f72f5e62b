//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::Conventions;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{
    adjustments, alerts, availability, counts, discrepancies, locations, movements, reservations, restock, stock,
    transfers, vouchers,
};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir inventory",
        description = "What every location has of every product, what of it is promised, and how it moves.\n\n\
            Quantities are whole units, times are RFC 3339 in UTC; errors are RFC 9457 problems whose `code` is \
            stable. What is available of a product is `on_hand - reserved`. Locations and availability are open, \
            the rest is for staff; what is under `/internal` is for other services.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        locations::list, availability::read, stock::list, stock::read, counts::count, adjustments::create,
        movements::list, alerts::list, discrepancies::list,
        restock::list, restock::create, restock::read, restock::approve, restock::reject, restock::ship,
        restock::receive, restock::cancel,
        transfers::list, transfers::create, transfers::read, transfers::approve, transfers::reject, transfers::ship,
        transfers::receive, transfers::cancel,
        reservations::read, reservations::make, reservations::pin, reservations::commit, reservations::release,
        vouchers::issue, vouchers::receipt, sdk::outbox::events, sdk::audit::audit,
    ),
    components(responses(NotFound)),
    tags(
        (name = "stock", description = "What there is, and the ledger"),
        (name = "restock", description = "From a warehouse to a store"),
        (name = "transfers", description = "From any location to another"),
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

/// `stock-not-found`, `shipment-not-found`, `reservation-not-found`
#[derive(ToResponse)]
struct NotFound;
