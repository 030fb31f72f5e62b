//! The SQL of returns: what came back, and what was paid back for it.

use std::collections::BTreeMap;

use sdk::{DbError, Executor, FromRow, Row, Tx, from_row, params};
use serde_json::json;

use super::rows;
use crate::domain::returning::{Back, Refunded, Return};
use crate::domain::{ReturnId, SaleId};

// One statement for all that a return is.
const INSERT: &str = "
    with back as (
        insert into returns (id, sale_id, register_id, store_id, session_id, seq, number, cashier, reason,
            net_cents, gst_cents, qst_cents, deposits_cents, total_cents, cash_rounding_cents, actor, returned_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        returning id, sale_id
    ), lines as (
        insert into return_lines (return_id, position, sale_id, line, quantity, disposition, net_cents, gst_cents,
            qst_cents, deposit_cents, total_cents)
        select b.id, l.position, b.sale_id, l.line, l.quantity, l.disposition, l.net, l.gst, l.qst, l.deposit, l.total
        from back b
        cross join jsonb_to_recordset($18::jsonb) as l (position integer, line integer, quantity integer,
            disposition text, net bigint, gst bigint, qst bigint, deposit bigint, total bigint)
    )
    insert into return_refunds (return_id, position, sale_id, method, amount_cents)
    select b.id, f.position, b.sale_id, f.method, f.amount
    from back b
    cross join jsonb_to_recordset($19::jsonb) as f (position integer, method text, amount bigint)";

const READ: &str = "
    select id, sale_id, register_id, store_id, session_id, seq, number, cashier, reason, net_cents, gst_cents,
        qst_cents, deposits_cents, total_cents, cash_rounding_cents, actor, returned_at
    from returns
    where sale_id = $1
    order by place";

const READ_LINES: &str = "
    select r.return_id, r.line, l.product_id, r.quantity, r.disposition, r.net_cents, r.gst_cents, r.qst_cents,
        r.deposit_cents, r.total_cents
    from return_lines r
    join sale_lines l on l.sale_id = r.sale_id and l.line = r.line
    where r.sale_id = $1
    order by r.return_id, r.position";

const READ_REFUNDS: &str = "
    select return_id, method, amount_cents from return_refunds where sale_id = $1 order by return_id, position";

const PAID_BACK: &str = "
    select method, sum(amount_cents)::bigint as amount from return_refunds where sale_id = $1 group by method";

/// Records a return. The sale and the register are locked.
pub async fn insert(tx: &Tx, back: &Return) -> Result<(), DbError> {
    let params = params![
        back.id,
        back.sale_id,
        back.register_id,
        back.store_id,
        back.session_id,
        back.seq,
        back.number.as_str(),
        back.cashier.as_str(),
        back.reason.as_deref(),
        back.net,
        back.gst,
        back.qst,
        back.deposits,
        back.total,
        back.cash_rounding,
        back.actor.as_str(),
        back.returned_at,
        rows(back.lines.iter().zip(1..).map(line_row)),
        rows(back.refunds.iter().zip(1..).map(refund_row)),
    ];
    tx.execute(INSERT, params).await.map(|_| ())
}

/// The returns of a sale, in the order of their making.
pub async fn read(db: &impl Executor, sale: SaleId) -> Result<Vec<Return>, DbError> {
    let returns: Vec<Return> = db.query(READ, params![sale]).await?;
    let mut lines: BTreeMap<ReturnId, Vec<Back>> = BTreeMap::new();
    for Of(id, back) in db.query(READ_LINES, params![sale]).await? {
        lines.entry(id).or_default().push(back);
    }
    let mut refunds: BTreeMap<ReturnId, Vec<Refunded>> = BTreeMap::new();
    for Of(id, refund) in db.query(READ_REFUNDS, params![sale]).await? {
        refunds.entry(id).or_default().push(refund);
    }
    let whole = |back: Return| Return {
        lines: lines.remove(&back.id).unwrap_or_default(),
        refunds: refunds.remove(&back.id).unwrap_or_default(),
        ..back
    };
    Ok(returns.into_iter().map(whole).collect())
}

/// What was paid back of a sale so far, by means. The sale is locked.
pub async fn paid_back(tx: &Tx, sale: SaleId) -> Result<Vec<Refunded>, DbError> {
    tx.query(PAID_BACK, params![sale]).await
}

fn line_row((back, position): (&Back, i32)) -> serde_json::Value {
    json!({
        "position": position, "line": back.line, "quantity": back.quantity, "disposition": back.disposition,
        "net": back.net.cents(), "gst": back.gst.cents(), "qst": back.qst.cents(), "deposit": back.deposit.cents(),
        "total": back.total.cents(),
    })
}

fn refund_row((refund, position): (&Refunded, i32)) -> serde_json::Value {
    json!({"position": position, "method": refund.method, "amount": refund.amount.cents()})
}

from_row!(Refunded { method, amount });

/// Part of a return.
struct Of<T>(ReturnId, T);

impl FromRow for Of<Back> {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        let back = Back {
            line: row.get("line")?,
            product_id: row.get("product_id")?,
            quantity: row.get("quantity")?,
            disposition: row.get("disposition")?,
            net: row.get("net_cents")?,
            gst: row.get("gst_cents")?,
            qst: row.get("qst_cents")?,
            deposit: row.get("deposit_cents")?,
            total: row.get("total_cents")?,
        };
        Ok(Of(row.get("return_id")?, back))
    }
}

impl FromRow for Of<Refunded> {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Of(row.get("return_id")?, Refunded { method: row.get("method")?, amount: row.get("amount_cents")? }))
    }
}

impl FromRow for Return {
    fn from_row(row: &Row<'_>) -> Result<Return, DbError> {
        Ok(Return {
            id: row.get("id")?,
            sale_id: row.get("sale_id")?,
            register_id: row.get("register_id")?,
            store_id: row.get("store_id")?,
            session_id: row.get("session_id")?,
            seq: row.get("seq")?,
            number: row.get("number")?,
            cashier: row.get("cashier")?,
            reason: row.get("reason")?,
            lines: Vec::new(),
            net: row.get("net_cents")?,
            gst: row.get("gst_cents")?,
            qst: row.get("qst_cents")?,
            deposits: row.get("deposits_cents")?,
            total: row.get("total_cents")?,
            cash_rounding: row.get("cash_rounding_cents")?,
            refunds: Vec::new(),
            actor: row.get("actor")?,
            returned_at: row.get("returned_at")?,
        })
    }
}
