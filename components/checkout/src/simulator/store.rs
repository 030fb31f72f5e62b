//! The SQL of the provider's books. Every change is one guarded statement, so a capture and a void keep apart by the
//! row.

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, FromRow, Row, params};

use super::PaymentStatus;
use crate::domain::{PaymentId, RefundId};

/// The columns of a [`Paid`].
macro_rules! columns {
    () => {
        "id, amount_cents, token, status, reason, refunded_cents"
    };
}

const AUTHORIZE: &str = concat!(
    "insert into provider_payments (id, amount_cents, token, status, reason, created_at, updated_at)
     values ($1, $2, $3, case when $4::text is null then 'authorized' else 'declined' end, $4, $5, $5)
     on conflict on constraint provider_payments_pkey do nothing
     returning ",
    columns!()
);

const FIND: &str = concat!("select ", columns!(), " from provider_payments where id = $1");

const CAPTURE: &str = concat!(
    "update provider_payments
     set status = case when status = 'authorized' then 'captured' else status end,
         updated_at = case when status = 'authorized' then $2 else updated_at end
     where id = $1
     returning ",
    columns!()
);

const VOID: &str = concat!(
    "insert into provider_payments as p (id, status, created_at, updated_at)
     values ($1, 'voided', $2, $2)
     on conflict on constraint provider_payments_pkey do update
     set status = case when p.status = 'authorized' then 'voided' else p.status end,
         updated_at = case when p.status = 'authorized' then $2 else p.updated_at end
     returning ",
    columns!()
);

// Within what was captured; the row of the payment is locked by its update, so that sums are made one by one.
const REFUND: &str = "
    with paid as (
        update provider_payments p
        set refunded_cents = refunded_cents + $3, updated_at = $4
        where id = $1 and status = 'captured' and refunded_cents + $3 <= amount_cents
            and not exists (select from provider_refunds r where r.payment_id = $1 and r.id = $2)
        returning id
    )
    insert into provider_refunds (payment_id, id, amount_cents, created_at)
    select id, $2, $3, $4 from paid";

const REFUNDED: &str = "select amount_cents from provider_refunds where payment_id = $1 and id = $2";

const FAIL_FIRST: &str = "
    insert into provider_failures (payment_id, failed_at) values ($1, $2)
    on conflict on constraint provider_failures_pkey do nothing";

/// A payment in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    pub id: PaymentId,
    /// None of one that was voided before it was authorized.
    pub amount: Option<Money>,
    pub token: Option<String>,
    pub status: PaymentStatus,
    pub reason: Option<String>,
    pub refunded: Money,
}

/// A payment that was to be authorized.
#[derive(Debug)]
pub struct Made {
    pub is_new: bool,
    pub payment: Option<Paid>,
}

impl FromRow for Paid {
    fn from_row(row: &Row<'_>) -> Result<Paid, DbError> {
        Ok(Paid {
            id: row.get("id")?,
            amount: row.get("amount_cents")?,
            token: row.get("token")?,
            status: row.get("status")?,
            reason: row.get("reason")?,
            refunded: row.get("refunded_cents")?,
        })
    }
}

pub async fn authorize(
    db: &impl Executor,
    id: PaymentId,
    amount: Money,
    token: &str,
    declined: Option<&str>,
    now: Timestamp,
) -> Result<Made, DbError> {
    let made: Option<Paid> = db.query_opt(AUTHORIZE, params![id, amount, token, declined, now]).await?;
    match made {
        Some(payment) => Ok(Made { is_new: true, payment: Some(payment) }),
        None => Ok(Made { is_new: false, payment: find(db, id).await? }),
    }
}

pub async fn find(db: &impl Executor, id: PaymentId) -> Result<Option<Paid>, DbError> {
    db.query_opt(FIND, params![id]).await
}

/// The payment after it, captured or not.
pub async fn capture(db: &impl Executor, id: PaymentId, now: Timestamp) -> Result<Option<Paid>, DbError> {
    db.query_opt(CAPTURE, params![id, now]).await
}

/// The payment after it, voided or not.
pub async fn void(db: &impl Executor, id: PaymentId, now: Timestamp) -> Result<Paid, DbError> {
    db.query_one(VOID, params![id, now]).await
}

/// Whether it was paid back now.
pub async fn refund(
    db: &impl Executor,
    id: PaymentId,
    refund: RefundId,
    amount: Money,
    now: Timestamp,
) -> Result<bool, DbError> {
    match db.execute(REFUND, params![id, refund, amount, now]).await {
        // Somebody else asked for the same at the same moment, and was first.
        Err(err) if err.constraint() == Some("provider_refunds_pkey") => Ok(false),
        refunded => Ok(refunded? == 1),
    }
}

pub async fn refunded(db: &impl Executor, id: PaymentId, refund: RefundId) -> Result<Option<Money>, DbError> {
    let amount: Option<(Money,)> = db.query_opt(REFUNDED, params![id, refund]).await?;
    Ok(amount.map(|(amount,)| amount))
}

/// Whether this is the first try of that payment.
pub async fn fails_first(db: &impl Executor, id: PaymentId, now: Timestamp) -> Result<bool, DbError> {
    Ok(db.execute(FAIL_FIRST, params![id, now]).await? == 1)
}
