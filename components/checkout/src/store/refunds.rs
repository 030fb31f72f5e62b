//! The SQL of what was paid back, for the books: the provider keeps the sums.

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, params};

use crate::domain::{PaymentId, RefundId};

const RECORD: &str = "
    insert into payment_refunds (refund_id, payment_id, amount_cents, refunded_at)
    values ($1, $2, $3, $4)
    on conflict on constraint payment_refunds_pkey do nothing";

/// That the provider has paid it back, now or before.
pub async fn record(
    db: &impl Executor,
    payment: PaymentId,
    refund: RefundId,
    amount: Money,
    now: Timestamp,
) -> Result<(), DbError> {
    db.execute(RECORD, params![refund, payment, amount, now]).await.map(|_| ())
}
