//! `/api/v1/customers/{id}/export`: everything that is stored here about a person, as one JSON document
//! (Québec's Act respecting the protection of personal information in the private sector, section 27).
//!
//! Hashes of passwords and tokens are not in it: they tell nothing about a person, and are worth
//! something to a thief.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use sdk::{Context, Isolation, Json, NoQuery, Problem, Query, Result, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::addresses::Address;
use super::customers::Customer;
use super::loyalty::Entry;
use super::target::Target;
use super::{NoStore, not_found};
use crate::domain::session;
use crate::store::{self, addresses, loyalty, sessions};

/// Rows of one statement.
const BATCH: i64 = 1_000;
/// The latest sessions; a customer who signs in each hour has as many in 40 days.
const SESSIONS_MAX: i64 = 1_000;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/customers/{id}/export", get(export))
}

/// Everything about a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    #[schema(value_type = String, format = DateTime)]
    pub exported_at: Timestamp,
    pub customer: Customer,
    pub addresses: Vec<Address>,
    pub loyalty: Ledger,
    /// What sign-ins have begun, as long as it is remembered.
    pub sessions: Vec<Session>,
    /// Wrong passwords of the last quarter of an hour.
    #[schema(value_type = Vec<String>)]
    pub failed_sign_ins: Vec<Timestamp>,
}

/// Points, and what they come from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ledger {
    #[schema(example = 120)]
    pub balance: i64,
    /// The latest first.
    pub entries: Vec<Entry>,
}

/// What a sign-in has begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    #[schema(value_type = String, format = DateTime)]
    pub signed_in_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub refreshed_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// `logout`, `reuse`, `password-changed` or `suspended`.
    #[schema(example = "logout")]
    pub ended_by: Option<String>,
}

/// Everything about a person, as one document
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/export", operation_id = "exportCustomer", tag = "customers",
    params(("id" = String, Path, description = "`me`, or the customer's number")),
    responses((status = 200, description = "Everything, to be saved as a file", body = Export)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn export(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let (context, target) = (&context, &target);
    // One snapshot: an address that is changed meanwhile is there once.
    let export = context.db.transaction_with(Isolation::RepeatableRead, |tx| collect(tx, context, target)).await?;
    let disposition = format!("attachment; filename=\"customer-{}.json\"", target.id);
    let disposition = HeaderValue::try_from(disposition).map_err(Problem::internal)?;
    Ok(([(header::CONTENT_DISPOSITION, disposition)], NoStore(Json(export))).into_response())
}

async fn collect(tx: Tx, context: &Context, target: &Target) -> Result<Export> {
    let now = context.clock.now();
    let customer = store::customers::get(&tx, target.id).await?.ok_or_else(not_found)?;
    target.readable(&customer)?;
    let failed_sign_ins = match customer.email.as_deref() {
        Some(email) => sessions::failures(&tx, &session::account(email), session::failures_since(now)).await?,
        None => Vec::new(),
    };
    let balance = loyalty::account(&tx, target.id).await?.map_or(0, |account| account.balance);
    let sessions = sessions::list(&tx, target.id, SESSIONS_MAX).await?;
    Ok(Export {
        exported_at: now,
        addresses: addresses::list(&tx, target.id).await?.into_iter().map(Address::from).collect(),
        loyalty: Ledger { balance, entries: ledger(&tx, target).await? },
        sessions: sessions.into_iter().map(Session::from).collect(),
        failed_sign_ins,
        customer: customer.into(),
    })
}

async fn ledger(tx: &Tx, target: &Target) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut before = None;
    loop {
        let batch = loyalty::list(tx, target.id, before, BATCH).await?;
        before = batch.last().map(|last| last.number);
        entries.extend(batch.into_iter().map(Entry::from));
        // The first entry has the number 1.
        if before.is_none_or(|number| number == 1) {
            return Ok(entries);
        }
    }
}

impl From<sessions::Session> for Session {
    fn from(session: sessions::Session) -> Session {
        Session {
            signed_in_at: session.created_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            ended_at: session.revoked_at,
            ended_by: session.reason,
        }
    }
}
