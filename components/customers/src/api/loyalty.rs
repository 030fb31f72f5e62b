//! `/api/v1/customers/{id}/loyalty`: points, and what they come from. Points are given and taken by
//! other services alone: see [`super::internal`].

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Cursor, Json, NoQuery, Page, PageParams, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::target::Target;
use super::{NoStore, not_found};
use crate::domain::CustomerId;
use crate::domain::loyalty::Kind;
use crate::store::{customers, loyalty};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/customers/{id}/loyalty", get(balance))
        .route("/api/v1/customers/{id}/loyalty/entries", get(entries))
}

/// What a customer has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balance {
    #[schema(example = 1)]
    pub customer_id: CustomerId,
    /// Points: the sum of the entries, never less than 0.
    #[schema(example = 120, minimum = 0)]
    pub balance: i64,
    /// How many entries there are.
    #[schema(example = 3)]
    pub version: i64,
}

/// Points that were given or taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// What for.
    #[schema(example = "order-0193d3f0-7c1e-7000-8000-000000000001-earn")]
    pub reference: String,
    #[schema(example = 1)]
    pub customer_id: CustomerId,
    /// The place in the customer's ledger, from 1.
    #[schema(example = 3)]
    pub number: i64,
    pub kind: Kind,
    #[schema(example = 20, minimum = 1, maximum = 1_000_000)]
    pub points: i64,
    #[schema(example = 120)]
    pub balance_after: i64,
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: Timestamp,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// The balance
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/loyalty", operation_id = "getLoyalty", tag = "loyalty",
    params(("id" = String, Path, description = "`me`, or the customer's number")),
    responses((status = 200, description = "The balance", body = Balance)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn balance(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<NoStore<Json<Balance>>> {
    readable(&target, &context).await?;
    let account = loyalty::account(&context.db, target.id).await?.ok_or_else(not_found)?;
    Ok(NoStore(Json(account.into())))
}

/// The ledger, the latest entry first
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/loyalty/entries", operation_id = "listLoyaltyEntries", tag = "loyalty",
    params(("id" = String, Path, description = "`me`, or the customer's number"), EntriesQuery),
    responses((status = 200, description = "A page", body = Page<Entry>)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn entries(
    target: Target,
    State(context): State<Context>,
    Query(query): Query<EntriesQuery>,
) -> Result<NoStore<Page<Entry>>> {
    let page = PageParams::new(query.limit, query.after)?;
    let before: Option<i64> = page.after()?;
    readable(&target, &context).await?;
    let rows = loyalty::list(&context.db, target.id, before, page.fetch_limit()).await?;
    Ok(NoStore(Page::new(rows, page.limit, |last| Cursor::encode(&last.number)).map(Entry::from)))
}

async fn readable(target: &Target, context: &Context) -> Result<()> {
    let customer = customers::get(&context.db, target.id).await?.ok_or_else(not_found)?;
    target.readable(&customer)
}

impl From<loyalty::Account> for Balance {
    fn from(account: loyalty::Account) -> Balance {
        Balance { customer_id: account.customer_id, balance: account.balance, version: account.version }
    }
}

impl From<loyalty::Entry> for Entry {
    fn from(entry: loyalty::Entry) -> Entry {
        Entry {
            reference: entry.reference,
            customer_id: entry.customer_id,
            number: entry.number,
            kind: entry.kind,
            points: entry.points,
            balance_after: entry.balance_after,
            entered_at: entry.entered_at,
        }
    }
}
