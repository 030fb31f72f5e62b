//! Money: integer cents of Canadian dollars, bounded and checked.
//!
//! Owns the arithmetic and the one place that rounds a proportion. Taxes, discounts and the
//! rounding of cash are rules built on it; the JSON form is in `money/wire.rs`.

use std::fmt;
use std::num::NonZero;
use std::ops::Neg;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod wire;

#[cfg(test)]
mod tests;

/// The only currency (ISO 4217).
pub const CURRENCY: &str = "CAD";

/// 2^53 - 1: the largest integer that every JSON reader keeps exactly (RFC 8259, section 6).
const MAX_CENTS: i64 = 9_007_199_254_740_991;

/// An amount in cents of Canadian dollars, from [`Money::MIN`] to [`Money::MAX`].
///
/// In JSON `{"amount":299,"currency":"CAD"}`: a fraction, another currency or another member is
/// refused. In SQL `BIGINT`: see [`Money::cents`] and [`Money::from_cents`].
///
/// ```
/// use pricing::Money;
///
/// let price = Money::from(299);
/// assert_eq!(price.try_mul(2)?.to_string(), "5.98");
/// assert!(Money::MAX.try_add(price).is_err());
/// # Ok::<(), pricing::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "wire::Money", into = "wire::Money")]
pub struct Money(i64);

/// What arithmetic on money can fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// An amount beyond [`Money::MIN`] or [`Money::MAX`].
    #[error("an amount of money must be within {MAX_CENTS} cents of zero")]
    OutOfRange,
    /// Nothing to spread an amount over: no weights, or all of them zero.
    #[error("cannot allocate {total} over weights that sum to zero")]
    NoWeight {
        /// What was to be spread.
        total: Money,
    },
}

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);
    /// 2^53 - 1 cents, about 90 trillion dollars: the largest integer that every JSON reader keeps
    /// exactly.
    pub const MAX: Money = Money(MAX_CENTS);
    /// The same bound below zero, so that negation cannot fail.
    pub const MIN: Money = Money(-MAX_CENTS);

    /// A constant amount: every `i32` of cents is in range.
    pub const fn new(cents: i32) -> Money {
        Money(cents as i64)
    }

    /// An amount from its cents, as read from a `BIGINT`.
    pub const fn from_cents(cents: i64) -> Result<Money, MoneyError> {
        if cents < -MAX_CENTS || cents > MAX_CENTS {
            return Err(MoneyError::OutOfRange);
        }
        Ok(Money(cents))
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The magnitude.
    pub const fn abs(self) -> Money {
        Money(self.0.abs())
    }

    /// The sum, or [`MoneyError::OutOfRange`].
    pub fn try_add(self, other: Money) -> Result<Money, MoneyError> {
        self.0.checked_add(other.0).ok_or(MoneyError::OutOfRange).and_then(Money::from_cents)
    }

    /// The difference, or [`MoneyError::OutOfRange`].
    pub fn try_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.try_add(-other)
    }

    /// So many times the amount, or [`MoneyError::OutOfRange`].
    pub fn try_mul(self, factor: u32) -> Result<Money, MoneyError> {
        self.0.checked_mul(i64::from(factor)).ok_or(MoneyError::OutOfRange).and_then(Money::from_cents)
    }

    /// The sum of all, or [`MoneyError::OutOfRange`].
    pub fn try_sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::ZERO, Money::try_add)
    }

    /// `part / whole` of the amount, rounded once, half up in magnitude: of -0.50 as of 0.50, only
    /// negative.
    ///
    /// The whole is the amount itself, and a larger part is never less in magnitude. A part beyond
    /// the whole counts as the whole, so the result never exceeds the amount and no error is
    /// possible.
    pub(crate) fn share(self, part: u32, whole: NonZero<u32>) -> Money {
        let part = u128::from(part.min(whole.get()));
        let whole = u128::from(whole.get());
        let magnitude = u128::from(self.0.unsigned_abs());
        let rounded = (magnitude * part * 2 + whole) / (whole * 2);
        // Not lossy: at most `magnitude`, which came from an i64.
        let rounded = rounded as i64;
        Money(if self.is_negative() { -rounded } else { rounded })
    }
}

impl Neg for Money {
    type Output = Money;

    fn neg(self) -> Money {
        Money(-self.0)
    }
}

/// [`Money::new`].
impl From<i32> for Money {
    fn from(cents: i32) -> Money {
        Money::new(cents)
    }
}

impl TryFrom<i64> for Money {
    type Error = MoneyError;

    fn try_from(cents: i64) -> Result<Money, MoneyError> {
        Money::from_cents(cents)
    }
}

/// Dollars and cents, `12.34` or `-0.05`, padded as a string is.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let digits = format!("{}.{:02}", magnitude / 100, magnitude % 100);
        f.pad_integral(!self.is_negative(), "", &digits)
    }
}
