//! Issues and receipts at the counter, and their lines.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use super::columns;
use crate::domain::{Condition, LocationId, OnShortage, Place, ProductId, VoucherKind};

// Another request that records the same one is waited for.
const INSERT: &str = "
    insert into vouchers (kind, reference, on_shortage, condition, recorded_by, recorded_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict on constraint vouchers_pkey do nothing";

const FIND: &str = "
    select on_shortage, condition, recorded_at from vouchers where kind = $1 and reference = $2";

const INSERT_LINES: &str = "
    insert into voucher_lines (kind, reference, line, location_id, product_id, quantity, moved)
    select $1, $2, l.line, l.location_id, l.product_id, l.quantity, l.moved
    from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
        as l (line, location_id, product_id, quantity, moved)";

const LINES: &str = "
    select line, location_id, product_id, quantity, moved
    from voucher_lines
    where kind = $1 and reference = $2
    order by line";

/// A voucher without its lines.
#[derive(Clone, Copy, Debug)]
pub struct Voucher {
    pub on_shortage: OnShortage,
    pub condition: Condition,
    pub recorded_at: Timestamp,
}

/// Units of a product, and how many of them the ledger shows.
#[derive(Clone, Copy, Debug)]
pub struct VoucherLine {
    pub line: i64,
    pub location_id: LocationId,
    pub product_id: ProductId,
    pub quantity: i64,
    pub moved: i64,
}

from_row!(Voucher { on_shortage, condition, recorded_at });
from_row!(VoucherLine { line, location_id, product_id, quantity, moved });

impl VoucherLine {
    pub const fn place(&self) -> Place {
        Place { location: self.location_id, product: self.product_id }
    }
}

/// Whether it is new.
pub async fn insert(
    db: &impl Executor,
    kind: VoucherKind,
    reference: &str,
    voucher: Voucher,
    recorded_by: &str,
) -> Result<bool, DbError> {
    let Voucher { on_shortage, condition, recorded_at } = voucher;
    let params = params![kind, reference, on_shortage, condition, recorded_by, recorded_at];
    Ok(db.execute(INSERT, params).await? == 1)
}

pub async fn insert_lines(
    db: &impl Executor,
    kind: VoucherKind,
    reference: &str,
    lines: &[VoucherLine],
) -> Result<(), DbError> {
    let (locations, products) = columns(lines.iter().map(VoucherLine::place));
    let column = |get: fn(&VoucherLine) -> i64| lines.iter().map(get).collect::<Vec<i64>>();
    let (numbers, quantities, moved) = (column(|l| l.line), column(|l| l.quantity), column(|l| l.moved));
    let params = params![kind, reference, numbers, locations, products, quantities, moved];
    db.execute(INSERT_LINES, params).await?;
    Ok(())
}

pub async fn find(db: &impl Executor, kind: VoucherKind, reference: &str) -> Result<Voucher, DbError> {
    db.query_one(FIND, params![kind, reference]).await
}

pub async fn lines(db: &impl Executor, kind: VoucherKind, reference: &str) -> Result<Vec<VoucherLine>, DbError> {
    db.query(LINES, params![kind, reference]).await
}
