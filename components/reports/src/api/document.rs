//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::Conventions;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{consolidated, dashboard, freshness, rebuilds, reconciliation, sales, taxes, top_products};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir reports",
        description = "What was sold, where, by whom; what is owed for it; what is left; and whether the books of all \
            services agree.\n\n\
            Reports are made from what the other services have told. Each says how much of that it knows: \
            `freshness.complete` is never true of a view that may miss something older than `max_staleness_ms`. With \
            `max_staleness_ms=0` everything that was told before the question is read first.\n\n\
            Days and hours are those of the business, in Toronto. Money is integer cents of CAD, tax rates are \
            integers in thousandths of a percent, ratios integers in hundredths of a percent, times are RFC 3339 in \
            UTC; errors are RFC 9457 problems whose `code` is stable. Managers read reports; the head office also has \
            them built again. What is under `/internal` is for other services.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        consolidated::read, dashboard::read, sales::read, top_products::read, taxes::read, freshness::read,
        reconciliation::read, rebuilds::begin, rebuilds::read, sdk::audit::audit,
    ),
    components(responses(NotFound, NotAcceptable, Conflict)),
    tags(
        (name = "reports", description = "For managers and the head office"),
        (name = "rebuilds", description = "For the head office"),
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

/// `rebuild-not-found`
#[derive(ToResponse)]
pub(super) struct NotFound;

/// `not-acceptable`: neither JSON nor CSV
#[derive(ToResponse)]
pub(super) struct NotAcceptable;

/// `rebuild-in-progress`: there is one already, `rebuild_id`. Or `idempotency-in-progress`
#[derive(ToResponse)]
pub(super) struct Conflict;
