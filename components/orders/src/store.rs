//! The SQL of orders and their lines, and how a decision is written.
//!
//! Owns the locking protocol: a change first locks its order with [`lock`]. Lists are in
//! `store/list.rs`, the timeline in `store/timeline.rs`, refunds in `store/refunds.rs`, what other
//! services are to be told in `store/effects.rs`, payment events in `store/payments.rs`. Decides
//! nothing.

pub mod effects;
pub mod list;
pub mod payments;
pub mod refunds;
pub mod timeline;

use pricing::{TaxRate, TaxRates};
use sdk::fulfilment::Address;
use sdk::{Context, DbError, Executor, FromRow, Result, Row, Tx, outbox, params};

use crate::domain::OrderId;
use crate::domain::decision::Decision;
use crate::domain::draft::{Draft, Fulfilment, Method};
use crate::domain::order::{Dossier, Line, Order, Totals};
use crate::events;

/// The columns of an [`Order`].
macro_rules! columns {
    () => {
        "id, number, customer_id, checkout_id, reservation_id, payment_id, store_id, location_id, status,
         payment_status, method, address, pickup_store_id, pickup_code, pickup_failures, gross_cents,
         discount_cents, subtotal_cents, gst_cents, qst_cents, deposits_cents, total_cents, captured_cents,
         refunded_cents, version, created_at, updated_at, confirmed_at"
    };
}

const GET: &str = concat!("select ", columns!(), " from orders where id = $1");

const LOCK: &str = concat!("select ", columns!(), " from orders where id = $1 for no key update");

const LINES: &str = "
    select line, product_id, sku, name, quantity, unit_price_cents, unit_deposit_cents, tax_category,
        gst_rate, qst_rate, gross_cents, discount_cents, net_cents, gst_cents, qst_cents, deposit_cents,
        total_cents, returned
    from order_lines
    where order_id = $1
    order by line";

// A repetition inserts nothing, nor does another order of the same checkout, reservation or payment, nor one
// that was called off. Whoever is just making it or calling it off is waited for.
const INSERT: &str = concat!(
    "with claimed as (
         insert into order_ids (order_id, claim, actor, at) values ($1, 'made', $20, $19)
         on conflict on constraint order_ids_pkey do nothing
         returning order_id
     )
     insert into orders (id, customer_id, checkout_id, reservation_id, payment_id, store_id, location_id, method,
         address, pickup_store_id, pickup_code, gross_cents, discount_cents, subtotal_cents, gst_cents, qst_cents,
         deposits_cents, total_cents, created_at, updated_at)
     select order_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19
     from claimed
     on conflict do nothing
     returning ",
    columns!()
);

const BAR: &str = "
    insert into order_ids (order_id, claim, actor, at) values ($1, 'cancelled', $2, $3)
    on conflict on constraint order_ids_pkey do nothing";

const BARRED: &str = "select true from order_ids where order_id = $1 and claim = 'cancelled'";

const INSERT_LINES: &str = "
    insert into order_lines (order_id, line, product_id, sku, name, quantity, unit_price_cents,
        unit_deposit_cents, tax_category, gst_rate, qst_rate, gross_cents, discount_cents, net_cents,
        gst_cents, qst_cents, deposit_cents, total_cents)
    select $1, line::integer, product_id, sku, name, quantity::integer, unit_price, unit_deposit, tax_category,
        gst_rate::integer, qst_rate::integer, gross, discount, net, gst, qst, deposit, total
    from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
            $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[])
        as l (line, product_id, sku, name, quantity, unit_price, unit_deposit, tax_category, gst_rate,
            qst_rate, gross, discount, net, gst, qst, deposit, total)";

const UPDATE: &str = "
    update orders
    set status = $2, payment_status = $3, captured_cents = $4, refunded_cents = $5, version = $6,
        updated_at = $7, confirmed_at = $8
    where id = $1";

const FAIL_PICKUP: &str = "
    update orders set pickup_failures = pickup_failures + 1 where id = $1 returning pickup_failures";

/// The order and its lines.
pub async fn get(db: &impl Executor, id: OrderId) -> Result<Option<Dossier>, DbError> {
    let order: Option<Order> = db.query_opt(GET, params![id]).await?;
    dossier(db, order).await
}

/// The order alone.
pub async fn get_order(db: &impl Executor, id: OrderId) -> Result<Option<Order>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// Locks the order until the transaction ends: the first thing every change does.
pub async fn lock(tx: &Tx, id: OrderId) -> Result<Option<Dossier>, DbError> {
    let order: Option<Order> = tx.query_opt(LOCK, params![id]).await?;
    dossier(tx, order).await
}

async fn dossier(db: &impl Executor, order: Option<Order>) -> Result<Option<Dossier>, DbError> {
    let Some(order) = order else {
        return Ok(None);
    };
    let lines = db.query(LINES, params![order.id]).await?;
    Ok(Some(Dossier { order, lines }))
}

/// A pending order without its lines yet; `None` when there is an order that has one of these ids, or when
/// this one was called off.
pub async fn insert(
    tx: &Tx,
    id: OrderId,
    draft: &Draft,
    totals: &Totals,
    pickup_code: Option<&str>,
    by: &str,
    now: jiff::Timestamp,
) -> Result<Option<Order>, DbError> {
    let address = draft.fulfilment.address.as_ref().map(serde_json::to_value).transpose();
    let address = address.map_err(|err| DbError::Unexpected(err.to_string()))?;
    let params = params![
        id,
        draft.customer_id,
        draft.checkout_id,
        draft.reservation_id,
        draft.payment_id,
        draft.store_id,
        draft.location(),
        draft.fulfilment.method,
        address,
        draft.fulfilment.store_id,
        pickup_code,
        totals.gross,
        totals.discount,
        totals.subtotal,
        totals.gst,
        totals.qst,
        totals.deposits,
        totals.total,
        now,
        by,
    ];
    tx.query_opt(INSERT, params).await
}

/// Writes down that there will be no order of that id, unless it was made or called off before.
pub async fn bar(tx: &Tx, id: OrderId, by: &str, now: jiff::Timestamp) -> Result<(), DbError> {
    tx.execute(BAR, params![id, by, now]).await.map(|_| ())
}

/// Whether there will be no order of that id.
pub async fn is_barred(tx: &Tx, id: OrderId) -> Result<bool, DbError> {
    Ok(tx.query_opt::<(bool,)>(BARRED, params![id]).await?.is_some())
}

/// The lines of an order that was just made.
pub async fn insert_lines(tx: &Tx, id: OrderId, lines: &[Line]) -> Result<(), DbError> {
    let int = |column: fn(&Line) -> i64| -> Vec<i64> { lines.iter().map(column).collect() };
    let text = |column: fn(&Line) -> &str| -> Vec<String> { lines.iter().map(|l| column(l).to_owned()).collect() };
    let params = params![
        id,
        int(|l| i64::from(l.line)),
        int(|l| l.product_id.0),
        text(|l| &l.sku),
        text(|l| &l.name),
        int(|l| i64::from(l.quantity)),
        int(|l| l.unit_price.cents()),
        int(|l| l.unit_deposit.cents()),
        text(|l| &l.tax_category),
        int(|l| i64::from(l.rates.gst.thousandths())),
        int(|l| i64::from(l.rates.qst.thousandths())),
        int(|l| l.gross.cents()),
        int(|l| l.discount.cents()),
        int(|l| l.net.cents()),
        int(|l| l.gst.cents()),
        int(|l| l.qst.cents()),
        int(|l| l.deposit.cents()),
        int(|l| l.total.cents()),
    ];
    tx.execute(INSERT_LINES, params).await.map(|_| ())
}

/// Writes a decision as a whole: the order, what came back of its lines, the timeline, the refunds, what
/// the world and what other services are to be told. The order is locked.
pub async fn save(tx: &Tx, context: &Context, decision: &Decision) -> Result<()> {
    if decision.is_empty() {
        return Ok(());
    }
    let order = &decision.order;
    let params = params![
        order.id,
        order.status,
        order.payment_status,
        order.captured,
        order.refunded,
        order.version,
        order.updated_at,
        order.confirmed_at,
    ];
    tx.execute(UPDATE, params).await?;
    timeline::append(tx, order.id, &decision.entries, &decision.actor, decision.now).await?;
    for refund in &decision.refunds {
        refunds::insert(tx, order.id, refund).await?;
    }
    effects::insert(tx, order.id, &decision.effects, decision.now).await?;
    outbox::publish(tx, context, events::of(decision)?).await?;
    Ok(())
}

/// Counts a wrong code; how many there were. The order is locked.
pub async fn fail_pickup(tx: &Tx, id: OrderId) -> Result<i32, DbError> {
    let (failures,): (i32,) = tx.query_one(FAIL_PICKUP, params![id]).await?;
    Ok(failures)
}

impl FromRow for Order {
    fn from_row(row: &Row<'_>) -> Result<Order, DbError> {
        Ok(Order {
            id: row.get("id")?,
            number: row.get("number")?,
            customer_id: row.get("customer_id")?,
            checkout_id: row.get("checkout_id")?,
            reservation_id: row.get("reservation_id")?,
            payment_id: row.get("payment_id")?,
            store_id: row.get("store_id")?,
            location_id: row.get("location_id")?,
            status: row.get("status")?,
            payment_status: row.get("payment_status")?,
            fulfilment: fulfilment(row)?,
            pickup_code: row.get("pickup_code")?,
            pickup_failures: row.get("pickup_failures")?,
            totals: Totals {
                gross: row.get("gross_cents")?,
                discount: row.get("discount_cents")?,
                subtotal: row.get("subtotal_cents")?,
                gst: row.get("gst_cents")?,
                qst: row.get("qst_cents")?,
                deposits: row.get("deposits_cents")?,
                total: row.get("total_cents")?,
            },
            captured: row.get("captured_cents")?,
            refunded: row.get("refunded_cents")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            confirmed_at: row.get("confirmed_at")?,
        })
    }
}

fn fulfilment(row: &Row<'_>) -> Result<Fulfilment, DbError> {
    let method: Method = row.get("method")?;
    let address: Option<serde_json::Value> = row.get("address")?;
    let address: Option<Address> = address
        .map(serde_json::from_value)
        .transpose()
        .map_err(|err| DbError::Conversion(format!("column \"address\": {err}")))?;
    Ok(Fulfilment { method, address, store_id: row.get("pickup_store_id")? })
}

impl FromRow for Line {
    fn from_row(row: &Row<'_>) -> Result<Line, DbError> {
        Ok(Line {
            line: row.get("line")?,
            product_id: row.get("product_id")?,
            sku: row.get("sku")?,
            name: row.get("name")?,
            quantity: units(row, "quantity")?,
            unit_price: row.get("unit_price_cents")?,
            unit_deposit: row.get("unit_deposit_cents")?,
            tax_category: row.get("tax_category")?,
            rates: TaxRates { gst: rate(row, "gst_rate")?, qst: rate(row, "qst_rate")? },
            gross: row.get("gross_cents")?,
            discount: row.get("discount_cents")?,
            net: row.get("net_cents")?,
            gst: row.get("gst_cents")?,
            qst: row.get("qst_cents")?,
            deposit: row.get("deposit_cents")?,
            total: row.get("total_cents")?,
            returned: units(row, "returned")?,
        })
    }
}

/// A count, which is never negative by constraint.
fn units(row: &Row<'_>, column: &str) -> Result<u32, DbError> {
    let count: i32 = row.get(column)?;
    u32::try_from(count).map_err(|err| DbError::Conversion(format!("column {column:?}: {err}")))
}

fn rate(row: &Row<'_>, column: &str) -> Result<TaxRate, DbError> {
    let thousandths: i32 = row.get(column)?;
    TaxRate::from_thousandths(i64::from(thousandths)).map_err(|err| DbError::Conversion(format!("{column}: {err}")))
}
