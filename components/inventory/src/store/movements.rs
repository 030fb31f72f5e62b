//! The ledger.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row};

use super::Conditions;
use crate::domain::{Kind, LocationId, ProductId};

const LIST: &str = "
    select id, location_id, product_id, delta, on_hand, kind, reference, line, reason, actor, occurred_at
    from movements";

/// An entry: units that came to a location, or went.
#[derive(Clone, Debug)]
pub struct Movement {
    pub id: i64,
    pub location_id: LocationId,
    pub product_id: ProductId,
    pub delta: i64,
    pub on_hand: i64,
    pub kind: Kind,
    pub reference: String,
    pub line: i64,
    pub reason: Option<String>,
    pub actor: String,
    pub occurred_at: Timestamp,
}

from_row!(Movement { id, location_id, product_id, delta, on_hand, kind, reference, line, reason, actor, occurred_at });

/// What a list is restricted to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub location: Option<LocationId>,
    pub product: Option<ProductId>,
    pub kind: Option<Kind>,
    pub reference: Option<String>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// The newest first, which is the order of ids: of one row of stock, it is the order in which they
/// happened.
pub async fn list(
    db: &impl Executor,
    filter: Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Movement>, DbError> {
    let mut conditions = Conditions::new();
    conditions.and("location_id = $?", filter.location);
    conditions.and("product_id = $?", filter.product);
    conditions.and("kind = $?", filter.kind);
    conditions.and("reference = $?", filter.reference);
    conditions.and("occurred_at >= $?", filter.since);
    conditions.and("occurred_at < $?", filter.until);
    conditions.and("id < $?", before);
    let (sql, params) = conditions.statement(LIST, " order by id desc", limit);
    db.query(&sql, params).await
}
