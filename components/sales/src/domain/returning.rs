//! What comes back, what it is worth, and how that is paid back.
//!
//! What it is worth is [`pricing::refund`]'s: a cumulative difference, so that a full return is worth exactly what
//! the sale came to, in however many steps. What is paid back is cumulative as well: each return pays what all
//! returns are worth so far, less what was paid back before, and the last one what is left of what was paid, cash
//! rounding included. So no step hands a rounding on to the customer twice, and to the means that a sale was paid
//! with goes exactly what came from them.

use jiff::Timestamp;
use pricing::{Money, MoneyError, RefundError, round_cash};

use super::sale::{Dossier, Line, Sale};
use super::{
    Channel, Disposition, LocationId, Method, ProductId, RETURN_WITHIN, RegisterId, ReturnId, SaleId, SessionId,
    Status, Tender,
};

sdk::text_enum!(
    /// Where the money goes.
    RefundTo {
        /// To the means that the sale was paid with: first what was no cash.
        Original = "original",
        /// Out of the drawer, rounded to five cents.
        Cash = "cash",
    }
);

/// Units of a line that come back in one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub line: i32,
    pub quantity: u32,
    pub disposition: Disposition,
}

/// A return as it is recorded, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    pub id: ReturnId,
    pub sale_id: SaleId,
    /// Where it came back.
    pub register_id: RegisterId,
    pub store_id: LocationId,
    pub session_id: SessionId,
    pub seq: i64,
    pub number: String,
    pub cashier: String,
    pub reason: Option<String>,
    pub lines: Vec<Back>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    /// What is paid back less the total.
    pub cash_rounding: Money,
    pub refunds: Vec<Refunded>,
    pub actor: String,
    pub returned_at: Timestamp,
}

/// What comes back of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    pub line: i32,
    pub product_id: ProductId,
    pub quantity: u32,
    pub disposition: Disposition,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

/// Money that goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    pub method: Tender,
    pub amount: Money,
}

/// What is to be recorded of a return, before it has a place and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    pub lines: Vec<Back>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    pub cash_rounding: Money,
    pub refunds: Vec<Refunded>,
}

/// Why nothing comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Orders takes it back.
    Online,
    Voided,
    TooLate,
    NothingLeft,
    /// Line of the request: the sale has no such line.
    NotSold {
        index: usize,
    },
    /// Line of the request, and how many units may still come back.
    MoreThanSold {
        index: usize,
        most: u32,
    },
    /// What is stored does not add up: a bug.
    Broken(String),
}

impl From<MoneyError> for Refusal {
    fn from(err: MoneyError) -> Refusal {
        Refusal::Broken(err.to_string())
    }
}

impl From<RefundError> for Refusal {
    fn from(err: RefundError) -> Refusal {
        Refusal::Broken(err.to_string())
    }
}

impl Sale {
    /// That something of it may come back now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_come_back(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.channel == Channel::Online {
            return Err(Refusal::Online);
        }
        if self.status == Status::Voided {
            return Err(Refusal::Voided);
        }
        if now.duration_since(self.sold_at) > RETURN_WITHIN {
            return Err(Refusal::TooLate);
        }
        Ok(())
    }
}

/// What is recorded of a return of these units. The lines of the sale are counted up.
///
/// # Errors
/// When more comes back than was sold.
pub fn take_back(
    dossier: &mut Dossier,
    wanted: &[Wanted],
    paid_back: &[Refunded],
    to: RefundTo,
) -> Result<Priced, Refusal> {
    if dossier.is_all_back() {
        return Err(Refusal::NothingLeft);
    }
    let mut lines = Vec::with_capacity(wanted.len());
    for (index, wanted) in wanted.iter().enumerate() {
        let line = dossier.lines.iter_mut().find(|line| line.line == wanted.line);
        lines.push(back(line.ok_or(Refusal::NotSold { index })?, *wanted, index)?);
    }
    let sum = |column: fn(&Back) -> Money| Money::try_sum(lines.iter().map(column));
    let total = sum(|back| back.total)?;
    dossier.sale.refunded = dossier.sale.refunded.try_add(total)?;
    let refunds = pay_back(dossier, paid_back, to)?;
    let handed = Money::try_sum(refunds.iter().map(|refund| refund.amount))?;
    Ok(Priced {
        net: sum(|back| back.net)?,
        gst: sum(|back| back.gst)?,
        qst: sum(|back| back.qst)?,
        deposits: sum(|back| back.deposit)?,
        total,
        cash_rounding: handed.try_sub(total)?,
        refunds,
        lines,
    })
}

fn back(line: &mut Line, wanted: Wanted, index: usize) -> Result<Back, Refusal> {
    let most = line.kept();
    if wanted.quantity > most {
        return Err(Refusal::MoreThanSold { index, most });
    }
    let refund = pricing::refund(&[line.returning(line.returned, wanted.quantity)])?;
    line.returned += wanted.quantity;
    Ok(Back {
        line: line.line,
        product_id: line.product_id,
        quantity: wanted.quantity,
        disposition: wanted.disposition,
        net: refund.net,
        gst: refund.gst,
        qst: refund.qst,
        deposit: refund.deposits,
        total: refund.total,
    })
}

/// What is due now, over the means that it goes to. The sale counts what comes back this time already.
fn pay_back(dossier: &Dossier, paid_back: &[Refunded], to: RefundTo) -> Result<Vec<Refunded>, Refusal> {
    let before = Money::try_sum(paid_back.iter().map(|refund| refund.amount))?;
    let payable = dossier.sale.payable;
    let worth = if dossier.is_all_back() { payable } else { payable.min(dossier.sale.refunded) };
    // Below zero by a cent or two where cash was rounded up before.
    let mut due = worth.try_sub(before)?.max(Money::ZERO);
    let mut refunds = Vec::new();
    if to == RefundTo::Original {
        for method in [Tender::Card, Tender::GiftCard] {
            let amount = due.min(left(dossier, paid_back, method)?);
            if !amount.is_zero() {
                refunds.push(Refunded { method, amount });
                due = due.try_sub(amount)?;
            }
        }
    }
    let cash = round_cash(due).payable;
    if !cash.is_zero() {
        refunds.push(Refunded { method: Tender::Cash, amount: cash });
    }
    Ok(refunds)
}

/// What was paid with that and has not gone back there.
fn left(dossier: &Dossier, paid_back: &[Refunded], tender: Tender) -> Result<Money, MoneyError> {
    let paid = dossier.payments.iter().filter(|payment| payment.method == Method::from(tender));
    let paid = Money::try_sum(paid.map(|payment| payment.amount))?;
    let back = paid_back.iter().filter(|refund| refund.method == tender);
    paid.try_sub(Money::try_sum(back.map(|refund| refund.amount))?)
}
