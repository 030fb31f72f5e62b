//! The SQL of lists: put together of constant parts; whatever comes from a request is a parameter.

use jiff::Timestamp;
use sdk::{DbError, Executor, ToValue, params};
use serde::{Deserialize, Serialize};

use super::columns;
use crate::domain::checkout::Checkout;
use crate::domain::{CheckoutId, CustomerId, State};

/// What a list is restricted to; every part is optional, and all apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub customer: Option<CustomerId>,
    /// Who asks, if that is a customer: of others there is nothing.
    pub own: Option<CustomerId>,
}

/// The place of a checkout in a list: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Timestamp, pub CheckoutId);

/// Up to `limit` checkouts after that place, the latest first.
pub async fn list(
    db: &impl Executor,
    filter: Filter,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Checkout>, DbError> {
    let mut statement = concat!("select ", columns!(), " from checkouts where true").to_owned();
    let mut params = params![];
    let conditions = [
        ("state = ", filter.state.map(ToValue::to_value)),
        ("customer_id = ", filter.customer.map(ToValue::to_value)),
        ("customer_id = ", filter.own.map(ToValue::to_value)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            statement.push_str(&format!(" and {condition}${}", params.len()));
        }
    }
    if let Some(Position(at, id)) = after {
        params.extend([at.to_value(), id.to_value()]);
        statement.push_str(&format!(" and (created_at, id) < (${}, ${})", params.len() - 1, params.len()));
    }
    params.push(limit.to_value());
    statement.push_str(&format!(" order by created_at desc, id desc limit ${}", params.len()));
    db.query(&statement, params).await
}
