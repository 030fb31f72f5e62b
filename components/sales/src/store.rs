//! The SQL of sales, their lines and payments: recorded once, read, and what becomes of them afterwards.
//!
//! Owns the locking protocol: the session first, the sale next, the register last (see the migration). Registers
//! are in `store/registers.rs`, sessions and cash in `store/sessions.rs`, what they come to in `store/reports.rs`,
//! returns in `store/returns.rs`, lists in `store/list.rs`, what inventory is to be told in `store/effects.rs`.
//! Decides nothing.

pub mod effects;
pub mod list;
pub mod registers;
pub mod reports;
pub mod returns;
pub mod sessions;

use jiff::Timestamp;
use pricing::{TaxRate, TaxRates};
use sdk::idempotency::Claim;
use sdk::{DbError, Executor, FromRow, Row, Tx, Value, from_row, params};
use serde_json::json;

use crate::domain::sale::{Dossier, Line, Payment, Sale, Totals};
use crate::domain::{OrderId, SaleId};

/// The columns of a [`Sale`].
macro_rules! columns {
    () => {
        "id, register_id, store_id, session_id, seq, number, channel, status, cashier, customer_id, order_id,
         checkout_id, payment_id, offline, price_differs, gross_cents, discount_cents, subtotal_cents, gst_cents,
         qst_cents, deposits_cents, total_cents, cash_rounding_cents, payable_cents, change_cents, refunded_cents,
         version, sold_at, recorded_at, recorded_by, voided_at, voided_by, void_reason"
    };
}

const GET: &str = concat!("select ", columns!(), " from sales where id = $1");

const LOCK: &str = concat!("select ", columns!(), " from sales where id = $1 for no key update");

const BY_ID: &str = concat!("select request, ", columns!(), " from sales where id = $1");

const BY_ORDER: &str = concat!("select request, ", columns!(), " from sales where order_id = $1");

const BY_KEY: &str = concat!("select request, ", columns!(), " from sales where principal = $1 and key = $2");

const LINES: &str = "
    select line, product_id, sku, name, quantity, unit_price_cents, list_unit_price_cents, unit_deposit_cents,
        tax_category, gst_rate, qst_rate, gross_cents, discount_cents, net_cents, gst_cents, qst_cents,
        deposit_cents, total_cents, returned
    from sale_lines
    where sale_id = $1
    order by line";

const PAYMENTS: &str = "
    select method, amount_cents as amount, reference from sale_payments where sale_id = $1 order by position";

// One statement for all that a sale is.
const INSERT: &str = "
    with sold as (
        insert into sales (id, register_id, store_id, session_id, seq, number, channel, cashier, customer_id,
            order_id, checkout_id, payment_id, offline, price_differs, gross_cents, discount_cents, subtotal_cents,
            gst_cents, qst_cents, deposits_cents, total_cents, cash_rounding_cents, payable_cents, change_cents,
            sold_at, recorded_at, recorded_by, request, principal, key)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23, $24, $25, $26, $27, $28, $29, $30)
        returning id
    ), lines as (
        insert into sale_lines (sale_id, line, product_id, sku, name, quantity, unit_price_cents,
            list_unit_price_cents, unit_deposit_cents, tax_category, gst_rate, qst_rate, gross_cents,
            discount_cents, net_cents, gst_cents, qst_cents, deposit_cents, total_cents)
        select s.id, l.line, l.product_id, l.sku, l.name, l.quantity, l.unit_price, l.list_unit_price,
            l.unit_deposit, l.tax_category, l.gst_rate, l.qst_rate, l.gross, l.discount, l.net, l.gst, l.qst,
            l.deposit, l.total
        from sold s
        cross join jsonb_to_recordset($31::jsonb) as l (line integer, product_id bigint, sku text, name text,
            quantity integer, unit_price bigint, list_unit_price bigint, unit_deposit bigint, tax_category text,
            gst_rate integer, qst_rate integer, gross bigint, discount bigint, net bigint, gst bigint, qst bigint,
            deposit bigint, total bigint)
    )
    insert into sale_payments (sale_id, position, method, amount_cents, reference)
    select s.id, p.position, p.method, p.amount, p.reference
    from sold s
    cross join jsonb_to_recordset($32::jsonb) as p (position integer, method text, amount bigint, reference text)";

const UPDATE: &str = "
    update sales
    set status = $2, refunded_cents = $3, version = $4, voided_at = $5, voided_by = $6, void_reason = $7
    where id = $1";

const COUNT_RETURNED: &str = "
    update sale_lines l
    set returned = r.returned::integer
    from unnest($2::bigint[], $3::bigint[]) as r (line, returned)
    where l.sale_id = $1 and l.line = r.line and l.returned <> r.returned";

/// What tells a sale from others before it is one.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    Id(SaleId),
    Order(OrderId),
    Claim(&'a Claim),
}

/// What was asked for with a sale, besides what it is.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub request: serde_json::Value,
    pub claim: Option<&'a Claim>,
}

/// The sale, its lines and its payments.
pub async fn get(db: &impl Executor, id: SaleId) -> Result<Option<Dossier>, DbError> {
    let sale: Option<Sale> = db.query_opt(GET, params![id]).await?;
    dossier(db, sale).await
}

/// The sale alone.
pub async fn get_sale(db: &impl Executor, id: SaleId) -> Result<Option<Sale>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// Locks the sale until the transaction ends. The session in which it is changed is locked already.
pub async fn lock(tx: &Tx, id: SaleId) -> Result<Option<Dossier>, DbError> {
    let sale: Option<Sale> = tx.query_opt(LOCK, params![id]).await?;
    dossier(tx, sale).await
}

/// The sale that was recorded before, and what was asked for with it.
pub async fn find(db: &impl Executor, key: Key<'_>) -> Result<Option<(Dossier, serde_json::Value)>, DbError> {
    let (sql, params) = match key {
        Key::Id(id) => (BY_ID, params![id]),
        Key::Order(id) => (BY_ORDER, params![id]),
        Key::Claim(claim) => (BY_KEY, params![claim.principal.as_str(), claim.key.as_str()]),
    };
    let Some(Before(sale, request)) = db.query_opt(sql, params).await? else {
        return Ok(None);
    };
    Ok(dossier(db, Some(sale)).await?.map(|dossier| (dossier, request)))
}

async fn dossier(db: &impl Executor, sale: Option<Sale>) -> Result<Option<Dossier>, DbError> {
    let Some(sale) = sale else {
        return Ok(None);
    };
    let lines = db.query(LINES, params![sale.id]).await?;
    let payments = db.query(PAYMENTS, params![sale.id]).await?;
    Ok(Some(Dossier { sale, lines, payments }))
}

/// Records a sale. One of that id, of that order or with that key violates `sales_pkey`, `sales_order_id_key` or
/// `sales_key_key`.
pub async fn insert(tx: &Tx, dossier: &Dossier, asked: &Asked<'_>) -> Result<(), DbError> {
    let Dossier { sale, lines, payments } = dossier;
    let Totals { gross, discount, subtotal, gst, qst, deposits, total } = sale.totals;
    let params = params![
        sale.id,
        sale.register_id,
        sale.store_id,
        sale.session_id,
        sale.seq,
        sale.number.as_str(),
        sale.channel,
        sale.cashier.as_deref(),
        sale.customer_id,
        sale.order_id,
        sale.checkout_id,
        sale.payment_id,
        sale.offline,
        sale.price_differs,
        gross,
        discount,
        subtotal,
        gst,
        qst,
        deposits,
        total,
        sale.cash_rounding,
        sale.payable,
        sale.change,
        sale.sold_at,
        sale.recorded_at,
        sale.recorded_by.as_str(),
        asked.request.clone(),
        asked.claim.map(|claim| claim.principal.as_str()),
        asked.claim.map(|claim| claim.key.as_str()),
        rows(lines.iter().map(line_row)),
        rows(payments.iter().zip(1..).map(payment_row)),
    ];
    tx.execute(INSERT, params).await.map(|_| ())
}

/// What became of it: called off, or some of it came back. The sale is locked.
pub async fn update(tx: &Tx, sale: &Sale) -> Result<(), DbError> {
    let params = params![
        sale.id,
        sale.status,
        sale.refunded,
        sale.version,
        sale.voided_at,
        sale.voided_by.as_deref(),
        sale.void_reason.as_deref(),
    ];
    tx.execute(UPDATE, params).await.map(|_| ())
}

/// What came back of each line. The sale is locked.
pub async fn count_returned(tx: &Tx, id: SaleId, lines: &[Line]) -> Result<(), DbError> {
    let numbers: Vec<i64> = lines.iter().map(|line| i64::from(line.line)).collect();
    let returned: Vec<i64> = lines.iter().map(|line| i64::from(line.returned)).collect();
    tx.execute(COUNT_RETURNED, params![id, numbers, returned]).await.map(|_| ())
}

/// Rows as one parameter.
fn rows(rows: impl Iterator<Item = serde_json::Value>) -> Value {
    Value::Json(serde_json::Value::Array(rows.collect()).to_string())
}

fn line_row(line: &Line) -> serde_json::Value {
    json!({
        "line": line.line, "product_id": line.product_id, "sku": line.sku, "name": line.name,
        "quantity": line.quantity, "unit_price": line.unit_price.cents(),
        "list_unit_price": line.list_unit_price.cents(), "unit_deposit": line.unit_deposit.cents(),
        "tax_category": line.tax_category, "gst_rate": line.rates.gst.thousandths(),
        "qst_rate": line.rates.qst.thousandths(), "gross": line.gross.cents(), "discount": line.discount.cents(),
        "net": line.net.cents(), "gst": line.gst.cents(), "qst": line.qst.cents(), "deposit": line.deposit.cents(),
        "total": line.total.cents(),
    })
}

fn payment_row((payment, position): (&Payment, i32)) -> serde_json::Value {
    json!({
        "position": position, "method": payment.method, "amount": payment.amount.cents(),
        "reference": payment.reference,
    })
}

/// A sale, and what was asked for with it.
struct Before(Sale, serde_json::Value);

impl FromRow for Before {
    fn from_row(row: &Row<'_>) -> Result<Before, DbError> {
        let request = row.get("request")?;
        Ok(Before(Sale::from_row(row)?, request))
    }
}

impl FromRow for Sale {
    fn from_row(row: &Row<'_>) -> Result<Sale, DbError> {
        Ok(Sale {
            id: row.get("id")?,
            register_id: row.get("register_id")?,
            store_id: row.get("store_id")?,
            session_id: row.get("session_id")?,
            seq: row.get("seq")?,
            number: row.get("number")?,
            channel: row.get("channel")?,
            status: row.get("status")?,
            cashier: row.get("cashier")?,
            customer_id: row.get("customer_id")?,
            order_id: row.get("order_id")?,
            checkout_id: row.get("checkout_id")?,
            payment_id: row.get("payment_id")?,
            offline: row.get("offline")?,
            price_differs: row.get("price_differs")?,
            totals: Totals {
                gross: row.get("gross_cents")?,
                discount: row.get("discount_cents")?,
                subtotal: row.get("subtotal_cents")?,
                gst: row.get("gst_cents")?,
                qst: row.get("qst_cents")?,
                deposits: row.get("deposits_cents")?,
                total: row.get("total_cents")?,
            },
            cash_rounding: row.get("cash_rounding_cents")?,
            payable: row.get("payable_cents")?,
            change: row.get("change_cents")?,
            refunded: row.get("refunded_cents")?,
            version: row.get("version")?,
            sold_at: row.get::<Timestamp>("sold_at")?,
            recorded_at: row.get("recorded_at")?,
            recorded_by: row.get("recorded_by")?,
            voided_at: row.get("voided_at")?,
            voided_by: row.get("voided_by")?,
            void_reason: row.get("void_reason")?,
        })
    }
}

impl FromRow for Line {
    fn from_row(row: &Row<'_>) -> Result<Line, DbError> {
        Ok(Line {
            line: row.get("line")?,
            product_id: row.get("product_id")?,
            sku: row.get("sku")?,
            name: row.get("name")?,
            quantity: row.get("quantity")?,
            unit_price: row.get("unit_price_cents")?,
            list_unit_price: row.get("list_unit_price_cents")?,
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
            returned: row.get("returned")?,
        })
    }
}

from_row!(Payment { method, amount, reference });

fn rate(row: &Row<'_>, column: &str) -> Result<TaxRate, DbError> {
    let thousandths: i32 = row.get(column)?;
    TaxRate::from_thousandths(i64::from(thousandths)).map_err(|err| DbError::Conversion(format!("{column}: {err}")))
}

/// A column of JSON that this service has written.
fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, DbError> {
    let value: Option<serde_json::Value> = row.get(column)?;
    let value = value.unwrap_or(serde_json::Value::Null);
    serde_json::from_value(value).map_err(|err| DbError::Conversion(format!("column {column:?}: {err}")))
}

fn written(value: &impl serde::Serialize) -> Result<serde_json::Value, DbError> {
    serde_json::to_value(value).map_err(|err| DbError::Unexpected(err.to_string()))
}
