//! Locations.

use sdk::{DbError, Executor, from_row, params};

use crate::domain::{LocationId, LocationKind};

const LIST: &str = "
    select id, code, name, kind
    from locations
    where id > $1 and ($2::text is null or kind = $2)
    order by id
    limit $3";

const KINDS: &str = "select id, code, name, kind from locations where id = any ($1)";

/// A store or a warehouse.
#[derive(Clone, Debug)]
pub struct Location {
    pub id: LocationId,
    pub code: String,
    pub name: String,
    pub kind: LocationKind,
}

from_row!(Location { id, code, name, kind });

pub async fn list(
    db: &impl Executor,
    kind: Option<LocationKind>,
    after: i64,
    limit: i64,
) -> Result<Vec<Location>, DbError> {
    db.query(LIST, params![after, kind, limit]).await
}

/// Those of the locations that exist, in no order.
pub async fn those_of(db: &impl Executor, ids: &[LocationId]) -> Result<Vec<Location>, DbError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    db.query(KINDS, params![ids]).await
}
