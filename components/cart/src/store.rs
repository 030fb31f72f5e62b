//! The SQL of carts and their lines.
//!
//! Owns the locking protocol: a write locks its cart with [`lock`], then changes lines and version
//! in one statement that sees what every earlier writer committed. Sums are made by PostgreSQL.
//! Merging, consuming and expiring are in `store/closing.rs`, cached product data in
//! `store/snapshots.rs`. Decides nothing: a statement that changes nothing says so, and the rules
//! in `domain.rs` say why.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, FromValue, Row, Value, from_row, params};

use crate::domain::{
    Cart, CartId, CustomerId, Expiry, KnownLine, Line, MAX_LINES, MAX_QUANTITY, ProductId, Snapshot, Status, StoreId,
};

mod closing;
mod snapshots;

pub use closing::{Consumption, consumption, expire, forget, last_of_chain, lock_both, merge, record, take, together};
pub use snapshots::save_snapshots;

/// The part of a statement that tells of each row of `$from`, a cart that it changed, with what `$payload` adds: in
/// the change's own round trip. The request's trace is the parameter `$trace`.
macro_rules! told {
    ($kind:literal, $from:literal, $trace:literal, $payload:literal) => {
        concat!(
            "insert into outbox (event_id, type, subject, subject_version, occurred_at, traceparent, payload)
             select gen_random_uuid(), '",
            $kind,
            "', 'cart/' || cart.id, cart.version, cart.updated_at, ",
            $trace,
            ", jsonb_build_object('cart_id', cart.id, 'customer_id', cart.customer_id, 'store_id', cart.store_id)
                 || jsonb_build_object(",
            $payload,
            ") from ",
            $from
        )
    };
}
use told;

/// The line and the version of its cart after a change of it, which is told.
macro_rules! changed {
    ($trace:literal) => {
        concat!(
            ", told as (",
            told!(
                "cart.changed",
                "line cross join cart",
                $trace,
                "'product_id', line.product_id, 'quantity', line.quantity"
            ),
            ")
             select line.quantity, cart.version from line cross join cart"
        )
    };
}

const CREATE: &str = concat!(
    "with cart as (
         insert into carts (id, customer_id, store_id, created_at, updated_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)
         returning id, number, customer_id, store_id, status, merged_into, version, created_at, updated_at
     ), told as (",
    told!("cart.created", "cart", "$6", ""),
    ")
     select id, number, customer_id, store_id, status, merged_into, version, created_at, updated_at from cart"
);

const LOCK: &str = "
    select id, number, customer_id, store_id, status, merged_into, version, created_at, updated_at
    from carts
    where id = $1
    for no key update";

const LOCK_WITH_PRODUCT: &str = "
    select c.id, c.number, c.customer_id, c.store_id, c.status, c.merged_into, c.version,
        c.created_at, c.updated_at,
        p.product_id, p.sku, p.name, p.status as availability, p.price_cents, p.deposit_cents,
        p.tax_category, p.gst_rate, p.qst_rate, p.fetched_at
    from carts c
    left join product_snapshots p on p.store_id = coalesce(c.store_id, 0) and p.product_id = $2
    where c.id = $1
    for no key update of c";

const VIEW: &str = "
    select c.id, c.number, c.customer_id, c.store_id, c.status, c.merged_into, c.version,
        c.created_at, c.updated_at,
        i.product_id as line_product_id, i.quantity,
        p.product_id, p.sku, p.name, p.status as availability, p.price_cents, p.deposit_cents,
        p.tax_category, p.gst_rate, p.qst_rate, p.fetched_at
    from carts c
    left join cart_items i on i.cart_id = c.id
    left join product_snapshots p
        on p.store_id = coalesce(c.store_id, 0) and p.product_id = i.product_id
    where c.id = $1
    order by i.added_at, i.product_id";

// Commutative: replicas that add at once sum up, in whichever order they come.
const ADD: &str = concat!(
    "
    with line as (
        insert into cart_items as i (cart_id, product_id, quantity, added_at)
        select $1, $2, $3, $4
        where (select count(*) from cart_items o where o.cart_id = $1 and o.product_id <> $2) < $6
        on conflict on constraint cart_items_pkey do update
        set quantity = i.quantity + excluded.quantity
        where i.quantity + excluded.quantity <= $7
        returning i.product_id, i.quantity
    ), cart as (
        update carts set version = version + 1, updated_at = $4, expires_at = $5
        where id = $1 and exists (select from line)
        returning id, version, customer_id, store_id, updated_at
    )",
    changed!("$8")
);

const SUBTRACT: &str = concat!(
    "
    with less as (
        update cart_items set quantity = quantity - $3
        where cart_id = $1 and product_id = $2 and quantity > $3
        returning product_id, quantity
    ), gone as (
        delete from cart_items
        where cart_id = $1 and product_id = $2 and quantity = $3
        returning product_id, 0 as quantity
    ), line as (
        select product_id, quantity from less union all select product_id, quantity from gone
    ), cart as (
        update carts set version = version + 1, updated_at = $4,
            expires_at = case
                when (select quantity from line) > 0
                    or exists (select from cart_items o where o.cart_id = $1 and o.product_id <> $2)
                then $5::timestamptz else $6
            end
        where id = $1 and exists (select from line)
        returning id, version, customer_id, store_id, updated_at
    )",
    changed!("$7")
);

const SET: &str = concat!(
    "
    with line as (
        insert into cart_items as i (cart_id, product_id, quantity, added_at)
        select $1, $2, $3, $4
        where (select count(*) from cart_items o where o.cart_id = $1 and o.product_id <> $2) < $6
        on conflict on constraint cart_items_pkey do update
        set quantity = excluded.quantity
        where i.quantity <> excluded.quantity
        returning i.product_id, i.quantity
    ), cart as (
        update carts set version = version + 1, updated_at = $4, expires_at = $5
        where id = $1 and exists (select from line)
        returning id, version, customer_id, store_id, updated_at
    )",
    changed!("$7")
);

const REMOVE: &str = concat!(
    "
    with line as (
        delete from cart_items where cart_id = $1 and product_id = $2 returning product_id, 0 as quantity
    ), cart as (
        update carts set version = version + 1, updated_at = $3,
            expires_at = case
                when exists (select from cart_items o where o.cart_id = $1 and o.product_id <> $2)
                then $4::timestamptz else $5
            end
        where id = $1 and exists (select from line)
        returning id, version, customer_id, store_id, updated_at
    )",
    changed!("$6")
);

const STANDING: &str = "
    select
        (select quantity from cart_items where cart_id = $1 and product_id = $2) as quantity,
        (select count(*) from cart_items where cart_id = $1) as lines";

const LINES: &str = "
    select product_id, quantity from cart_items where cart_id = $1 order by added_at, product_id";

/// A line after a change, and the version of its cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    pub quantity: i32,
    pub version: i64,
}

/// What a cart holds of one product, and how many lines it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub quantity: Option<i32>,
    pub lines: i64,
}

from_row!(Changed { quantity, version });
from_row!(Standing { quantity, lines });
from_row!(Line { product_id, quantity });
from_row!(Cart { id, number, customer_id, store_id, status, merged_into, version, created_at, updated_at });

/// An open cart without lines.
pub async fn create(
    db: &impl Executor,
    id: CartId,
    customer_id: Option<CustomerId>,
    store_id: Option<StoreId>,
    now: Timestamp,
) -> Result<Cart, DbError> {
    let expires_at = Expiry::of(customer_id, now).without;
    db.query_one(CREATE, params![id, customer_id, store_id, now, expires_at, trace()]).await
}

/// Locks the cart until the transaction ends: the first thing every write does.
pub async fn lock(db: &impl Executor, id: CartId) -> Result<Option<Cart>, DbError> {
    db.query_opt(LOCK, params![id]).await
}

/// Locks the cart, and reads what is known of the product at the cart's store.
pub async fn lock_with_product(
    db: &impl Executor,
    id: CartId,
    product: ProductId,
) -> Result<Option<(Cart, Option<Snapshot>)>, DbError> {
    let row: Option<WithProduct> = db.query_opt(LOCK_WITH_PRODUCT, params![id, product]).await?;
    Ok(row.map(|WithProduct(cart, product)| (cart, product)))
}

/// The cart with its lines and what is known of their products, in one round trip.
pub async fn view(db: &impl Executor, id: CartId) -> Result<Option<(Cart, Vec<KnownLine>)>, DbError> {
    let rows: Vec<ViewRow> = db.query(VIEW, params![id]).await?;
    let mut rows = rows.into_iter();
    let Some(ViewRow(cart, first)) = rows.next() else {
        return Ok(None);
    };
    let rest = rows.filter_map(|ViewRow(_, line)| line);
    Ok(Some((cart, first.into_iter().chain(rest).collect())))
}

/// The lines of a cart without their products, in the order in which they came.
pub async fn lines(db: &impl Executor, id: CartId) -> Result<Vec<Line>, DbError> {
    db.query(LINES, params![id]).await
}

/// Adds to a line, or makes it; `None` when it would not fit. The cart is locked.
pub async fn add(db: &impl Executor, cart: &Cart, line: Line, now: Timestamp) -> Result<Option<Changed>, DbError> {
    put(db, ADD, cart, line, now, params![MAX_QUANTITY, trace()]).await
}

/// Makes a line hold exactly this quantity, at least 1; `None` when it already does, or when there
/// is no room for another line. The cart is locked.
pub async fn set(db: &impl Executor, cart: &Cart, line: Line, now: Timestamp) -> Result<Option<Changed>, DbError> {
    put(db, SET, cart, line, now, params![trace()]).await
}

async fn put(
    db: &impl Executor,
    statement: &str,
    cart: &Cart,
    line: Line,
    now: Timestamp,
    more: Vec<Value>,
) -> Result<Option<Changed>, DbError> {
    let expires_at = cart.expiry(now).with_lines;
    let mut params = params![cart.id, line.product_id, line.quantity, now, expires_at, MAX_LINES];
    params.extend(more);
    db.query_opt(statement, params).await
}

/// Takes from a line, and removes it at zero; `None` when it holds less. The cart is locked.
pub async fn subtract(db: &impl Executor, cart: &Cart, line: Line, now: Timestamp) -> Result<Option<Changed>, DbError> {
    let expiry = cart.expiry(now);
    let params = params![cart.id, line.product_id, line.quantity, now, expiry.with_lines, expiry.without, trace()];
    db.query_opt(SUBTRACT, params).await
}

/// Removes a line; `None` when there is none. The cart is locked.
pub async fn remove(
    db: &impl Executor,
    cart: &Cart,
    product: ProductId,
    now: Timestamp,
) -> Result<Option<Changed>, DbError> {
    let expiry = cart.expiry(now);
    let params = params![cart.id, product, now, expiry.with_lines, expiry.without, trace()];
    db.query_opt(REMOVE, params).await
}

/// What a change without effect has to be explained with. The cart is locked.
pub async fn standing(db: &impl Executor, id: CartId, product: ProductId) -> Result<Standing, DbError> {
    db.query_one(STANDING, params![id, product]).await
}

/// The trace of the request that something is written for.
fn trace() -> Option<String> {
    sdk::request::current().map(|request| request.traceparent().to_owned())
}

struct WithProduct(Cart, Option<Snapshot>);

impl FromRow for WithProduct {
    fn from_row(row: &Row<'_>) -> Result<WithProduct, DbError> {
        Ok(WithProduct(Cart::from_row(row)?, snapshots::joined(row)?))
    }
}

struct ViewRow(Cart, Option<KnownLine>);

impl FromRow for ViewRow {
    fn from_row(row: &Row<'_>) -> Result<ViewRow, DbError> {
        let cart = Cart::from_row(row)?;
        let Some(product_id) = row.get("line_product_id")? else {
            return Ok(ViewRow(cart, None));
        };
        let line = KnownLine { product_id, quantity: row.get("quantity")?, product: snapshots::joined(row)? };
        Ok(ViewRow(cart, Some(line)))
    }
}

impl FromValue for Status {
    fn from_value(value: Value) -> Result<Status, DbError> {
        match String::from_value(value)?.as_str() {
            "open" => Ok(Status::Open),
            "merged" => Ok(Status::Merged),
            "expired" => Ok(Status::Expired),
            other => Err(DbError::Conversion(format!("no cart status: {other}"))),
        }
    }
}
