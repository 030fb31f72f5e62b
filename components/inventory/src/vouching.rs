//! Vouchers: what the counter of a store sold (issues) and took back (receipts), as the service of sales
//! tells of it, once for each reference. What is brought back damaged comes and goes in one transaction, with a
//! movement for each.
//!
//! The goods are gone or back already. A till that was offline may have sold what the ledger does not
//! have: then as much as there is moves, and the rest is recorded as a discrepancy.

use sdk::outbox::{Event, publish};
use sdk::{Context, Problem, Result, Tx};
use serde::Serialize;

use crate::domain::lines::Lines;
use crate::domain::{
    Change, Condition, DiscrepancyKind, Kind, LocationId, Made, OnShortage, Place, ProductId, VoucherKind,
};
use crate::ledger::{self, Locked, Refused};
use crate::store::discrepancies::{self, Discrepancy, Missing};
use crate::store::stock::Cause;
use crate::store::vouchers::{self, Voucher, VoucherLine};

/// A voucher as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub voucher: Voucher,
    pub lines: Vec<VoucherLine>,
    pub made: Made,
}

/// What is to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewVoucher<'a> {
    pub kind: VoucherKind,
    /// The client's name for it, without the kind.
    pub reference: &'a str,
    pub on_shortage: OnShortage,
    /// Of what is brought back.
    pub condition: Condition,
    pub lines: &'a Lines,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    id: i64,
    kind: DiscrepancyKind,
    location_id: LocationId,
    product_id: ProductId,
    quantity: i64,
    reference: &'a str,
}

impl NewVoucher<'_> {
    /// How much of a line moves, which is `missing` less than was sold.
    fn moved(&self, locked: &Locked, place: Place, quantity: i64) -> i64 {
        match (self.kind, self.on_shortage) {
            (VoucherKind::Issue, OnShortage::Record) => quantity.min(locked.holding(place).available()),
            (VoucherKind::Issue, OnShortage::Refuse) | (VoucherKind::Receipt, _) => quantity,
        }
    }

    fn change(&self, line: &VoucherLine) -> Change {
        match self.kind {
            VoucherKind::Issue => Change::none(line.place(), Kind::Sale, line.line).on_hand(-line.moved),
            VoucherKind::Receipt => Change::none(line.place(), Kind::Return, line.line).on_hand(line.moved),
        }
    }
}

/// Moves what was sold or brought back.
///
/// # Errors
/// 409 `insufficient-stock` when that is to be refused; 409 `voucher-differs` when the reference stands
/// for something else.
pub async fn record(tx: &Tx, context: &Context, new: NewVoucher<'_>, actor: &str) -> Result<Recorded> {
    let now = context.clock.now();
    let voucher = Voucher { on_shortage: new.on_shortage, condition: new.condition, recorded_at: now };
    if !vouchers::insert(tx, new.kind, new.reference, voucher, actor).await? {
        return repeated(tx, new).await;
    }
    let lines = attempt(tx, context, new, actor).await.map_err(|refused| refused.about(new.lines))?;
    Ok(Recorded { voucher, lines, made: Made::Now })
}

async fn attempt(tx: &Tx, context: &Context, new: NewVoucher<'_>, actor: &str) -> Result<Vec<VoucherLine>, Refused> {
    let places: Vec<Place> = new.lines.iter().map(|line| line.place).collect();
    let locked = match new.kind {
        VoucherKind::Issue => ledger::lock(tx, &places).await?,
        VoucherKind::Receipt => ledger::lock_or_make(tx, context, &places).await?,
    };
    let lines: Vec<VoucherLine> = new
        .lines
        .iter()
        .map(|line| VoucherLine {
            line: line.number,
            location_id: line.place.location,
            product_id: line.place.product,
            quantity: line.amount,
            moved: new.moved(&locked, line.place, line.amount),
        })
        .collect();
    let changes: Vec<Change> = lines.iter().filter(|line| line.moved > 0).map(|line| new.change(line)).collect();
    let missing: Vec<Missing> = lines
        .iter()
        .filter(|line| line.moved < line.quantity)
        .map(|line| Missing { place: line.place(), line: line.line, quantity: line.quantity - line.moved })
        .collect();
    let reference = format!("{}/{}", new.kind.as_str(), new.reference);
    let cause = Cause { reference: Some(&reference), reason: None, actor, at: context.clock.now() };
    ledger::change(tx, context, &locked, &changes, cause, Vec::new()).await?;
    if new.condition == Condition::Damaged {
        write_off(tx, context, new, &lines, actor).await?;
    }
    vouchers::insert_lines(tx, new.kind, new.reference, &lines).await?;
    account_for(tx, context, DiscrepancyKind::SoldWithoutStock, &reference, &missing).await?;
    Ok(lines)
}

/// What has just come back goes at once. The rows are this transaction's, and are looked at anew: they have changed.
async fn write_off(
    tx: &Tx,
    context: &Context,
    new: NewVoucher<'_>,
    lines: &[VoucherLine],
    actor: &str,
) -> Result<(), Refused> {
    let places: Vec<Place> = lines.iter().map(VoucherLine::place).collect();
    let locked = ledger::lock(tx, &places).await?;
    let gone = |line: &VoucherLine| Change::none(line.place(), Kind::Adjustment, line.line).on_hand(-line.moved);
    let changes: Vec<Change> = lines.iter().map(gone).collect();
    let reference = format!("write-off/{}", new.reference);
    let reason = Some("damage: brought back");
    let cause = Cause { reference: Some(&reference), reason, actor, at: context.clock.now() };
    ledger::change(tx, context, &locked, &changes, cause, Vec::new()).await?;
    Ok(())
}

async fn repeated(tx: &Tx, new: NewVoucher<'_>) -> Result<Recorded> {
    let voucher = vouchers::find(tx, new.kind, new.reference).await?;
    let lines = vouchers::lines(tx, new.kind, new.reference).await?;
    let asked = new.lines.iter().map(|line| (line.place, line.amount));
    let same = lines.iter().map(|line| (line.place(), line.quantity)).eq(asked);
    if !same || (voucher.on_shortage, voucher.condition) != (new.on_shortage, new.condition) {
        return Err(Problem::conflict("voucher-differs").detail("this reference was recorded before, with other lines"));
    }
    Ok(Recorded { voucher, lines, made: Made::Before })
}

/// Records units that are missing, and tells of them.
///
/// # Errors
/// When the database says no.
pub async fn account_for(
    tx: &Tx,
    context: &Context,
    kind: DiscrepancyKind,
    reference: &str,
    missing: &[Missing],
) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let recorded = discrepancies::record(tx, kind, reference, missing, context.clock.now()).await?;
    let events: Result<Vec<Event>> = recorded.iter().map(event).collect();
    publish(tx, context, events?).await?;
    Ok(())
}

fn event(discrepancy: &Discrepancy) -> Result<Event> {
    let payload = Told {
        id: discrepancy.id,
        kind: discrepancy.kind,
        location_id: discrepancy.location_id,
        product_id: discrepancy.product_id,
        quantity: discrepancy.quantity,
        reference: &discrepancy.reference,
    };
    Event::new("discrepancy.recorded", format!("discrepancy/{}", discrepancy.id), 1, &payload)
}
