//! Prices: dated, for all stores or for one.

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, OnConstraint, Problem, Result, from_row, params};
use serde::{Deserialize, Serialize};

use crate::domain::price::{PriceDraft, PriceKind};
use crate::domain::{PriceId, ProductId, StoreId};

/// A price of a product.
#[derive(Clone, Debug)]
pub struct Price {
    pub id: PriceId,
    pub product_id: ProductId,
    pub kind: PriceKind,
    pub store_id: Option<StoreId>,
    pub amount: Money,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

from_row!(Price { id, product_id, kind, store_id, amount, starts_at, ends_at, created_at });

/// The place of a price in a list: its start, then its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Position(pub Timestamp, pub i64);

impl Price {
    pub fn position(&self) -> Position {
        Position(self.starts_at, self.id.0)
    }
}

macro_rules! columns {
    () => {
        "r.id, r.product_id, r.kind, r.store_id, r.amount_cents as amount,
         lower(r.valid) as starts_at, upper(r.valid) as ends_at, r.created_at"
    };
}

const GET: &str = concat!("select ", columns!(), " from prices r where r.product_id = $1 and r.id = $2");

const LIST: &str = concat!(
    "select ",
    columns!(),
    "
     from prices r
     where r.product_id = $1
       and ($2::text is null or r.kind = $2)
       and ($3::bigint is null or r.store_id = $3)
       and ($4::timestamptz is null or (lower(r.valid), r.id) > ($4, $5))
     order by lower(r.valid), r.id
     limit $6"
);

/// As in the effective price, for a clock that runs behind the one that created the product.
const REGULAR: &str = "
    select r.amount_cents
    from prices r
    join products p on p.id = r.product_id
    where r.product_id = $1
      and r.kind = 'regular'
      and r.store_id is null
      and r.valid @> greatest($2, p.created_at)";

/// The open price of that kind and store ends where the next one starts. One that starts no earlier
/// is left as it is, for the exclusion constraint to meet.
const CLOSE: &str = "
    update prices
    set valid = tstzrange(lower(valid), $3)
    where product_id = $1
      and kind = 'regular'
      and store_id is not distinct from $2
      and upper_inf(valid)
      and lower(valid) < $3";

const INSERT: &str = "
    insert into prices (product_id, kind, store_id, amount_cents, valid, created_at)
    values ($1, $2, $3, $4, tstzrange($5, $6), $7)
    returning id";

/// What a list of prices is restricted to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<PriceKind>,
    pub store: Option<StoreId>,
}

/// At most `rows` prices of a product, oldest start first.
pub async fn list(
    db: &impl Executor,
    product: ProductId,
    filter: &Filter,
    after: Option<Position>,
    rows: i64,
) -> Result<Vec<Price>, DbError> {
    let kind = filter.kind.map(PriceKind::as_str);
    let (starts_at, id) = after.map(|Position(starts_at, id)| (starts_at, id)).unzip();
    db.query(LIST, params![product, kind, filter.store, starts_at, id, rows]).await
}

/// One price of a product.
pub async fn get(db: &impl Executor, product: ProductId, id: PriceId) -> Result<Option<Price>, DbError> {
    db.query_opt(GET, params![product, id]).await
}

/// The regular price for all stores in force.
pub async fn regular(db: &impl Executor, product: ProductId, now: Timestamp) -> Result<Money, DbError> {
    let (amount,) = db.query_one(REGULAR, params![product, now]).await?;
    Ok(amount)
}

/// Adds a price. A regular one ends the open one before it. The caller holds the product's row, so
/// that two prices of one product are never added at once.
pub async fn insert(tx: &impl Executor, product: ProductId, draft: &PriceDraft, now: Timestamp) -> Result<PriceId> {
    if draft.kind == PriceKind::Regular {
        tx.execute(CLOSE, params![product, draft.store, draft.starts_at]).await?;
    }
    let values = params![product, draft.kind.as_str(), draft.store, draft.amount, draft.starts_at, draft.ends_at, now,];
    let (id,) = tx.query_one::<(PriceId,)>(INSERT, values).await.on_constraint("prices_no_overlap", || {
        Problem::conflict("price-overlap")
            .detail("another price of this kind and store is set for a part of this period")
    })?;
    Ok(id)
}
