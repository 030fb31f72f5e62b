//! The SQL of refunds and of what came back of each line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, Tx, params};

use crate::domain::refund::{Refund, RefundLine};
use crate::domain::{OrderId, RefundId};

const INSERT: &str = "
    insert into refunds (id, order_id, goods, reason, net_cents, gst_cents, qst_cents, deposit_cents,
        total_cents, actor, created_at, settled_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

// What came back is counted on the line as well: there a constraint keeps it within what was sold.
const INSERT_LINES: &str = "
    with back as (
        insert into refund_lines (refund_id, order_id, line, quantity, net_cents, gst_cents, qst_cents,
            deposit_cents, total_cents)
        select $1, $2, line::integer, quantity::integer, net, gst, qst, deposit, total
        from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                $9::bigint[])
            as l (line, quantity, net, gst, qst, deposit, total)
        returning line, quantity
    )
    update order_lines l set returned = l.returned + back.quantity
    from back
    where l.order_id = $2 and l.line = back.line";

const READ: &str = "
    select id, goods, reason, net_cents, gst_cents, qst_cents, deposit_cents, total_cents, actor, created_at,
        settled_at
    from refunds
    where order_id = $1
    order by seq";

const READ_LINES: &str = "
    select r.refund_id, r.line, l.product_id, r.quantity, r.net_cents, r.gst_cents, r.qst_cents,
        r.deposit_cents, r.total_cents
    from refund_lines r
    join order_lines l on l.order_id = r.order_id and l.line = r.line
    where r.order_id = $1
    order by r.refund_id, r.line";

const SETTLE: &str = "
    update refunds set settled_at = coalesce(settled_at, $3) where id = $2 and order_id = $1 returning id";

/// A refund that was decided. The order is locked.
pub async fn insert(tx: &Tx, order: OrderId, refund: &Refund) -> Result<(), DbError> {
    let params = params![
        refund.id,
        order,
        refund.goods,
        refund.reason.as_deref(),
        refund.net,
        refund.gst,
        refund.qst,
        refund.deposit,
        refund.total,
        refund.actor.as_str(),
        refund.created_at,
        refund.settled_at,
    ];
    tx.execute(INSERT, params).await?;
    let int = |column: fn(&RefundLine) -> i64| -> Vec<i64> { refund.lines.iter().map(column).collect() };
    let params = params![
        refund.id,
        order,
        int(|l| i64::from(l.line)),
        int(|l| i64::from(l.quantity)),
        int(|l| l.net.cents()),
        int(|l| l.gst.cents()),
        int(|l| l.qst.cents()),
        int(|l| l.deposit.cents()),
        int(|l| l.total.cents()),
    ];
    tx.execute(INSERT_LINES, params).await.map(|_| ())
}

/// The refunds of an order, in the order of their making.
pub async fn read(db: &impl Executor, order: OrderId) -> Result<Vec<Refund>, DbError> {
    let refunds: Vec<Refund> = db.query(READ, params![order]).await?;
    let lines: Vec<Back> = db.query(READ_LINES, params![order]).await?;
    let mut by_refund: BTreeMap<RefundId, Vec<RefundLine>> = BTreeMap::new();
    for Back(refund, line) in lines {
        by_refund.entry(refund).or_default().push(line);
    }
    let with_lines = |refund: Refund| Refund { lines: by_refund.remove(&refund.id).unwrap_or_default(), ..refund };
    Ok(refunds.into_iter().map(with_lines).collect())
}

/// The money went back. False when the order has no such refund.
pub async fn settle(tx: &Tx, order: OrderId, refund: RefundId, now: Timestamp) -> Result<bool, DbError> {
    let settled: Option<(RefundId,)> = tx.query_opt(SETTLE, params![order, refund, now]).await?;
    Ok(settled.is_some())
}

impl FromRow for Refund {
    fn from_row(row: &Row<'_>) -> Result<Refund, DbError> {
        Ok(Refund {
            id: row.get("id")?,
            goods: row.get("goods")?,
            reason: row.get("reason")?,
            lines: Vec::new(),
            net: row.get("net_cents")?,
            gst: row.get("gst_cents")?,
            qst: row.get("qst_cents")?,
            deposit: row.get("deposit_cents")?,
            total: row.get("total_cents")?,
            actor: row.get("actor")?,
            created_at: row.get("created_at")?,
            settled_at: row.get("settled_at")?,
        })
    }
}

struct Back(RefundId, RefundLine);

impl FromRow for Back {
    fn from_row(row: &Row<'_>) -> Result<Back, DbError> {
        let line = RefundLine {
            line: row.get("line")?,
            product_id: row.get("product_id")?,
            quantity: super::units(row, "quantity")?,
            net: row.get("net_cents")?,
            gst: row.get("gst_cents")?,
            qst: row.get("qst_cents")?,
            deposit: row.get("deposit_cents")?,
            total: row.get("total_cents")?,
        };
        Ok(Back(row.get("refund_id")?, line))
    }
}
