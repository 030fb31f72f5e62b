//! Lists of orders, the latest first: the filters that a request asked for, one page by keyset.
//!
//! The statement is put together from constant parts, so that PostgreSQL plans for the filters that
//! are there; whatever comes from a request is a parameter.

use std::fmt::Write;

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, ToValue, Value, from_row};
use serde::{Deserialize, Serialize};

use crate::domain::draft::Method;
use crate::domain::{CustomerId, LocationId, OrderId, PaymentStatus, Status};

const SELECT: &str = "
    select o.id, o.number, o.customer_id, o.store_id, o.status, o.payment_status, o.method,
        (select sum(l.quantity) from order_lines l where l.order_id = o.id) as units,
        o.total_cents as total, o.refunded_cents as refunded, o.version, o.created_at, o.updated_at
    from orders o
    where true";

/// What a list is restricted to; every part is optional, and all apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub customer: Option<CustomerId>,
    /// Who asks, if that is a customer: of others there is nothing.
    pub own: Option<CustomerId>,
    pub store: Option<LocationId>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before then.
    pub to: Option<Timestamp>,
}

/// The place of an order in a list: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Timestamp, pub OrderId);

/// What is shown of an order in a list.
#[derive(Clone, Debug)]
pub struct Summary {
    pub id: OrderId,
    pub number: i64,
    pub customer_id: CustomerId,
    pub store_id: LocationId,
    pub status: Status,
    pub payment_status: PaymentStatus,
    pub method: Method,
    pub units: i64,
    pub total: Money,
    pub refunded: Money,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

from_row!(Summary {
    id,
    number,
    customer_id,
    store_id,
    status,
    payment_status,
    method,
    units,
    total,
    refunded,
    version,
    created_at,
    updated_at,
});

/// Up to `limit` orders after that place.
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
    restrict("o.status = ", filter.status.map(ToValue::to_value));
    restrict("o.customer_id = ", filter.customer.map(ToValue::to_value));
    restrict("o.customer_id = ", filter.own.map(ToValue::to_value));
    restrict("o.store_id = ", filter.store.map(ToValue::to_value));
    restrict("o.created_at >= ", filter.from.map(ToValue::to_value));
    restrict("o.created_at < ", filter.to.map(ToValue::to_value));
    if let Some(Position(at, id)) = after {
        params.extend([at.to_value(), id.to_value()]);
        let _ = write!(statement, " and (o.created_at, o.id) < (${}, ${})", params.len() - 1, params.len());
    }
    params.push(limit.to_value());
    let _ = write!(statement, " order by o.created_at desc, o.id desc limit ${}", params.len());
    db.query(&statement, params).await
}
