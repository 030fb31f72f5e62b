//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! A report is made from one snapshot of the database, and says how much of what the others have told is in it.

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

pub mod access;
pub mod audit;
pub mod body;
pub mod browser;
pub mod consolidated;
pub mod dashboard;
pub mod document;
pub mod freshness;
pub mod rebuilds;
pub mod reconciliation;
pub mod sales;
pub mod spreadsheet;
pub mod taxes;
pub mod top_products;

use axum::Router;
use jiff::civil::Date;
use sdk::{Context, Problem, Result};

use crate::domain::period::{DAYS_MAX, Mistake, Period};
use crate::store;

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(consolidated::routes())
        .merge(dashboard::routes())
        .merge(sales::routes())
        .merge(top_products::routes())
        .merge(taxes::routes())
        .merge(freshness::routes())
        .merge(reconciliation::routes())
        .merge(rebuilds::routes())
        .with_state(context.clone())
        .merge(browser::routes())
        .merge(sdk::audit::routes(&context, audit::RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
}

/// The days that a report is about; without any, today.
async fn period(context: &Context, from: Option<Date>, to: Option<Date>) -> Result<Period> {
    let today = store::day_of(&context.db, context.clock.now()).await?;
    Period::new(from, to, today).map_err(|mistake| {
        let (parameter, detail) = match mistake {
            Mistake::Reversed => ("to", "must not be before `from`".to_owned()),
            Mistake::TooLong => ("to", format!("must be within {DAYS_MAX} days, both ends included")),
            Mistake::OutOfRange => ("from", "must be a day of our time".to_owned()),
        };
        Problem::bad_request("invalid-query").parameter(parameter, "invalid-value", detail)
    })
}
