//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! A customer buys, looks at their own checkouts and calls them off; of somebody else's they do not learn that
//! there are any. The head office sees all. What is under `/internal` takes the role service.

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

pub mod audit;
pub mod body;
pub mod cancel;
pub mod checkouts;
pub mod document;
pub mod listing;
pub mod payments;
pub mod quote;

use axum::Router;
use sdk::{Context, Principal, Problem, Result, Role};

use crate::domain::checkout::Checkout;
use crate::domain::{CheckoutId, CustomerId};
use crate::simulator;

/// What browsers load.
static BUNDLE: sdk::web::Bundle = sdk::bundle!();

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(quote::routes())
        .merge(checkouts::routes())
        .merge(listing::routes())
        .merge(cancel::routes())
        .merge(payments::routes())
        .merge(simulator::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, audit::RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(sdk::web::routes(&BUNDLE, &[]))
}

/// Who buys.
///
/// # Errors
/// 401 for nobody and for a customer whose token names none, 403 for somebody else.
fn buyer(principal: &Principal) -> Result<CustomerId> {
    principal.require(&[Role::Customer])?;
    principal.customer_id().map(CustomerId).ok_or_else(|| Problem::unauthorized("authentication-required"))
}

/// Whose checkouts somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Own(CustomerId),
    All,
}

impl Sight {
    /// # Errors
    /// As [`buyer`], but for the head office.
    fn of(principal: &Principal) -> Result<Sight> {
        principal.require(&[Role::Customer, Role::Hq])?;
        if principal.has(Role::Hq) {
            return Ok(Sight::All);
        }
        buyer(principal).map(Sight::Own)
    }

    /// # Errors
    /// 404 for a checkout of somebody else, as if there were none.
    fn check(self, checkout: &Checkout) -> Result<()> {
        match self {
            Sight::All => Ok(()),
            Sight::Own(customer) if customer == checkout.customer_id => Ok(()),
            Sight::Own(_) => Err(not_found(checkout.id)),
        }
    }
}

fn not_found(id: CheckoutId) -> Problem {
    Problem::not_found("checkout-not-found").detail(format!("checkout {id} does not exist"))
}
