//! The SQL of what is left in stock.

use sdk::{DbError, Executor, from_row, params};

use crate::domain::{Epoch, LocationId, ProductId};

const LEFT: &str = "
    select coalesce(sum(on_hand), 0)::bigint as on_hand, coalesce(sum(reserved), 0)::bigint as reserved,
        coalesce(sum(in_transit), 0)::bigint as in_transit,
        count(*) filter (where level = 'out') as out, count(*) filter (where level = 'low') as low,
        count(*) filter (where level = 'over') as over
    from stock
    where epoch = $1 and ($2::bigint is null or location_id = $2)";

const AT_LEVEL: &str = "
    select s.location_id, s.product_id, p.sku, p.name, s.on_hand, s.reserved, count(*) over () as of
    from stock s
    left join products p on p.epoch = s.epoch and p.product_id = s.product_id
    where s.epoch = $1 and s.level = $2 and coalesce(p.status, '') <> 'archived'
    order by s.location_id, s.product_id
    limit $3";

/// The sums over all rows of stock.
#[derive(Clone, Debug)]
pub struct Left {
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
    /// Products at locations of which nothing is available.
    pub out: i64,
    pub low: i64,
    pub over: i64,
}

from_row!(Left { on_hand, reserved, in_transit, out, low, over });

/// A product at a location.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub location_id: LocationId,
    pub product_id: ProductId,
    pub sku: Option<String>,
    pub name: Option<String>,
    pub on_hand: i64,
    pub reserved: i64,
    /// How many there are, shown or not.
    pub of: i64,
}

from_row!(Shelf { location_id, product_id, sku, name, on_hand, reserved, of });

/// At a location, or everywhere.
pub async fn left(db: &impl Executor, epoch: Epoch, location: Option<LocationId>) -> Result<Left, DbError> {
    db.query_one(LEFT, params![epoch, location]).await
}

/// What is at that level, as far as it is still sold.
pub async fn at_level(db: &impl Executor, epoch: Epoch, level: &str, limit: i64) -> Result<Vec<Shelf>, DbError> {
    db.query(AT_LEVEL, params![epoch, level, limit]).await
}
