//! The SQL of payment events: each is remembered, so that it counts once.

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, Tx, from_row, params};

use crate::domain::payment::{PaymentEvent, PaymentEventKind};
use crate::domain::{OrderId, RefundId};

const REMEMBER: &str = "
    insert into payment_events (event_id, order_id, kind, amount_cents, refund_id, received_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict on constraint payment_events_pkey do nothing";

const KNOWN: &str = "
    select order_id, kind, amount_cents as amount, refund_id from payment_events where event_id = $1";

struct Known {
    order_id: OrderId,
    kind: PaymentEventKind,
    amount: Money,
    refund_id: Option<RefundId>,
}

from_row!(Known { order_id, kind, amount, refund_id });

/// How an event compares with those that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    First,
    Again,
    /// The id stands for something else.
    Differs,
}

/// Remembers the event. The order is locked.
pub async fn remember(tx: &Tx, event: &PaymentEvent, now: Timestamp) -> Result<Delivery, DbError> {
    let params = params![event.event_id, event.order_id, event.kind, event.amount, event.refund_id, now];
    if tx.execute(REMEMBER, params).await? == 1 {
        return Ok(Delivery::First);
    }
    let known: Known = tx.query_one(KNOWN, params![event.event_id]).await?;
    let same = (known.order_id, known.kind, known.amount, known.refund_id)
        == (event.order_id, event.kind, event.amount, event.refund_id);
    Ok(if same { Delivery::Again } else { Delivery::Differs })
}
