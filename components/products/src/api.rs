//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! Reading and quoting are open; writing takes the role manager or hq ([`Editor`]).

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

mod browser;
pub mod categories;
pub mod document;
mod events;
pub mod import;
pub mod prices;
pub mod products;
pub mod quotes;
pub mod tax_categories;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use sdk::audit::Rule;
use sdk::problem::FieldError;
use sdk::{Context, Principal, Problem, Result, Role};

use crate::domain;

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(products::routes())
        .merge(import::routes())
        .merge(prices::routes())
        .merge(categories::routes())
        .merge(tax_categories::routes())
        .merge(quotes::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(browser::routes())
}

/// What no constraint can keep, or that none is to keep alone.
const RULES: &[Rule] = &[
    Rule {
        invariant: "product-has-one-regular-price",
        offenders: "select p.id as product_id, count(e.id) as prices from products p
            left join prices e on e.product_id = p.id and e.kind = 'regular' and e.store_id is null
                and e.valid @> greatest(now(), p.created_at)
            group by p.id having count(e.id) <> 1",
    },
    Rule {
        invariant: "every-version-is-an-event",
        offenders: "select p.id as product_id, p.version from products p
            where not exists (select from outbox o
                where o.subject = 'product/' || p.id and o.subject_version = p.version)",
    },
];

/// Somebody who may write the catalogue. The first argument of a handler: who may not write learns
/// nothing about the body.
#[derive(Clone, Copy, Debug)]
pub struct Editor;

impl<S: Sync> FromRequestParts<S> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Principal::from_headers(&parts.headers).require(&[Role::Manager, Role::Hq])?;
        Ok(Editor)
    }
}

/// 422 with everything that is wrong.
fn invalid(errors: Vec<FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// 400 for a parameter of the query.
fn invalid_parameter(name: &str, detail: &str) -> Problem {
    Problem::bad_request("invalid-query").parameter(name, "invalid-value", detail)
}

fn invalid_cursor() -> Problem {
    Problem::bad_request("cursor-invalid")
        .detail("`after` must be the next_cursor of the page before, with the same filters")
}

fn not_found(code: &'static str) -> Problem {
    Problem::not_found(code)
}

/// A code in a query.
fn code_parameter(name: &str, value: Option<String>) -> Result<Option<String>> {
    match value {
        Some(value) if !domain::is_code(&value) => {
            Err(invalid_parameter(name, "must be lower-case letters, digits and single hyphens"))
        }
        value => Ok(value),
    }
}

/// A code in a path. One that cannot be, names nothing.
fn code_in_path(value: &str, code: &'static str) -> Result<()> {
    if domain::is_code(value) { Ok(()) } else { Err(not_found(code)) }
}

/// An instant in a query.
fn instant_parameter(name: &str, value: Option<Timestamp>) -> Result<Option<Timestamp>> {
    match value {
        Some(value) if !domain::is_storable(value) => Err(invalid_parameter(name, "must be an instant of our era")),
        value => Ok(value),
    }
}
