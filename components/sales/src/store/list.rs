//! Lists of sales, the latest first: the filters that a request asked for, one page by keyset.
//!
//! The statement is put together from constant parts, so that PostgreSQL plans for the filters that
//! are there; whatever comes from a request is a parameter.

use std::fmt::Write;

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, ToValue, Value, from_row};
use serde::{Deserialize, Serialize};

use crate::domain::{Channel, CustomerId, LocationId, OrderId, RegisterId, SaleId, SessionId, Status};

const SELECT: &str = "
    select s.id, s.number, s.channel, s.status, s.store_id, s.register_id, s.session_id, s.cashier, s.customer_id,
        s.order_id, s.offline, s.price_differs,
        (select sum(l.quantity) from sale_lines l where l.sale_id = s.id) as units,
        s.total_cents as total, s.payable_cents as payable, s.refunded_cents as refunded, s.sold_at, s.recorded_at
    from sales s
    where true";

/// What a list is restricted to; every part is optional, and all apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub store: Option<LocationId>,
    pub register: Option<RegisterId>,
    pub session: Option<SessionId>,
    pub channel: Option<Channel>,
    pub status: Option<Status>,
    pub number: Option<String>,
    pub price_differs: Option<bool>,
    /// Sold then or later.
    pub from: Option<Timestamp>,
    /// Sold before then.
    pub to: Option<Timestamp>,
}

/// The place of a sale in a list: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Timestamp, pub SaleId);

/// What is shown of a sale in a list.
#[derive(Clone, Debug)]
pub struct Summary {
    pub id: SaleId,
    pub number: String,
    pub channel: Channel,
    pub status: Status,
    pub store_id: LocationId,
    pub register_id: RegisterId,
    pub session_id: Option<SessionId>,
    pub cashier: Option<String>,
    pub customer_id: Option<CustomerId>,
    pub order_id: Option<OrderId>,
    pub offline: bool,
    pub price_differs: bool,
    pub units: i64,
    pub total: Money,
    pub payable: Money,
    pub refunded: Money,
    pub sold_at: Timestamp,
    pub recorded_at: Timestamp,
}

from_row!(Summary {
    id,
    number,
    channel,
    status,
    store_id,
    register_id,
    session_id,
    cashier,
    customer_id,
    order_id,
    offline,
    price_differs,
    units,
    total,
    payable,
    refunded,
    sold_at,
    recorded_at,
});

/// Up to `limit` sales after that place.
pub async fn list(
    db: &impl Executor,
    filter: &Filter,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Summary>, DbError> {
    let mut statement = SELECT.to_owned();
    let mut params: Vec<Value> = Vec::new();
    let mut restrict = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            let _ = write!(statement, " and {condition}${}", params.len());
        }
    };
    restrict("s.store_id = ", filter.store.map(ToValue::to_value));
    restrict("s.register_id = ", filter.register.map(ToValue::to_value));
    restrict("s.session_id = ", filter.session.map(ToValue::to_value));
    restrict("s.channel = ", filter.channel.map(ToValue::to_value));
    restrict("s.status = ", filter.status.map(ToValue::to_value));
    restrict("s.number = ", filter.number.as_deref().map(ToValue::to_value));
    restrict("s.price_differs = ", filter.price_differs.map(ToValue::to_value));
    restrict("s.sold_at >= ", filter.from.map(ToValue::to_value));
    restrict("s.sold_at < ", filter.to.map(ToValue::to_value));
    if let Some(Position(at, id)) = after {
        params.extend([at.to_value(), id.to_value()]);
        let _ = write!(statement, " and (s.sold_at, s.id) < (${}, ${})", params.len() - 1, params.len());
    }
    params.push(limit.to_value());
    let _ = write!(statement, " order by s.sold_at desc, s.id desc limit ${}", params.len());
    db.query(&statement, params).await
}
