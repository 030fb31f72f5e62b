//! The rows of a page: a statement for each table that has any, whatever their number. Facts that are there stay as
//! they are; a state gives way to a later one, as a whole, so that it is the same however events came by pages.

use sdk::{DbError, Executor, Tx, params};
use serde::Serialize;

use super::tracks::json;
use crate::domain::Epoch;
use crate::domain::rows::Rows;

const PRODUCTS: &str = "
    insert into products (epoch, product_id, version, sku, name, category, status)
    select $1, r.* from jsonb_to_recordset($2) as r (
        product_id bigint, version bigint, sku text, name text, category text, status text
    )
    order by r.product_id
    on conflict on constraint products_pkey do update
    set version = excluded.version, sku = excluded.sku, name = excluded.name, category = excluded.category,
        status = excluded.status
    where products.version < excluded.version";

const STOCK: &str = "
    insert into stock (epoch, location_id, product_id, version, on_hand, reserved, in_transit, level)
    select $1, r.* from jsonb_to_recordset($2) as r (
        location_id bigint, product_id bigint, version bigint, on_hand bigint, reserved bigint, in_transit bigint,
        level text
    )
    order by r.location_id, r.product_id
    on conflict on constraint stock_pkey do update
    set version = excluded.version, on_hand = excluded.on_hand, reserved = excluded.reserved,
        in_transit = excluded.in_transit, level = excluded.level
    where stock.version < excluded.version";

const MOVEMENTS: &str = "
    insert into movements (epoch, location_id, product_id, version, kind, delta, reference, occurred_at)
    select $1, r.* from jsonb_to_recordset($2) as r (
        location_id bigint, product_id bigint, version bigint, kind text, delta bigint, reference text,
        occurred_at timestamptz
    )
    on conflict on constraint movements_pkey do nothing";

const RESERVATIONS: &str = "
    insert into reservations (epoch, reservation_id, version, status, changed_at)
    select $1, r.* from jsonb_to_recordset($2) as r (
        reservation_id uuid, version bigint, status text, changed_at timestamptz
    )
    order by r.reservation_id
    on conflict on constraint reservations_pkey do update
    set version = excluded.version, status = excluded.status, changed_at = excluded.changed_at
    where reservations.version < excluded.version";

const RESERVATION_LINES: &str = "
    insert into reservation_lines (epoch, reservation_id, line, location_id, product_id, quantity)
    select $1, r.* from jsonb_to_recordset($2) as r (
        reservation_id uuid, line bigint, location_id bigint, product_id bigint, quantity bigint
    )
    on conflict on constraint reservation_lines_pkey do nothing";

const CHECKOUTS: &str = "
    insert into checkouts (epoch, checkout_id, version, state, order_id, reservation_id, expected_cents, total_cents,
        created_at, ended_at)
    select $1, r.* from jsonb_to_recordset($2) as r (
        checkout_id uuid, version bigint, state text, order_id uuid, reservation_id uuid, expected_cents bigint,
        total_cents bigint, created_at timestamptz, ended_at timestamptz
    )
    order by r.checkout_id
    on conflict on constraint checkouts_pkey do update
    set version = excluded.version, state = excluded.state, order_id = excluded.order_id,
        reservation_id = excluded.reservation_id, expected_cents = excluded.expected_cents,
        total_cents = excluded.total_cents, created_at = excluded.created_at, ended_at = excluded.ended_at
    where checkouts.version < excluded.version";

const ORDERS: &str = "
    insert into orders (epoch, order_id, version, number, status, payment_status, checkout_id, created_at,
        confirmed_at, changed_at, total_cents, captured_cents, refunded_cents)
    select $1, r.* from jsonb_to_recordset($2) as r (
        order_id uuid, version bigint, number text, status text, payment_status text, checkout_id uuid,
        created_at timestamptz, confirmed_at timestamptz, changed_at timestamptz, total_cents bigint,
        captured_cents bigint, refunded_cents bigint
    )
    order by r.order_id
    on conflict on constraint orders_pkey do update
    set version = excluded.version, number = excluded.number, status = excluded.status,
        payment_status = excluded.payment_status, checkout_id = excluded.checkout_id,
        created_at = excluded.created_at, confirmed_at = excluded.confirmed_at, changed_at = excluded.changed_at,
        total_cents = excluded.total_cents, captured_cents = excluded.captured_cents,
        refunded_cents = excluded.refunded_cents
    where orders.version < excluded.version";

const SALES: &str = "
    insert into sales (epoch, sale_id, version, number, channel, status, order_id, recorded_at, total_cents,
        refunded_cents)
    select $1, r.* from jsonb_to_recordset($2) as r (
        sale_id uuid, version bigint, number text, channel text, status text, order_id uuid,
        recorded_at timestamptz, total_cents bigint, refunded_cents bigint
    )
    order by r.sale_id
    on conflict on constraint sales_pkey do update
    set version = excluded.version, number = excluded.number, channel = excluded.channel, status = excluded.status,
        order_id = excluded.order_id, recorded_at = excluded.recorded_at, total_cents = excluded.total_cents,
        refunded_cents = excluded.refunded_cents
    where sales.version < excluded.version";

const STORES: &str = "
    insert into stores (epoch, store_id)
    select $1, s.id from unnest($2::bigint[]) as s (id)
    order by s.id
    on conflict on constraint stores_pkey do nothing";

// Days of 23 and of 25 hours are PostgreSQL's to know; what begins an hour is an instant, so the hour that comes
// twice in autumn is two.
const DOCUMENTS: &str = "
    insert into documents (epoch, kind, document, origin, at, day, hour, store_id, channel, cashier, goods,
        gross_cents, discount_cents, net_cents, gst_cents, qst_cents, deposit_cents, total_cents, rounding_cents)
    select $1, r.kind, r.document, r.origin, r.at, (r.at at time zone 'America/Toronto')::date,
        date_trunc('hour', r.at, 'America/Toronto'), r.store_id, r.channel, r.cashier, r.goods,
        r.gross_cents, r.discount_cents, r.net_cents, r.gst_cents, r.qst_cents, r.deposit_cents, r.total_cents,
        r.rounding_cents
    from jsonb_to_recordset($2) as r (
        kind text, document uuid, origin uuid, at timestamptz, store_id bigint, channel text, cashier text,
        goods text, gross_cents bigint, discount_cents bigint, net_cents bigint, gst_cents bigint, qst_cents bigint,
        deposit_cents bigint, total_cents bigint, rounding_cents bigint
    )
    on conflict on constraint documents_pkey do nothing";

const ENTRIES: &str = "
    insert into entries (epoch, kind, document, line, day, hour, store_id, channel, cashier, product_id, quantity,
        gross_cents, discount_cents, net_cents, gst_rate, qst_rate, gst_cents, qst_cents, deposit_cents, total_cents)
    select $1, r.kind, r.document, r.line, (r.at at time zone 'America/Toronto')::date,
        date_trunc('hour', r.at, 'America/Toronto'), r.store_id, r.channel, r.cashier, r.product_id, r.quantity,
        r.gross_cents, r.discount_cents, r.net_cents, r.gst_rate, r.qst_rate, r.gst_cents, r.qst_cents,
        r.deposit_cents, r.total_cents
    from jsonb_to_recordset($2) as r (
        kind text, document uuid, at timestamptz, line integer, store_id bigint, channel text, cashier text,
        product_id bigint, quantity bigint, gross_cents bigint, discount_cents bigint, net_cents bigint,
        gst_rate integer, qst_rate integer, gst_cents bigint, qst_cents bigint, deposit_cents bigint,
        total_cents bigint
    )
    on conflict on constraint entries_pkey do nothing";

const TENDERS: &str = "
    insert into tenders (epoch, kind, document, method, day, hour, store_id, channel, cashier, amount_cents)
    select $1, r.kind, r.document, r.method, (r.at at time zone 'America/Toronto')::date,
        date_trunc('hour', r.at, 'America/Toronto'), r.store_id, r.channel, r.cashier, r.amount_cents
    from jsonb_to_recordset($2) as r (
        kind text, document uuid, at timestamptz, method text, store_id bigint, channel text, cashier text,
        amount_cents bigint
    )
    on conflict on constraint tenders_pkey do nothing";

/// Writes the rows of a page.
pub async fn insert(tx: &Tx, epoch: Epoch, rows: &Rows) -> Result<(), DbError> {
    write(tx, epoch, PRODUCTS, rows.products.values()).await?;
    write(tx, epoch, STOCK, rows.stock.values()).await?;
    write(tx, epoch, MOVEMENTS, rows.movements.iter()).await?;
    write(tx, epoch, RESERVATIONS, rows.reservations.values()).await?;
    write(tx, epoch, RESERVATION_LINES, rows.reservation_lines.iter()).await?;
    write(tx, epoch, CHECKOUTS, rows.checkouts.values()).await?;
    write(tx, epoch, ORDERS, rows.orders.values()).await?;
    write(tx, epoch, SALES, rows.sales.values()).await?;
    write(tx, epoch, DOCUMENTS, rows.documents.iter()).await?;
    write(tx, epoch, ENTRIES, rows.entries.iter()).await?;
    write(tx, epoch, TENDERS, rows.tenders.iter()).await?;
    if !rows.stores.is_empty() {
        tx.execute(STORES, params![epoch, rows.stores.iter().copied().collect::<Vec<i64>>()]).await?;
    }
    Ok(())
}

async fn write<R: Serialize>(
    tx: &Tx,
    epoch: Epoch,
    statement: &'static str,
    rows: impl ExactSizeIterator<Item = R>,
) -> Result<(), DbError> {
    if rows.len() == 0 {
        return Ok(());
    }
    let rows: Vec<R> = rows.collect();
    tx.execute(statement, params![epoch, json(&rows)?]).await.map(|_| ())
}
