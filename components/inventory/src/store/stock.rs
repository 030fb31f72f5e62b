//! Rows of stock: read, locked, changed.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, from_row, params};

use super::{Conditions, columns};
use crate::domain::{Change, Holding, Level, LocationId, Place, ProductId};

/// The columns of [`Stock`], in its order.
macro_rules! stock {
    () => {
        "s.location_id, s.product_id, s.on_hand, s.reserved, s.in_transit, s.threshold_low, s.threshold_high,
         s.level, s.version, s.counted_version, s.counted_at, s.updated_at"
    };
}

const LIST: &str = concat!("select ", stock!(), " from stock s");

const GET: &str = concat!("select ", stock!(), " from stock s where s.location_id = $1 and s.product_id = $2");

const AVAILABILITY: &str = "
    select l.id as location_id, coalesce(s.on_hand - s.reserved, 0) as available
    from locations l
    left join stock s on s.location_id = l.id and s.product_id = $1
    order by l.id";

// The rows are sorted, then locked: whoever wants some of the same rows comes to them in the same order.
const LOCK: &str = "
    select s.location_id, s.product_id, s.on_hand, s.reserved, s.in_transit
    from unnest($1::bigint[], $2::bigint[]) as w (location_id, product_id)
    join stock s on s.location_id = w.location_id and s.product_id = w.product_id
    order by s.location_id, s.product_id
    for no key update of s";

// In the same order as locks: a row that somebody else is just making is waited for. One that is there is
// left alone, and not even looked at by the constraint, which would wait for whoever is changing it.
const ENSURE: &str = "
    insert into stock (location_id, product_id, updated_at)
    select w.location_id, w.product_id, $3
    from unnest($1::bigint[], $2::bigint[]) as w (location_id, product_id)
    join locations l on l.id = w.location_id
    where not exists (
        select from stock s where s.location_id = w.location_id and s.product_id = w.product_id
    )
    order by w.location_id, w.product_id
    on conflict on constraint stock_pkey do nothing";

// Guarded: even without the locks nothing that is promised could be taken. The ledger is written by
// the statement that changes the rows, so that neither is ever without the other.
const CHANGE: &str = concat!(
    "with change as (
        select *
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
            as c (location_id, product_id, on_hand, reserved, in_transit, line, kind)
    ), changed as (
        update stock s
        set on_hand = s.on_hand + c.on_hand, reserved = s.reserved + c.reserved,
            in_transit = s.in_transit + c.in_transit, version = s.version + 1, updated_at = $8
        from change c
        where s.location_id = c.location_id and s.product_id = c.product_id
            and s.on_hand + c.on_hand >= s.reserved + c.reserved
            and s.reserved + c.reserved >= 0
            and s.in_transit + c.in_transit >= 0
        returning ",
    stock!(),
    "
    ), moved as (
        insert into movements
            (location_id, product_id, delta, on_hand, kind, reference, line, reason, actor, occurred_at)
        select s.location_id, s.product_id, c.on_hand, s.on_hand, c.kind, $9, c.line, $10::text, $11, $8
        from changed s
        join change c on c.location_id = s.location_id and c.product_id = s.product_id
        where c.on_hand <> 0
        order by s.location_id, s.product_id
    )
    select ",
    stock!(),
    " from changed s order by s.location_id, s.product_id"
);

// The same version: whoever counted changes the row once.
const COUNTED: &str = concat!(
    "update stock s
    set counted_version = s.version, counted_at = $3, threshold_low = coalesce($4, s.threshold_low),
        threshold_high = coalesce($5, s.threshold_high)
    where s.location_id = $1 and s.product_id = $2
    returning ",
    stock!()
);

/// A row of stock.
#[derive(Clone, Debug)]
pub struct Stock {
    pub location_id: LocationId,
    pub product_id: ProductId,
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
    pub threshold_low: i64,
    pub threshold_high: Option<i64>,
    pub level: Level,
    pub version: i64,
    pub counted_version: Option<i64>,
    pub counted_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// What can be had of a product at a location.
#[derive(Clone, Copy, Debug)]
pub struct Available {
    pub location_id: LocationId,
    pub available: i64,
}

/// Why rows are changed.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// What the movements refer to; nothing if there are none.
    pub reference: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub actor: &'a str,
    pub at: Timestamp,
}

/// What a list is restricted to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub location: Option<LocationId>,
    pub product: Option<ProductId>,
    pub level: Option<Level>,
    pub concern: Option<Concern>,
}

/// Rows that somebody should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Out, low or over.
    Any,
    /// Out or low.
    TooLittle,
    /// Neither out nor low.
    Enough,
}

struct Held {
    place: Place,
    holding: Holding,
}

from_row!(Stock {
    location_id,
    product_id,
    on_hand,
    reserved,
    in_transit,
    threshold_low,
    threshold_high,
    level,
    version,
    counted_version,
    counted_at,
    updated_at,
});
from_row!(Available { location_id, available });

impl Stock {
    pub const fn place(&self) -> Place {
        Place { location: self.location_id, product: self.product_id }
    }
}

impl FromRow for Held {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        let place = Place { location: row.get("location_id")?, product: row.get("product_id")? };
        let holding = Holding {
            on_hand: row.get("on_hand")?,
            reserved: row.get("reserved")?,
            in_transit: row.get("in_transit")?,
        };
        Ok(Held { place, holding })
    }
}

/// In the order of places.
pub async fn list(db: &impl Executor, filter: Filter, after: Option<Place>, limit: i64) -> Result<Vec<Stock>, DbError> {
    let mut conditions = Conditions::new();
    conditions.and("s.location_id = $?", filter.location);
    conditions.and("s.product_id = $?", filter.product);
    conditions.and("s.level = $?", filter.level);
    match filter.concern {
        None => {}
        // As the partial index says it.
        Some(Concern::Any) => conditions.and_that("s.level <> 'normal'"),
        Some(Concern::TooLittle) => conditions.and_that("s.level in ('out', 'low')"),
        Some(Concern::Enough) => conditions.and_that("s.level not in ('out', 'low')"),
    }
    conditions.and_after("(s.location_id, s.product_id)", after.map(|after| [after.location.0, after.product.0]));
    let (sql, params) = conditions.statement(LIST, " order by s.location_id, s.product_id", limit);
    db.query(&sql, params).await
}

pub async fn get(db: &impl Executor, place: Place) -> Result<Option<Stock>, DbError> {
    db.query_opt(GET, params![place.location, place.product]).await
}

/// Of every location, in the order of ids.
pub async fn availability(db: &impl Executor, product: ProductId) -> Result<Vec<Available>, DbError> {
    db.query(AVAILABILITY, params![product]).await
}

/// Locks the rows until the transaction ends, whatever the order of the places. What has no row is left
/// out.
pub async fn lock(db: &impl Executor, places: impl Iterator<Item = Place>) -> Result<Vec<(Place, Holding)>, DbError> {
    let (locations, products) = columns(places);
    let held: Vec<Held> = db.query(LOCK, params![locations, products]).await?;
    Ok(held.into_iter().map(|held| (held.place, held.holding)).collect())
}

/// Makes the rows that are missing, without anything in them.
pub async fn ensure(db: &impl Executor, places: impl Iterator<Item = Place>, now: Timestamp) -> Result<(), DbError> {
    let (locations, products) = columns(places);
    db.execute(ENSURE, params![locations, products, now]).await?;
    Ok(())
}

/// Changes the rows and writes the ledger. The rows as they are now, in the order of places; fewer than
/// changes, if one would leave less than is promised.
pub async fn change(db: &impl Executor, changes: &[Change], cause: Cause<'_>) -> Result<Vec<Stock>, DbError> {
    let (locations, products) = columns(changes.iter().map(|change| change.place));
    let column = |get: fn(&Change) -> i64| changes.iter().map(get).collect::<Vec<i64>>();
    let kinds: Vec<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    let params = params![
        locations,
        products,
        column(|change| change.on_hand),
        column(|change| change.reserved),
        column(|change| change.in_transit),
        column(|change| change.line),
        kinds,
        cause.at,
        cause.reference,
        cause.reason,
        cause.actor,
    ];
    db.query(CHANGE, params).await
}

/// Remembers a count, and sets the thresholds that are given.
pub async fn counted(
    db: &impl Executor,
    place: Place,
    now: Timestamp,
    low: Option<i64>,
    high: Option<i64>,
) -> Result<Stock, DbError> {
    db.query_one(COUNTED, params![place.location, place.product, now, low, high]).await
}
