//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! Registering and signing in are open. Everything about a customer takes that customer's token, or the
//! role manager or hq ([`target::Target`]). What is under `/internal` takes the role service.

pub mod addresses;
pub mod auth;
pub mod customers;
pub mod document;
pub mod export;
pub mod internal;
pub mod loyalty;
pub mod password;
pub mod target;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sdk::audit::Rule;
use sdk::outbox::{Event, publish};
use sdk::problem::FieldError;
use sdk::{Context, Problem, Result, Tx};
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{CustomerId, Status};

/// What no constraint can keep. A constraint keeps that no e-mail address has two accounts and that
/// erased customers have no name; they are looked at here as well, as an audit believes nobody.
const RULES: &[Rule] = &[
    Rule {
        invariant: "one-account-per-email",
        offenders: r#"select array_agg(id order by id) as customer_ids from customers where email is not null
            group by lower(email collate "C") having count(*) > 1"#,
    },
    Rule {
        invariant: "nothing-personal-is-left-of-the-erased",
        offenders: "select c.id as customer_id from customers c
            where c.status = 'erased' and (
                coalesce(c.email, c.password_hash, c.name, c.phone, c.language) is not null
                or exists (select from addresses a where a.customer_id = c.id)
                or exists (select from idempotency_keys k where k.principal = 'customer:' || c.id)
            )",
    },
    Rule {
        invariant: "only-the-active-have-live-tokens",
        offenders: "select c.id as customer_id, f.id as family_id
            from token_families f join customers c on c.id = f.customer_id
            where f.revoked_at is null and c.status <> 'active'",
    },
    Rule {
        invariant: "live-families-have-one-unused-token",
        offenders: "select f.id as family_id from token_families f
            where f.revoked_at is null
                and exists (select from refresh_tokens t where t.family_id = f.id)
                and (select count(*) from refresh_tokens t where t.family_id = f.id and t.used_at is null) <> 1",
    },
    Rule {
        invariant: "one-address-is-the-default",
        offenders: "select customer_id, count(*) filter (where is_default) as defaults
            from addresses group by customer_id having count(*) filter (where is_default) <> 1",
    },
    Rule {
        invariant: "balance-is-sum-of-ledger",
        offenders:
            "select a.customer_id, a.balance, coalesce(e.sum, 0) as sum, a.version, coalesce(e.count, 0) as entries
            from loyalty_accounts a
            left join (
                select customer_id, sum(case kind when 'earn' then points else -points end) as sum, count(*) as count
                from loyalty_entries group by customer_id
            ) e on e.customer_id = a.customer_id
            where a.balance <> coalesce(e.sum, 0) or a.version <> coalesce(e.count, 0)",
    },
    Rule {
        invariant: "every-customer-has-a-loyalty-account",
        offenders: "select c.id as customer_id from customers c
            where not exists (select from loyalty_accounts a where a.customer_id = c.id)",
    },
];

/// What browsers load.
static BUNDLE: sdk::web::Bundle = sdk::bundle!();

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(customers::routes())
        .merge(password::routes())
        .merge(addresses::routes())
        .merge(loyalty::routes())
        .merge(export::routes())
        .merge(auth::routes())
        .merge(internal::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(sdk::web::routes(&BUNDLE, &[]))
}

/// What is nobody else's: no cache keeps it, on the way or in the browser.
#[derive(Clone, Copy, Debug)]
struct NoStore<T>(T);

impl<T: IntoResponse> IntoResponse for NoStore<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What others are told about a customer: who, and of what kind it was. Nothing that would have to be
/// erased again: events are kept for good.
#[derive(Debug, Serialize)]
struct CustomerEvent<'a> {
    customer_id: CustomerId,
    status: Status,
    /// The names of the members that have changed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changed: &'a [&'static str],
}

async fn tell(tx: &Tx, context: &Context, kind: &'static str, version: i64, event: CustomerEvent<'_>) -> Result<()> {
    let event = Event::new(kind, format!("customer/{}", event.customer_id), version, &event)?;
    Ok(publish(tx, context, vec![event]).await?)
}

/// 422 with everything that is wrong.
fn invalid(errors: Vec<FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// 422 for one member of a body.
fn invalid_field(pointer: &str, code: &'static str, detail: &str) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

/// 401, with the challenge of a token.
fn unauthenticated(code: &'static str, detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"comptoir\"");
    Problem::unauthorized(code).detail(detail).header(header::WWW_AUTHENTICATE, challenge)
}

fn not_found() -> Problem {
    Problem::not_found("customer-not-found").detail("there is no such customer")
}

/// 409 for what cannot be done to a customer of whom nothing is known any more.
fn erased() -> Problem {
    Problem::conflict("customer-erased").detail("the customer was erased")
}

fn suspended() -> Problem {
    Problem::forbidden("account-suspended").detail("the account was closed by our staff: please contact us")
}

/// A row that this very transaction wrote or has locked.
fn vanished() -> Problem {
    Problem::internal("a row that is locked is not there")
}

/// For a member that may be left out but not be null, unless `T` itself is an option: then absent,
/// null and a value are three things.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
