//! The quote of a basket: lines and discounts in, every amount of the sale out.
//!
//! Owns the order of the rules: discounts first, taxes on what is left, deposits apart and untaxed,
//! cash last. What a basket may hold is in `basket/limits.rs`. Which price, promotion, deposit and
//! rates a product has is not known here, nor which product a line is: lines keep their order.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::allocate::allocate;
use crate::cash::round_cash;
use crate::money::{Money, MoneyError};
use crate::tax::{Tax, TaxGroup, TaxRates, breakdown};

mod limits;

#[cfg(test)]
mod tests;

pub use limits::{MAX_LINES, MAX_QUANTITY, MAX_UNIT_DEPOSIT, MAX_UNIT_PRICE, QuoteError, violations};

/// A line to be quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Before any discount; from zero to [`MAX_UNIT_PRICE`].
    pub unit_price: Money,
    /// From one to [`MAX_QUANTITY`].
    pub quantity: u32,
    /// Taken off the whole line, not each unit; from zero to `unit_price * quantity`.
    pub discount: Money,
    /// The deposit on one container, untaxed; from zero to [`MAX_UNIT_DEPOSIT`].
    pub unit_deposit: Money,
    /// The rates of its tax category on the day of the sale.
    pub rates: TaxRates,
}

impl Line {
    /// A line without discount and deposit; name those with struct update,
    /// `Line { discount, ..Line::new(..) }`.
    pub const fn new(unit_price: Money, quantity: u32, rates: TaxRates) -> Line {
        Line { unit_price, quantity, discount: Money::ZERO, unit_deposit: Money::ZERO, rates }
    }
}

/// A line of a [`Quote`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotedLine {
    /// Before any discount.
    pub unit_price: Money,
    /// Units sold.
    pub quantity: u32,
    /// `unit_price * quantity`.
    pub gross: Money,
    /// The line's own discount and its part of the basket's.
    pub discount: Money,
    /// `gross - discount`: what the taxes are computed on.
    pub net: Money,
    /// The rates applied: the line is taxable for a tax when its rate is not zero.
    pub rates: TaxRates,
    /// Its part of the basket's rounded GST, for the fiscal record and for refunds.
    pub gst: Money,
    /// Its part of the basket's rounded QST, for the fiscal record and for refunds.
    pub qst: Money,
    /// Container deposits, untaxed.
    pub deposit: Money,
    /// `net + gst + qst + deposit`.
    pub total: Money,
}

/// Every amount of a basket. Each of the lines' columns sums to the basket's, to the cent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// In the order of the lines given.
    pub lines: Vec<QuotedLine>,
    /// Before discounts.
    pub gross: Money,
    /// The lines' discounts and the basket's.
    pub discount: Money,
    /// `gross - discount`.
    pub subtotal: Money,
    /// The federal tax.
    pub gst: Money,
    /// The Québec tax.
    pub qst: Money,
    /// What the taxes were computed on, by tax and rate.
    pub taxes: Vec<TaxGroup>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    /// `subtotal + gst + qst + deposits`.
    pub total: Money,
    /// `total` when all of it is paid in cash.
    pub cash_total: Money,
    /// `cash_total - total`.
    pub cash_rounding: Money,
}

/// Every amount of a basket whose discount, besides those of the lines, is `basket_discount`.
///
/// The basket's discount is spread over the lines in proportion to what their own discounts leave,
/// by largest remainder. Ties go to the more taxed line, and between lines taxed alike to the
/// earlier: so the same lines in another order, as another service may store them, have the same
/// totals.
///
/// Each rounded tax is shared out the same way over the lines it was computed on; ties go to the
/// earlier.
///
/// An empty basket costs nothing. An error names the first violation; [`violations`] finds all of
/// them.
///
/// ```
/// use pricing::{Line, Money, TaxRates, quote};
///
/// let lines = [
///     Line::new(Money::from(1_000), 1, TaxRates::STANDARD),
///     Line::new(Money::from(500), 1, TaxRates::ZERO_RATED),
/// ];
/// let quote = quote(&lines, Money::from(100))?;
///
/// assert_eq!(quote.lines[0].discount.to_string(), "0.67");
/// assert_eq!(quote.lines[1].discount.to_string(), "0.33");
/// assert_eq!(quote.subtotal.to_string(), "14.00");
/// assert_eq!(quote.gst.to_string(), "0.47");
/// # Ok::<(), pricing::QuoteError>(())
/// ```
pub fn quote(lines: &[Line], basket_discount: Money) -> Result<Quote, QuoteError> {
    if let Some(violation) = violations(lines, basket_discount).into_iter().next() {
        return Err(violation);
    }
    let lines = discounted(lines, basket_discount)?;
    let taxes = breakdown(lines.iter().map(|line| (line.net, line.rates)))?;
    Ok(totalled(taxed(lines, &taxes)?, taxes)?)
}

/// The lines with every discount taken off, without taxes yet.
fn discounted(lines: &[Line], basket_discount: Money) -> Result<Vec<QuotedLine>, MoneyError> {
    let mut quoted = Vec::with_capacity(lines.len());
    for line in lines {
        let gross = line.unit_price.try_mul(line.quantity)?;
        quoted.push(QuotedLine {
            unit_price: line.unit_price,
            quantity: line.quantity,
            gross,
            discount: line.discount,
            net: gross.try_sub(line.discount)?,
            rates: line.rates,
            gst: Money::ZERO,
            qst: Money::ZERO,
            deposit: line.unit_deposit.try_mul(line.quantity)?,
            total: Money::ZERO,
        });
    }
    if basket_discount.is_zero() {
        return Ok(quoted);
    }

    // Largest remainder breaks ties by position. By rates, and else (the sort is stable) in their
    // order: which of two lines taxed alike bears a cent changes no total.
    let mut ranked: Vec<&mut QuotedLine> = quoted.iter_mut().collect();
    ranked.sort_by_key(|line| Reverse(line.rates));
    let weights: Vec<u64> = ranked.iter().map(|line| weight(line.net)).collect();
    for (line, part) in ranked.into_iter().zip(allocate(basket_discount, &weights)?) {
        line.discount = line.discount.try_add(part)?;
        line.net = line.net.try_sub(part)?;
    }
    Ok(quoted)
}

/// The lines with their parts of the rounded taxes, and their totals.
fn taxed(mut lines: Vec<QuotedLine>, taxes: &[TaxGroup]) -> Result<Vec<QuotedLine>, MoneyError> {
    for group in taxes {
        // A weight of zero gets nothing, so a line outside the group keeps what it has.
        let weights: Vec<u64> = lines
            .iter()
            .map(|line| if line.rates.of(group.tax) == group.rate { weight(line.net) } else { 0 })
            .collect();
        for (line, part) in lines.iter_mut().zip(allocate(group.amount, &weights)?) {
            let tax = match group.tax {
                Tax::Gst => &mut line.gst,
                Tax::Qst => &mut line.qst,
            };
            *tax = tax.try_add(part)?;
        }
    }
    for line in &mut lines {
        line.total = Money::try_sum([line.net, line.gst, line.qst, line.deposit])?;
    }
    Ok(lines)
}

/// The quote of lines that are complete.
fn totalled(lines: Vec<QuotedLine>, taxes: Vec<TaxGroup>) -> Result<Quote, MoneyError> {
    let sum = |column: fn(&QuotedLine) -> Money| Money::try_sum(lines.iter().map(column));
    let total = sum(|line| line.total)?;
    let cash = round_cash(total);
    Ok(Quote {
        gross: sum(|line| line.gross)?,
        discount: sum(|line| line.discount)?,
        subtotal: sum(|line| line.net)?,
        gst: sum(|line| line.gst)?,
        qst: sum(|line| line.qst)?,
        deposits: sum(|line| line.deposit)?,
        total,
        cash_total: cash.payable,
        cash_rounding: cash.rounding,
        taxes,
        lines,
    })
}

/// An amount as a weight; none is negative here, a discount being at most what it is taken off.
fn weight(amount: Money) -> u64 {
    amount.cents().unsigned_abs()
}
