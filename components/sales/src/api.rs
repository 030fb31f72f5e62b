//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! Tills sell, and take back what was sold, in sessions that they opened themselves; a manager does so in any, and
//! sets up registers, as the head office does. All three read everything. What is under `/internal` takes the role
//! service.

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

pub mod access;
pub mod audit;
pub mod body;
mod browser;
pub mod cash;
pub mod document;
pub mod negotiation;
pub mod online;
pub mod receipts;
pub mod registers;
pub mod reports;
pub mod returns;
pub mod sales;
pub mod sessions;
pub mod voids;

use axum::Router;
use jiff::Timestamp;
use sdk::problem::FieldError;
use sdk::{Context, Problem, Result};

use crate::domain::returning::Refusal;
use crate::domain::{REASON_MAX, RegisterId, SaleId, SessionId, is_storable, text_mistake};

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(registers::routes())
        .merge(sessions::routes())
        .merge(cash::routes())
        .merge(reports::routes())
        .merge(sales::routes())
        .merge(receipts::routes())
        .merge(voids::routes())
        .merge(returns::routes())
        .merge(online::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, audit::RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(browser::routes())
}

fn register_not_found(id: RegisterId) -> Problem {
    Problem::not_found("register-not-found").detail(format!("register {id} does not exist"))
}

fn session_not_found(id: SessionId) -> Problem {
    Problem::not_found("session-not-found").detail(format!("session {id} does not exist"))
}

fn sale_not_found(id: SaleId) -> Problem {
    Problem::not_found("sale-not-found").detail(format!("sale {id} does not exist"))
}

/// 422 for what is wrong with a body, all of it.
fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// 422 for one member of a body.
fn invalid_member(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

/// 409 when a drawer has less than is to be taken out of it.
fn cash_insufficient(wanted: pricing::Money, there: pricing::Money) -> Problem {
    Problem::conflict("cash-insufficient")
        .detail(format!("there are {there} in the drawer, and not {wanted}"))
        .with("cash", serde_json::json!(there))
}

/// A reason that must be given.
fn reason(text: &str) -> Result<String> {
    match text_mistake("/reason", text, REASON_MAX) {
        Some(mistake) => Err(invalid([mistake])),
        None => Ok(text.trim().to_owned()),
    }
}

/// A reason that may be given; nothing is as good as none.
fn optional_reason(text: Option<&str>) -> Result<Option<String>> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => reason(text).map(Some),
    }
}

/// That these parameters are instants that there can be.
fn storable(parameters: impl IntoIterator<Item = (&'static str, Option<Timestamp>)>) -> Result<()> {
    for (name, at) in parameters {
        if at.is_some_and(|at| !is_storable(at)) {
            let detail = "must be an instant of our era";
            return Err(Problem::bad_request("invalid-query").parameter(name, "out-of-range", detail));
        }
    }
    Ok(())
}

/// 400 for a place in a list that no list has.
fn no_cursor() -> Problem {
    Problem::bad_request("cursor-invalid").detail("no cursor of ours")
}

/// 409 for what the state of the sale forbids, 422 for what does not fit it.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Online => Problem::conflict("online-sale")
                .detail("what was bought online comes back to its order: POST /api/v1/orders/{order_id}/refunds"),
            Refusal::Voided => Problem::conflict("sale-voided").detail("it was called off"),
            Refusal::TooLate => Problem::conflict("return-too-late").detail("it was sold more than thirty days ago"),
            Refusal::NothingLeft => {
                Problem::conflict("nothing-left-to-return").detail("everything has come back already")
            }
            Refusal::NotSold { index } => {
                invalid_member(format!("/lines/{index}/line"), "line-not-found", "the sale has no such line")
            }
            Refusal::MoreThanSold { index, most } => {
                let detail = format!("at most {most} can still come back");
                invalid_member(format!("/lines/{index}/quantity"), "returned-more-than-sold", detail)
            }
            Refusal::Broken(reason) => Problem::internal(reason),
        }
    }
}
