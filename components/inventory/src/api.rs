//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! Who may do what is in `api/access.rs`, and the first argument of every handler that is not open. What
//! is under `/internal` takes the role service.

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

pub mod access;
pub mod adjustments;
pub mod alerts;
pub mod audit;
pub mod availability;
pub mod counts;
pub mod discrepancies;
pub mod document;
pub mod locations;
pub mod movements;
pub mod reservations;
pub mod restock;
mod shipments;
pub mod stock;
pub mod transfers;
pub mod vouchers;

use axum::Router;
use jiff::Timestamp;
use sdk::problem::FieldError;
use sdk::{Context, Problem, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::lines::{Amount, Draft, Line, Lines};
use crate::domain::{LocationId, NOTE_MAX, Place, ProductId};

/// 0001-01-01T00:00:00Z: PostgreSQL's calendar ends before jiff's does, far from anything we sell.
const YEAR_ONE_S: i64 = -62_135_596_800;

/// What browsers load.
static BUNDLE: sdk::web::Bundle = sdk::bundle!();

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(locations::routes())
        .merge(availability::routes())
        .merge(stock::routes())
        .merge(adjustments::routes())
        .merge(movements::routes())
        .merge(alerts::routes())
        .merge(discrepancies::routes())
        .merge(restock::routes())
        .merge(transfers::routes())
        .merge(reservations::routes())
        .merge(vouchers::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, audit::RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(sdk::web::routes(&BUNDLE, &[]))
}

/// Units of a product.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuantityLine {
    #[schema(example = 42)]
    product_id: ProductId,
    #[schema(example = 2, minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// If not the one for all lines.
    #[serde(default)]
    #[schema(example = 1)]
    location_id: Option<LocationId>,
}

impl From<&QuantityLine> for Draft {
    fn from(line: &QuantityLine) -> Draft {
        Draft { location: line.location_id, product: line.product_id, amount: line.quantity }
    }
}

/// The lines of a body, or 422 with everything that is wrong with them.
fn checked<'a, T: 'a>(amount: Amount, location: Option<LocationId>, lines: &'a [T]) -> Result<Lines>
where
    Draft: From<&'a T>,
{
    let drafts: Vec<Draft> = lines.iter().map(Draft::from).collect();
    Lines::check(amount, location, &drafts).map_err(invalid)
}

/// Units of a product, as they were promised.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct PlacedLine {
    /// What the ledger calls it.
    #[schema(example = 1)]
    line: i64,
    #[schema(example = 1)]
    location_id: LocationId,
    #[schema(example = 42)]
    product_id: ProductId,
    #[schema(example = 2)]
    quantity: i64,
}

impl From<&Line> for PlacedLine {
    fn from(line: &Line) -> PlacedLine {
        let Place { location, product } = line.place;
        PlacedLine { line: line.number, location_id: location, product_id: product, quantity: line.amount }
    }
}

/// 422 with everything that is wrong.
fn invalid(errors: Vec<FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// 422 for one member of a body.
fn invalid_at(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

/// 400 for a parameter of the query.
fn invalid_parameter(name: &str, detail: &str) -> Problem {
    Problem::bad_request("invalid-query").parameter(name, "invalid-value", detail)
}

/// A text for others to read: up to [`NOTE_MAX`] characters, nothing that cannot be seen.
fn check_note(pointer: &str, note: Option<&str>) -> Result<()> {
    let fits = |note: &str| note.chars().count() <= NOTE_MAX && !note.chars().any(|c| c.is_control() && c != '\n');
    match note {
        Some(note) if !fits(note) => {
            let detail = format!("must be at most {NOTE_MAX} characters, without control characters");
            Err(invalid_at(pointer, "text-invalid", detail))
        }
        _ => Ok(()),
    }
}

/// An instant in a query.
fn instant_parameter(name: &str, value: Option<Timestamp>) -> Result<Option<Timestamp>> {
    match value {
        Some(value) if value.as_second() < YEAR_ONE_S => Err(invalid_parameter(name, "must be an instant of our era")),
        value => Ok(value),
    }
}
