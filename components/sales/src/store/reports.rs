//! The SQL of what a session came to: sums of its rows.
//!
//! The session is locked, or the transaction sees one state of the database: so the sums are of the same rows.

use pricing::{Money, Tax, TaxGroup, TaxRate};
use sdk::{DbError, Executor, FromRow, Row, Tx, from_row, params};

use crate::domain::SessionId;
use crate::domain::report::{Drawer, MethodTotal, Report, Returned};

const DRAWER: &str = "
    select s.float_cents as opening_float,
        (select coalesce(sum(p.amount_cents), 0)::bigint
            from sales x
            join sale_payments p on p.sale_id = x.id
            where x.session_id = s.id and x.status = 'completed' and p.method = 'cash') as cash_payments,
        (select coalesce(sum(x.change_cents), 0)::bigint
            from sales x
            where x.session_id = s.id and x.status = 'completed') as change,
        (select coalesce(sum(m.amount_cents) filter (where m.kind = 'in'), 0)::bigint
            from cash_movements m where m.session_id = s.id) as cash_in,
        (select coalesce(sum(m.amount_cents) filter (where m.kind = 'out'), 0)::bigint
            from cash_movements m where m.session_id = s.id) as cash_out,
        (select coalesce(sum(f.amount_cents), 0)::bigint
            from returns r
            join return_refunds f on f.return_id = r.id
            where r.session_id = s.id and f.method = 'cash') as cash_refunds
    from sessions s
    where s.id = $1";

const SALES: &str = "
    select count(*) filter (where status = 'completed') as sales,
        count(*) filter (where status = 'voided') as voids,
        coalesce(sum(gross_cents) filter (where status = 'completed'), 0)::bigint as gross,
        coalesce(sum(discount_cents) filter (where status = 'completed'), 0)::bigint as discount,
        coalesce(sum(subtotal_cents) filter (where status = 'completed'), 0)::bigint as net,
        coalesce(sum(gst_cents) filter (where status = 'completed'), 0)::bigint as gst,
        coalesce(sum(qst_cents) filter (where status = 'completed'), 0)::bigint as qst,
        coalesce(sum(deposits_cents) filter (where status = 'completed'), 0)::bigint as deposits,
        coalesce(sum(total_cents) filter (where status = 'completed'), 0)::bigint as total,
        coalesce(sum(cash_rounding_cents) filter (where status = 'completed'), 0)::bigint as cash_rounding,
        coalesce(sum(payable_cents) filter (where status = 'completed'), 0)::bigint as payable,
        coalesce(sum(payable_cents) filter (where status = 'voided'), 0)::bigint as voided,
        (array_agg(number order by seq))[1] as first_number,
        (array_agg(number order by seq desc))[1] as last_number
    from sales
    where session_id = $1";

// A tax at a rate is rounded once for a sale, and its parts on the lines sum to that.
const TAXES: &str = "
    select t.tax, t.rate, sum(t.base)::bigint as base, sum(t.amount)::bigint as amount
    from sales s
    join sale_lines l on l.sale_id = s.id
    cross join lateral (
        values ('gst', l.gst_rate, l.net_cents, l.gst_cents), ('qst', l.qst_rate, l.net_cents, l.qst_cents)
    ) as t (tax, rate, base, amount)
    where s.session_id = $1 and s.status = 'completed' and t.rate > 0
    group by t.tax, t.rate
    order by t.tax, t.rate";

const PAYMENTS: &str = "
    select p.method, count(*) as count, sum(p.amount_cents)::bigint as amount
    from sales s
    join sale_payments p on p.sale_id = s.id
    where s.session_id = $1 and s.status = 'completed'
    group by p.method
    order by p.method";

const RETURNS: &str = "
    select count(*) as returns, coalesce(sum(net_cents), 0)::bigint as net,
        coalesce(sum(gst_cents), 0)::bigint as gst, coalesce(sum(qst_cents), 0)::bigint as qst,
        coalesce(sum(deposits_cents), 0)::bigint as deposits, coalesce(sum(total_cents), 0)::bigint as total,
        coalesce(sum(cash_rounding_cents), 0)::bigint as cash_rounding
    from returns
    where session_id = $1";

const REFUNDS: &str = "
    select f.method, count(*) as count, sum(f.amount_cents)::bigint as amount
    from returns r
    join return_refunds f on f.return_id = r.id
    where r.session_id = $1
    group by f.method
    order by f.method";

from_row!(Drawer { opening_float, cash_payments, change, cash_in, cash_out, cash_refunds });
from_row!(MethodTotal { method, count, amount });

struct Sums {
    sales: i64,
    voids: i64,
    gross: Money,
    discount: Money,
    net: Money,
    gst: Money,
    qst: Money,
    deposits: Money,
    total: Money,
    cash_rounding: Money,
    payable: Money,
    voided: Money,
    first_number: Option<String>,
    last_number: Option<String>,
}

from_row!(Sums {
    sales,
    voids,
    gross,
    discount,
    net,
    gst,
    qst,
    deposits,
    total,
    cash_rounding,
    payable,
    voided,
    first_number,
    last_number,
});

struct Group(TaxGroup);

impl FromRow for Group {
    fn from_row(row: &Row<'_>) -> Result<Group, DbError> {
        let (tax, rate): (String, i32) = (row.get("tax")?, row.get("rate")?);
        let rate = TaxRate::from_thousandths(i64::from(rate)).map_err(|err| DbError::Conversion(err.to_string()))?;
        let tax = if tax == "gst" { Tax::Gst } else { Tax::Qst };
        Ok(Group(TaxGroup { tax, rate, base: row.get("base")?, amount: row.get("amount")? }))
    }
}

struct Back {
    returns: i64,
    net: Money,
    gst: Money,
    qst: Money,
    deposits: Money,
    total: Money,
    cash_rounding: Money,
}

from_row!(Back { returns, net, gst, qst, deposits, total, cash_rounding });

/// The cash of the session.
pub async fn drawer(tx: &Tx, id: SessionId) -> Result<Drawer, DbError> {
    tx.query_one(DRAWER, params![id]).await
}

/// All that the session came to.
pub async fn report(tx: &Tx, id: SessionId) -> Result<Report, DbError> {
    let drawer = drawer(tx, id).await?;
    let sums: Sums = tx.query_one(SALES, params![id]).await?;
    let taxes: Vec<Group> = tx.query(TAXES, params![id]).await?;
    let payments = tx.query(PAYMENTS, params![id]).await?;
    let Back { returns, net, gst, qst, deposits, total, cash_rounding } = tx.query_one(RETURNS, params![id]).await?;
    let refunds = tx.query(REFUNDS, params![id]).await?;
    let expected = drawer.expected().map_err(|err| DbError::Unexpected(err.to_string()))?;
    Ok(Report {
        sales: sums.sales,
        voids: sums.voids,
        returns,
        gross: sums.gross,
        discount: sums.discount,
        net: sums.net,
        gst: sums.gst,
        qst: sums.qst,
        taxes: taxes.into_iter().map(|Group(group)| group).collect(),
        deposits: sums.deposits,
        total: sums.total,
        cash_rounding: sums.cash_rounding,
        payable: sums.payable,
        voided: sums.voided,
        returned: Returned { net, gst, qst, deposits, total, cash_rounding },
        payments,
        change: drawer.change,
        refunds,
        opening_float: drawer.opening_float,
        cash_in: drawer.cash_in,
        cash_out: drawer.cash_out,
        expected_cash: expected,
        first_number: sums.first_number,
        last_number: sums.last_number,
    })
}
