//! Refunds: what comes back with a return, so that returning everything, in however many steps,
//! refunds exactly what was paid: net, each tax, deposits, and cash to the five cents.
//!
//! The way is a cumulative difference. With `f(n)` what `n` returned units of a line are worth, a
//! return that takes the line from `a` to `b` units refunds `f(b) - f(a)`: the steps telescope to
//! `f(all) - f(0)`, and `f(all)` is what was paid. Rounding each step on its own would lose or
//! invent cents.
//!
//! Whether a return is allowed (30 days, receipt, condition) and which tender it goes to is decided
//! by sales.

use std::num::NonZero;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::basket::QuotedLine;
use crate::cash::round_cash;
use crate::money::{Money, MoneyError};

#[cfg(test)]
mod tests;

/// What was paid for a line, as stored with its sale. No amount is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoldLine {
    /// Units sold, at least one.
    pub quantity: u32,
    /// After discounts, before taxes.
    pub net: Money,
    /// Its part of the sale's GST.
    pub gst: Money,
    /// Its part of the sale's QST.
    pub qst: Money,
    /// Container deposits.
    pub deposit: Money,
}

/// A line of a sale, and how much of it has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    /// What was paid.
    pub sold: SoldLine,
    /// Units returned earlier.
    pub returned_before: u32,
    /// Units returned now; zero for a line that is no part of this return.
    pub returning: u32,
}

/// What is handed back for a line. No amount is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundedLine {
    /// Units returned now.
    pub quantity: u32,
    /// Of the price, after discounts.
    pub net: Money,
    /// Of the GST.
    pub gst: Money,
    /// Of the QST.
    pub qst: Money,
    /// Of the container deposits.
    pub deposit: Money,
    /// `net + gst + qst + deposit`.
    pub total: Money,
}

/// What is handed back for a return. No amount is negative but `cash_rounding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refund {
    /// In the order of the lines given.
    pub lines: Vec<RefundedLine>,
    /// Of the prices, after discounts.
    pub net: Money,
    /// Of the GST.
    pub gst: Money,
    /// Of the QST.
    pub qst: Money,
    /// Of the container deposits.
    pub deposits: Money,
    /// `net + gst + qst + deposits`.
    pub total: Money,
    /// What is handed back in cash for a sale whose refunds are all in cash: a cumulative
    /// difference as well, of rounded totals, so that a full return refunds the rounded total
    /// that was paid. Never below zero. Where tenders mix it is not exact: round what goes out in
    /// cash with [`round_cash`].
    pub cash_total: Money,
    /// `cash_total - total`: from -4 to 4 cents, being a difference of two roundings.
    pub cash_rounding: Money,
}

/// Why a return has no refund. `line` is the zero-based index of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum RefundError {
    #[error("lines[{line}].quantity must be from 0 to {most}, what was sold and has not come back, not {returning}")]
    MoreThanSold { line: usize, returning: u32, most: u32 },
    /// The stored sale is broken, not the client's return.
    #[error("lines[{line}] is not a sold line: nothing sold, more returned than sold, or a negative amount")]
    NotASoldLine { line: usize },
    /// The stored sale is broken: its lines sum beyond the bound of money.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What is handed back for a return.
///
/// Pass every line of the sale, also those that do not come back now: the cash total depends on
/// what came back before. A return of nothing refunds nothing; returning more than was sold is an
/// error.
///
/// ```
/// use pricing::{Line, Money, ReturnLine, SoldLine, TaxRates, quote, refund};
///
/// let sale = quote(&[Line::new(Money::from(333), 3, TaxRates::STANDARD)], Money::ZERO)?;
/// let sold = SoldLine::from(&sale.lines[0]);
///
/// let one = refund(&[ReturnLine { sold, returned_before: 0, returning: 1 }])?;
/// let rest = refund(&[ReturnLine { sold, returned_before: 1, returning: 2 }])?;
/// assert_eq!(one.total.try_add(rest.total)?, sale.total);
/// assert_eq!(one.cash_total.try_add(rest.cash_total)?, sale.cash_total);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn refund(lines: &[ReturnLine]) -> Result<Refund, RefundError> {
    let mut refunded = Vec::with_capacity(lines.len());
    let mut total_before = Money::ZERO;
    for (index, line) in lines.iter().enumerate() {
        let (before, now) = line.split(index)?;
        total_before = total_before.try_add(before.total)?;
        refunded.push(now);
    }

    let sum = |column: fn(&RefundedLine) -> Money| Money::try_sum(refunded.iter().map(column));
    let total = sum(|line| line.total)?;
    let total_after = total_before.try_add(total)?;
    let cash_total = round_cash(total_after).payable.try_sub(round_cash(total_before).payable)?;
    Ok(Refund {
        net: sum(|line| line.net)?,
        gst: sum(|line| line.gst)?,
        qst: sum(|line| line.qst)?,
        deposits: sum(|line| line.deposit)?,
        total,
        cash_total,
        cash_rounding: cash_total.try_sub(total)?,
        lines: refunded,
    })
}

impl RefundError {
    /// The zero-based index of the line to blame, for a JSON pointer.
    pub fn line(&self) -> Option<usize> {
        match *self {
            RefundError::MoreThanSold { line, .. } | RefundError::NotASoldLine { line } => Some(line),
            RefundError::Money(_) => None,
        }
    }

    /// The field of the line to blame; none when it is the stored sale.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            RefundError::MoreThanSold { .. } => Some("quantity"),
            RefundError::NotASoldLine { .. } | RefundError::Money(_) => None,
        }
    }

    /// The stable `code` of a problem document.
    pub fn code(&self) -> &'static str {
        match self {
            RefundError::MoreThanSold { .. } => "returned-more-than-sold",
            RefundError::NotASoldLine { .. } => "not-a-sold-line",
            RefundError::Money(_) => "amount-out-of-range",
        }
    }
}

impl From<&QuotedLine> for SoldLine {
    fn from(line: &QuotedLine) -> SoldLine {
        SoldLine { quantity: line.quantity, net: line.net, gst: line.gst, qst: line.qst, deposit: line.deposit }
    }
}

impl ReturnLine {
    /// What was refunded for the line before, and what is now.
    fn split(&self, line: usize) -> Result<(RefundedLine, RefundedLine), RefundError> {
        let sold = &self.sold;
        let remaining = sold.quantity.checked_sub(self.returned_before);
        let (Some(quantity), Some(most)) = (NonZero::new(sold.quantity), remaining) else {
            return Err(RefundError::NotASoldLine { line });
        };
        if sold.has_negative() {
            return Err(RefundError::NotASoldLine { line });
        }
        if self.returning > most {
            return Err(RefundError::MoreThanSold { line, returning: self.returning, most });
        }
        let before = sold.worth(self.returned_before, quantity)?;
        // Cannot overflow: at most the quantity sold, by the check above.
        let after = sold.worth(self.returned_before + self.returning, quantity)?;
        Ok((before, after.less(&before)?))
    }
}

impl SoldLine {
    /// What `returned` of its units are worth: `f` of the module's text. All of them are worth what
    /// was paid, and more of them never less: [`Money::share`] promises both.
    fn worth(&self, returned: u32, quantity: NonZero<u32>) -> Result<RefundedLine, MoneyError> {
        let net = self.net.share(returned, quantity);
        let gst = self.gst.share(returned, quantity);
        let qst = self.qst.share(returned, quantity);
        let deposit = self.deposit.share(returned, quantity);
        let total = Money::try_sum([net, gst, qst, deposit])?;
        Ok(RefundedLine { quantity: returned, net, gst, qst, deposit, total })
    }

    fn has_negative(&self) -> bool {
        [self.net, self.gst, self.qst, self.deposit].into_iter().any(Money::is_negative)
    }
}

impl RefundedLine {
    fn less(&self, before: &RefundedLine) -> Result<RefundedLine, MoneyError> {
        Ok(RefundedLine {
            // Cannot be below zero: units returned only grow.
            quantity: self.quantity.saturating_sub(before.quantity),
            net: self.net.try_sub(before.net)?,
            gst: self.gst.try_sub(before.gst)?,
            qst: self.qst.try_sub(before.qst)?,
            deposit: self.deposit.try_sub(before.deposit)?,
            total: self.total.try_sub(before.total)?,
        })
    }
}
