//! The SQL of checkouts: accepted, claimed, moved on. Each is one statement, so one round trip, and each change
//! names the fence that it is made under.
//!
//! Lists are in `store/list.rs`, refunds in `store/refunds.rs`. Decides nothing.

pub mod list;
pub mod refunds;

use jiff::Timestamp;
use pricing::Money;
use sdk::idempotency::Claim;
use sdk::outbox::{self, Event};
use sdk::{Context, DbError, Executor, FromRow, Row, Value, params};

use crate::domain::checkout::{Checkout, StepState, Taken, Token};
use crate::domain::failure::Failure;
use crate::domain::steps::{PIVOT, Step};
use crate::domain::{CheckoutId, LEASE, later};

/// The columns of a [`Checkout`].
macro_rules! columns {
    () => {
        "id, number, customer_id, cart_id, order_id, reservation_id, payment_id, fulfilment, method, token,
         expected_cents, basket, state, step, attempts, cancel_requested, pivoted_at, failure_detail, fence, due_at,
         version, created_at, updated_at, ended_at"
    };
}
pub(crate) use columns;

// Whoever has the key, or a live checkout of the cart, is in the way; whoever is just accepting one is waited for.
const ACCEPT: &str = concat!(
    "with accepted as (
         insert into checkouts (id, customer_id, cart_id, order_id, reservation_id, payment_id, fulfilment, method,
             token, expected_cents, principal, key, fingerprint, due_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
         on conflict do nothing
         returning id, number
     ), told as (",
    sdk::outbox_insert!("accepted", "$16"),
    ")
     select number from accepted"
);

const GET: &str = concat!("select ", columns!(), " from checkouts where id = $1");

const BY_KEY: &str = concat!(
    "select fingerprint, ",
    columns!(),
    " from checkouts
      where principal = $1 and key = $2 and not (state = 'failed' and failure = 'dependency-unavailable')"
);

// The predicates are those of the index.
const LIVE_OF_CART: &str =
    concat!("select ", columns!(), " from checkouts where cart_id = $1 and state in ('running', 'compensating')");

// Whoever is claiming at this moment has it. Whoever had it before may have tried the step, which counts as an
// attempt. Reading again costs nothing, and is begun from the beginning.
const CLAIM: &str = concat!(
    "update checkouts
     set fence = fence + 1, attempts = greatest(attempts, 1), due_at = $2,
         step = case when step in ('cart', 'price', 'customer') then 'cart' else step end
     where id in (
         select id from checkouts
         where state in ('running', 'compensating') and due_at <= $1 and ($3::uuid is null or id = $3)
         order by due_at
         limit $4
         for update skip locked
     )
     returning ",
    columns!()
);

const OLDEST: &str = "
    select step, min(created_at) from checkouts where state in ('running', 'compensating') group by step";

// The result of a step, the intention of the next one, the lease. The last condition: a checkout that was
// called off does not come to its pivot. At the end the token and the address are forgotten.
const SAVE: &str = concat!(
    "with moved as (
         update checkouts
         set state = $3, step = $4, attempts = $5, due_at = $6, updated_at = $7, failure = $8,
             failure_detail = $9, basket = coalesce($10, basket), total_cents = coalesce($11, total_cents),
             pivoted_at = coalesce(pivoted_at, $12), ended_at = $13,
             token = case when $13::timestamptz is null then token end,
             fulfilment = case when $13::timestamptz is null then fulfilment else fulfilment - 'address' end,
             version = $14
         where id = $1 and fence = $2 and ($12::timestamptz is null or pivoted_at is not null or not cancel_requested)
         returning id, cancel_requested
     ), noted as (
         insert into checkout_steps (checkout_id, step, state, retries, began_at, ended_at, note)
         select m.id, s.step, s.state, s.retries, s.began_at, s.ended_at, s.note
         from moved m
         cross join jsonb_to_recordset($15::jsonb) as s (step text, state text, retries integer,
             began_at timestamptz, ended_at timestamptz, note text)
         on conflict on constraint checkout_steps_pkey do update
         set state = excluded.state, retries = excluded.retries, ended_at = excluded.ended_at, note = excluded.note
     ), told as (",
    sdk::outbox_insert!("moved", "$16"),
    ")
     select cancel_requested from moved"
);

const STEPS: &str = "
    select step, state, retries, began_at, ended_at, note from checkout_steps where checkout_id = $1";

// Past the pivot, or on its way back, it is too late or needless.
const REQUEST_CANCEL: &str = "
    update checkouts
    set cancel_requested = true, updated_at = $2
    where id = $1 and state = 'running' and pivoted_at is null";

/// Accepts a checkout under its first lease; its number, or `None` when its key or its cart has one.
pub async fn accept(
    context: &Context,
    checkout: &Checkout,
    claim: &Claim,
    event: Event,
) -> Result<Option<i64>, DbError> {
    let params = params![
        checkout.id,
        checkout.customer_id,
        checkout.cart_id,
        checkout.order_id,
        checkout.reservation_id,
        checkout.payment_id,
        json(&checkout.fulfilment)?,
        checkout.method,
        checkout.token.as_ref().map(|token| token.0.clone()),
        checkout.expected,
        claim.principal.as_str(),
        claim.key.as_str(),
        claim.fingerprint.as_slice(),
        checkout.due_at,
        checkout.created_at,
        outbox::written(context, vec![event]),
    ];
    let number: Option<(i64,)> = context.db.query_opt(ACCEPT, params).await?;
    Ok(number.map(|(number,)| number))
}

pub async fn get(db: &impl Executor, id: CheckoutId) -> Result<Option<Checkout>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// The checkout that was accepted with that key, and what it was asked for.
pub async fn by_key(db: &impl Executor, claim: &Claim) -> Result<Option<(Checkout, Vec<u8>)>, DbError> {
    let found: Option<Keyed> = db.query_opt(BY_KEY, params![claim.principal.as_str(), claim.key.as_str()]).await?;
    Ok(found.map(|Keyed(checkout, fingerprint)| (checkout, fingerprint)))
}

/// The checkout that the cart is in, if it is in one.
pub async fn live_of_cart(db: &impl Executor, cart: crate::domain::CartId) -> Result<Option<Checkout>, DbError> {
    db.query_opt(LIVE_OF_CART, params![cart]).await
}

/// Takes up to `limit` checkouts that nobody works on, or that one: under a new fence, and a lease.
pub async fn claim(
    db: &impl Executor,
    only: Option<CheckoutId>,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Checkout>, DbError> {
    db.query(CLAIM, params![now, later(now, LEASE), only, limit]).await
}

/// What is to be written of a checkout, besides what it is.
#[derive(Debug)]
pub struct Written<'a> {
    /// Changed since they were written.
    pub steps: &'a [Taken],
    pub events: Vec<Event>,
    /// Whether the basket is new.
    pub basket: bool,
}

/// Whether it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Yes {
        /// Whether the customer has called it off meanwhile.
        cancel_requested: bool,
    },
    /// Somebody else has it, or it was called off before the pivot that this would have been.
    No,
}

/// Writes how far a checkout is, under its fence.
pub async fn save(context: &Context, checkout: &Checkout, written: Written<'_>) -> Result<Saved, DbError> {
    let basket = checkout.basket.as_ref().filter(|_| written.basket);
    let pivots = checkout.step == PIVOT && checkout.pivoted_at.is_none();
    let params = params![
        checkout.id,
        checkout.fence,
        checkout.state,
        checkout.step,
        checkout.attempts,
        checkout.due_at,
        checkout.updated_at,
        checkout.failure.as_ref().map(|failure| failure.code.as_str()),
        checkout.failure.as_ref().map(json).transpose()?,
        basket.map(json).transpose()?,
        basket.map(|basket| basket.total().cents()),
        pivots.then_some(checkout.updated_at),
        checkout.ended_at,
        checkout.version,
        noted(written.steps),
        outbox::written(context, written.events),
    ];
    let saved: Option<(bool,)> = context.db.query_opt(SAVE, params).await?;
    Ok(saved.map_or(Saved::No, |(cancel_requested,)| Saved::Yes { cancel_requested }))
}

/// Of those that have not ended, when the oldest at each step was accepted.
pub async fn oldest(db: &impl Executor) -> Result<Vec<(Step, Timestamp)>, DbError> {
    db.query(OLDEST, Vec::new()).await
}

/// The steps that were taken, in the order in which they began.
pub async fn steps(db: &impl Executor, id: CheckoutId) -> Result<Vec<Taken>, DbError> {
    let mut steps: Vec<Taken> = db.query(STEPS, params![id]).await?;
    // Several may begin at one instant: then in the order of the table, the way back in its own.
    let place = |step: Step| Step::ALL.iter().position(|known| *known == step);
    steps.sort_by_key(|taken| (taken.began_at, place(taken.step)));
    Ok(steps)
}

/// Calls it off; false when it cannot be any more.
pub async fn request_cancel(db: &impl Executor, id: CheckoutId, now: Timestamp) -> Result<bool, DbError> {
    Ok(db.execute(REQUEST_CANCEL, params![id, now]).await? == 1)
}

fn noted(steps: &[Taken]) -> Value {
    let row = |taken: &Taken| {
        serde_json::json!({
            "step": taken.step, "state": taken.state, "retries": taken.retries, "began_at": taken.began_at,
            "ended_at": taken.ended_at, "note": taken.note,
        })
    };
    Value::Json(serde_json::Value::Array(steps.iter().map(row).collect()).to_string())
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, DbError> {
    serde_json::to_value(value).map_err(|err| DbError::Unexpected(err.to_string()))
}

/// A checkout, and the fingerprint of what it was asked for.
struct Keyed(Checkout, Vec<u8>);

impl FromRow for Keyed {
    fn from_row(row: &Row<'_>) -> Result<Keyed, DbError> {
        let fingerprint = row.get("fingerprint")?;
        Ok(Keyed(Checkout::from_row(row)?, fingerprint))
    }
}

impl FromRow for Checkout {
    fn from_row(row: &Row<'_>) -> Result<Checkout, DbError> {
        Ok(Checkout {
            id: row.get("id")?,
            number: row.get("number")?,
            customer_id: row.get("customer_id")?,
            cart_id: row.get("cart_id")?,
            order_id: row.get("order_id")?,
            reservation_id: row.get("reservation_id")?,
            payment_id: row.get("payment_id")?,
            fulfilment: parsed(row, "fulfilment")?,
            method: row.get("method")?,
            token: row.get::<Option<String>>("token")?.map(Token),
            expected: row.get::<Money>("expected_cents")?,
            basket: parsed(row, "basket")?,
            state: row.get("state")?,
            step: row.get("step")?,
            attempts: row.get("attempts")?,
            cancel_requested: row.get("cancel_requested")?,
            pivoted_at: row.get("pivoted_at")?,
            failure: parsed::<Option<Failure>>(row, "failure_detail")?,
            fence: row.get("fence")?,
            due_at: row.get("due_at")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

/// A column of JSON that this service has written.
fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, DbError> {
    let value: Option<serde_json::Value> = row.get(column)?;
    let value = value.unwrap_or(serde_json::Value::Null);
    serde_json::from_value(value).map_err(|err| DbError::Conversion(format!("column {column:?}: {err}")))
}

impl FromRow for Taken {
    fn from_row(row: &Row<'_>) -> Result<Taken, DbError> {
        Ok(Taken {
            step: row.get("step")?,
            state: row.get::<StepState>("state")?,
            retries: row.get("retries")?,
            began_at: row.get("began_at")?,
            ended_at: row.get("ended_at")?,
            note: row.get("note")?,
        })
    }
}
