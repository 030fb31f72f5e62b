//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::Conventions;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{categories, import, prices, products, quotes, tax_categories};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir products",
        description = "The catalogue: products, prices, categories, tax categories and quotes.\n\n\
            Money is integer cents of CAD, rates are percentages as text, times are RFC 3339 in UTC. \
            Lists are paged by `limit` and `after`; errors are RFC 9457 problems whose `code` is \
            stable. Reading and quoting are open; writing takes the role `manager` or `hq`.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        products::list, products::create, products::read, products::replace, products::change,
        products::archive, import::import, prices::list, prices::create, prices::read,
        categories::list, categories::create, categories::read, tax_categories::list,
        tax_categories::create, tax_categories::read, tax_categories::change_rate, quotes::quote,
        sdk::outbox::events, sdk::audit::audit,
    ),
    components(responses(Forbidden, NotFound, ServiceUnavailable)),
    tags(
        (name = "products", description = "What is sold"),
        (name = "prices", description = "What it costs, when and where"),
        (name = "categories", description = "Where it is found"),
        (name = "tax categories", description = "How it is taxed"),
        (name = "quotes", description = "What a basket costs"),
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

/// `forbidden`: the role manager or hq is needed
#[derive(ToResponse)]
struct Forbidden;

/// `product-not-found`, `price-not-found`, `category-not-found`, `tax-category-not-found`, or else `not-found`
#[derive(ToResponse)]
struct NotFound;

/// `database-unavailable`, `database-busy`; `Retry-After` says when to try again
#[derive(ToResponse)]
struct ServiceUnavailable;
