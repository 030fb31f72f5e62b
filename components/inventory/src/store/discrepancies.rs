//! Units that nobody can account for.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use super::{Conditions, columns};
use crate::domain::{DiscrepancyKind, LocationId, Place, ProductId};

const LIST: &str = "
    select id, location_id, product_id, quantity, kind, reference, line, recorded_at
    from discrepancies";

const RECORD: &str = "
    insert into discrepancies (location_id, product_id, quantity, kind, reference, line, recorded_at)
    select location_id, product_id, quantity, $5, $6, line, $7
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        as d (location_id, product_id, quantity, line)
    order by line
    returning id, location_id, product_id, quantity, kind, reference, line, recorded_at";

#[derive(Clone, Debug)]
pub struct Discrepancy {
    pub id: i64,
    pub location_id: LocationId,
    pub product_id: ProductId,
    pub quantity: i64,
    pub kind: DiscrepancyKind,
    pub reference: String,
    pub line: i64,
    pub recorded_at: Timestamp,
}

from_row!(Discrepancy { id, location_id, product_id, quantity, kind, reference, line, recorded_at });

/// Units of a line that are missing.
#[derive(Clone, Copy, Debug)]
pub struct Missing {
    pub place: Place,
    pub line: i64,
    pub quantity: i64,
}

/// The newest first.
pub async fn list(
    db: &impl Executor,
    location: Option<LocationId>,
    kind: Option<DiscrepancyKind>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Discrepancy>, DbError> {
    let mut conditions = Conditions::new();
    conditions.and("location_id = $?", location);
    conditions.and("kind = $?", kind);
    conditions.and("id < $?", before);
    let (sql, params) = conditions.statement(LIST, " order by id desc", limit);
    db.query(&sql, params).await
}

pub async fn record(
    db: &impl Executor,
    kind: DiscrepancyKind,
    reference: &str,
    missing: &[Missing],
    now: Timestamp,
) -> Result<Vec<Discrepancy>, DbError> {
    let (locations, products) = columns(missing.iter().map(|missing| missing.place));
    let quantities: Vec<i64> = missing.iter().map(|missing| missing.quantity).collect();
    let lines: Vec<i64> = missing.iter().map(|missing| missing.line).collect();
    db.query(RECORD, params![locations, products, quantities, lines, kind, reference, now]).await
}
