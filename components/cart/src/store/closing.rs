//! The SQL that empties carts: merge, consume, expire, forget.
//!
//! A merge locks both carts in ascending order of id, so that merges in both directions at once end
//! in one winner and no deadlock; expiry takes only rows that nobody holds.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use super::{told, trace};
use crate::domain::{Cart, CartId, CheckoutId, Line, ProductId, Taken, forgotten_at, stale_before};

const LOCK_BOTH: &str = "
    select id, number, customer_id, store_id, status, merged_into, version, created_at, updated_at
    from carts
    where id in ($1, $2)
    order by id
    for no key update";

const TOGETHER: &str = "
    select product_id, sum(quantity)::bigint as quantity
    from cart_items
    where cart_id in ($1, $2)
    group by product_id
    order by product_id";

// `known`: prices are kept per store, and the cart that goes on may be of another store; the price
// of the first is better than none, but old from the start.
const MERGE: &str = concat!(
    "with moved as (
        delete from cart_items where cart_id = $2 returning product_id, quantity, added_at
    ), line as (
        insert into cart_items as i (cart_id, product_id, quantity, added_at)
        select $1, product_id, quantity, added_at from moved
        on conflict on constraint cart_items_pkey do update
        set quantity = i.quantity + excluded.quantity,
            added_at = least(i.added_at, excluded.added_at)
    ), known as (
        insert into product_snapshots (store_id, product_id, sku, name, status, price_cents,
            deposit_cents, tax_category, gst_rate, qst_rate, fetched_at)
        select coalesce($8, 0), p.product_id, p.sku, p.name, p.status, p.price_cents,
            p.deposit_cents, p.tax_category, p.gst_rate, p.qst_rate, least(p.fetched_at, $7)
        from moved m
        join product_snapshots p
            on p.store_id = coalesce($6, 0) and p.product_id = m.product_id
        where coalesce($6, 0) <> coalesce($8, 0)
        order by p.product_id
        on conflict on constraint product_snapshots_pkey do nothing
    ), closed as (
        update carts
        set status = 'merged', merged_into = $1, version = version + 1, updated_at = $3,
            expires_at = $5
        where id = $2
        returning id, version, customer_id, store_id, merged_into, updated_at
    ), grown as (
        update carts set version = version + 1, updated_at = $3, expires_at = $4
        where id = $1
        returning id, version, customer_id, store_id, updated_at
    ), told_of_one as (",
    told!("cart.merged", "closed cart", "$9", "'merged_into', cart.merged_into"),
    "), told_of_other as (",
    told!("cart.changed", "grown cart cross join closed", "$9", "'merged_from', closed.id"),
    ")
    select version from grown"
);

const LAST_OF_CHAIN: &str = "
    with recursive hop as (
        select id, merged_into from carts where id = $1
        union all
        select c.id, c.merged_into from hop join carts c on c.id = hop.merged_into
    )
    select id from hop where merged_into is null";

const CONSUMPTION: &str = "
    select cart_id, asked_id, lines from cart_consumptions where checkout_id = $1";

const TAKE: &str = "
    with bought as (
        select product_id, quantity
        from unnest($2::bigint[], $3::bigint[]) as b (product_id, quantity)
    ), gone as (
        delete from cart_items i using bought b
        where i.cart_id = $1 and i.product_id = b.product_id and i.quantity <= b.quantity
        returning i.product_id, i.quantity as taken
    ), less as (
        update cart_items i set quantity = i.quantity - b.quantity::integer
        from bought b
        where i.cart_id = $1 and i.product_id = b.product_id and i.quantity > b.quantity
        returning i.product_id, b.quantity::integer as taken
    ), taken as (
        select product_id, taken from gone union all select product_id, taken from less
    )
    select b.product_id, b.quantity::integer as quantity, coalesce(t.taken, 0) as taken
    from bought b left join taken t on t.product_id = b.product_id
    order by b.product_id";

const RECORD: &str = "
    insert into cart_consumptions (checkout_id, cart_id, asked_id, lines, consumed_at)
    values ($1, $2, $3, $4, $5)";

const TOUCH: &str = concat!(
    "with cart as (
        update carts set version = version + 1, updated_at = $2,
            expires_at = case
                when exists (select from cart_items where cart_id = $1) then $3::timestamptz else $4
            end
        where id = $1 and status = 'open'
        returning id, version, customer_id, store_id, updated_at
    ), told as (",
    told!("cart.consumed", "cart", "$5", "'checkout_id', $6::uuid, 'lines', $7::jsonb"),
    ")
    select version from cart"
);

// What the constraints cannot say of a row by itself.
const EXPIRE: &str = concat!(
    "with old as materialized (
        select id from carts
        where status = 'open' and expires_at <= $1
        order by expires_at
        limit $2
        for no key update skip locked
    ), emptied as (
        delete from cart_items i using old where i.cart_id = old.id
    ), cart as (
        update carts c
        set status = 'expired', version = version + 1, updated_at = $1, expires_at = $3
        from old
        where c.id = old.id
        returning c.id, c.version, c.customer_id, c.store_id, c.updated_at
    )
    ",
    told!("cart.expired", "cart", "$4", "")
);

const FORGET: &str = "
    with old as materialized (
        select id from carts
        where status in ('merged', 'expired') and expires_at <= $1
        order by expires_at
        limit $2
        for update skip locked
    )
    delete from carts c using old where c.id = old.id";

/// What a checkout took out of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumption {
    pub cart_id: CartId,
    pub asked_id: CartId,
    pub lines: serde_json::Value,
}

struct Sum {
    product_id: ProductId,
    quantity: i64,
}

from_row!(Consumption { cart_id, asked_id, lines });
from_row!(Taken { product_id, quantity, taken });
from_row!(Sum { product_id, quantity });

/// Locks two carts in ascending order of id; those that exist come in the order asked for.
pub async fn lock_both(
    db: &impl Executor,
    target: CartId,
    source: CartId,
) -> Result<(Option<Cart>, Option<Cart>), DbError> {
    let carts: Vec<Cart> = db.query(LOCK_BOTH, params![target, source]).await?;
    let find = |id| carts.iter().find(|cart| cart.id == id).cloned();
    Ok((find(target), find(source)))
}

/// What two carts hold together, by product. Both are locked.
pub async fn together(db: &impl Executor, target: CartId, source: CartId) -> Result<Vec<(ProductId, i64)>, DbError> {
    let sums: Vec<Sum> = db.query(TOGETHER, params![target, source]).await?;
    Ok(sums.into_iter().map(|sum| (sum.product_id, sum.quantity)).collect())
}

/// Moves the lines of `source` into `target` and closes `source`; the version of `target` after
/// it. Both are locked, open, and fit together.
pub async fn merge(db: &impl Executor, target: &Cart, source: &Cart, now: Timestamp) -> Result<i64, DbError> {
    let params = params![
        target.id,
        source.id,
        now,
        target.expiry(now).with_lines,
        forgotten_at(now),
        source.store_id,
        stale_before(now),
        target.store_id,
        trace(),
    ];
    let (version,) = db.query_one::<(i64,)>(MERGE, params).await?;
    Ok(version)
}

/// The cart that a merged cart's lines are in now: itself, if it was never merged. A chain has an
/// end, since a cart is merged once and into an open one.
pub async fn last_of_chain(db: &impl Executor, id: CartId) -> Result<Option<CartId>, DbError> {
    let last: Option<(CartId,)> = db.query_opt(LAST_OF_CHAIN, params![id]).await?;
    Ok(last.map(|(id,)| id))
}

/// What this checkout took before, if it did.
pub async fn consumption(db: &impl Executor, checkout: CheckoutId) -> Result<Option<Consumption>, DbError> {
    db.query_opt(CONSUMPTION, params![checkout]).await
}

/// Takes what was bought out of the cart, as far as it is still there. The cart is locked; each
/// product is named once.
pub async fn take(db: &impl Executor, cart: &Cart, bought: &[Line]) -> Result<Vec<Taken>, DbError> {
    let products: Vec<i64> = bought.iter().map(|line| line.product_id.0).collect();
    let quantities: Vec<i64> = bought.iter().map(|line| line.quantity.into()).collect();
    db.query(TAKE, params![cart.id, products, quantities]).await
}

/// Writes down what a checkout took, in the transaction in which it takes it; the version of the
/// cart after it, which a closed cart keeps.
pub async fn record(
    db: &impl Executor,
    checkout: CheckoutId,
    cart: &Cart,
    asked: CartId,
    lines: serde_json::Value,
    now: Timestamp,
) -> Result<i64, DbError> {
    db.execute(RECORD, params![checkout, cart.id, asked, lines.clone(), now]).await?;
    let expiry = cart.expiry(now);
    let params = params![cart.id, now, expiry.with_lines, expiry.without, trace(), checkout, lines];
    let version: Option<(i64,)> = db.query_opt(TOUCH, params).await?;
    Ok(version.map_or(cart.version, |(version,)| version))
}

/// Expires at most `limit` carts that are due and that nobody holds; how many.
pub async fn expire(db: &impl Executor, now: Timestamp, limit: i64) -> Result<u64, DbError> {
    db.execute(EXPIRE, params![now, limit, forgotten_at(now), trace()]).await
}

/// Deletes at most `limit` closed carts that have been remembered long enough; how many.
pub async fn forget(db: &impl Executor, now: Timestamp, limit: i64) -> Result<u64, DbError> {
    db.execute(FORGET, params![now, limit]).await
}
