//! `GET /api/v1/checkouts`: the latest first.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Cursor, Page, PageParams, Principal, Problem, Query, Result};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Sight;
use super::body::CheckoutBody;
use crate::domain::checkout::Checkout;
use crate::domain::{self, CustomerId};
use crate::store::list::{self, Filter, Position};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/checkouts", get(list))
}

/// Which checkouts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    state: Option<domain::State>,
    /// Of others than themselves a customer finds nothing.
    customer: Option<CustomerId>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Checkouts, the latest first
///
/// A customer's own; for the head office all of them.
#[utoipa::path(
    get, path = "/api/v1/checkouts", operation_id = "listCheckouts", tag = "checkouts", params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page<CheckoutBody>,
        headers(("Link" = String, description = "The next page")))),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn list(
    principal: Principal,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<CheckoutBody>> {
    let own = match Sight::of(&principal)? {
        Sight::Own(customer) => Some(customer),
        Sight::All => None,
    };
    let page = PageParams::new(query.limit, query.after)?;
    let after: Option<Position> = page.after()?;
    if after.as_ref().is_some_and(|Position(at, _)| *at < Timestamp::UNIX_EPOCH) {
        return Err(Problem::bad_request("cursor-invalid").detail("no cursor of ours"));
    }
    let filter = Filter { state: query.state, customer: query.customer, own };
    let found = list::list(&context.db, filter, after, page.fetch_limit()).await?;
    let place = |last: &Checkout| Cursor::encode(&Position(last.created_at, last.id));
    Ok(Page::new(found, page.limit, place).map(CheckoutBody::from))
}
