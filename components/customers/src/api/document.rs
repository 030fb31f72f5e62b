//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::openapi::{Conventions, CustomerToken};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToResponse};

use super::{addresses, auth, customers, export, internal, loyalty, password};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir customers",
        description = "Accounts, sign-in, addresses and loyalty points.\n\n\
            Registering and signing in are open. What is about a customer takes that customer's access \
            token, or the key of a manager or of head office; somebody else's account is not found. \
            Times are RFC 3339 in UTC; errors are RFC 9457 problems whose `code` is stable. What is \
            under `/internal` is for other services.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        customers::register, customers::read, customers::change, customers::erase, password::change,
        export::export, addresses::list, addresses::create, addresses::read, addresses::replace,
        addresses::remove, loyalty::balance, loyalty::entries, auth::login, auth::refresh, auth::logout,
        internal::read, internal::enter, sdk::outbox::events, sdk::audit::audit,
    ),
    components(responses(Unauthorized, Forbidden, NotFound, ServiceUnavailable)),
    tags(
        (name = "customers", description = "Accounts, and who they belong to"),
        (name = "sign-in", description = "Tokens"),
        (name = "addresses", description = "Where things are delivered"),
        (name = "loyalty", description = "Points"),
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

/// `authentication-required`, `token-invalid`
#[derive(ToResponse)]
struct Unauthorized;

/// `forbidden`, `account-suspended`
#[derive(ToResponse)]
struct Forbidden;

/// `customer-not-found`, `address-not-found`, or else `not-found`
#[derive(ToResponse)]
struct NotFound;

/// `sign-in-unavailable`, `database-unavailable`, `database-busy`; `Retry-After` says when to try again
#[derive(ToResponse)]
struct ServiceUnavailable;
