//! GST and QST: rates, and how the taxes of a set of lines are rounded.
//!
//! Each tax is computed on the sum of its own taxable lines and rounded half up once, not line by
//! line, as both Canada's *Excise Tax Act* (s. 165.2) and the *Act respecting the Québec sales tax*
//! allow; since 2013 QST is not computed on GST. Which rates a product has on which day is the
//! catalogue's knowledge; how a rounded tax is shared out over lines is in
//! [`basket`](crate::basket).

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::money::{Money, MoneyError};

#[cfg(test)]
mod tests;

/// 100 % in thousandths of a percent. Unwrapped when compiled.
const WHOLE: NonZero<u32> = NonZero::new(100_000).unwrap();

/// A rate in thousandths of a percent, from 0 to 100 %. In JSON an integer: 9975 is 9.975 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000, example = 9_975))]
#[serde(transparent)]
pub struct TaxRate(u32);

/// A rate below 0 or above 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a tax rate must be from 0 to {WHOLE} thousandths of a percent, not {thousandths}")]
pub struct RateError {
    /// What was given instead.
    pub thousandths: i64,
}

/// The two taxes of a sale in Québec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Tax {
    /// The federal goods and services tax (in French TPS).
    Gst,
    /// The Québec sales tax (in French TVQ).
    Qst,
}

/// The rates of one tax category on one day. A line is taxable for a tax when its rate is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxRates {
    /// In thousandths of a percent.
    pub gst: TaxRate,
    /// In thousandths of a percent.
    pub qst: TaxRate,
}

/// One tax at one rate: the sum of its taxable lines, and the tax on it, rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxGroup {
    /// Which tax.
    pub tax: Tax,
    /// In thousandths of a percent; never zero.
    pub rate: TaxRate,
    /// The sum of the lines with this rate.
    pub base: Money,
    /// The tax on `base`.
    pub amount: Money,
}

/// The taxes on lines given as (net amount, rates), by tax and then by rate, zero rates left out.
///
/// Lines are grouped by (tax, rate) and each group is rounded once. While a tax has one rate, which
/// is always but for a basket that spans a change of rates, this is the plain rule: each tax once,
/// on its own taxable lines. An auditor recomputes the taxes of a stored sale from its stored lines
/// with it.
///
/// ```
/// use pricing::{Money, TaxRates, breakdown};
///
/// let lines = [6_000, 4_000].map(|net| (Money::from(net), TaxRates::STANDARD));
/// let taxes = breakdown(lines)?;
/// let amounts: Vec<_> = taxes.iter().map(|group| group.amount.to_string()).collect();
/// assert_eq!(amounts, ["5.00", "9.98"]);
/// # Ok::<(), pricing::MoneyError>(())
/// ```
pub fn breakdown(lines: impl IntoIterator<Item = (Money, TaxRates)>) -> Result<Vec<TaxGroup>, MoneyError> {
    let mut bases = BTreeMap::new();
    for (net, rates) in lines {
        for tax in [Tax::Gst, Tax::Qst] {
            let rate = rates.of(tax);
            if !rate.is_zero() {
                let base = bases.entry((tax, rate)).or_insert(Money::ZERO);
                *base = base.try_add(net)?;
            }
        }
    }
    Ok(bases.into_iter().map(|((tax, rate), base)| TaxGroup { tax, rate, base, amount: rate.tax_on(base) }).collect())
}

impl TaxRate {
    /// Not taxable: zero-rated or exempt.
    pub const ZERO: TaxRate = TaxRate(0);
    /// 5 %, since 2008.
    pub const GST: TaxRate = TaxRate(5_000);
    /// 9.975 %, since 2013.
    pub const QST: TaxRate = TaxRate(9_975);

    /// A rate from thousandths of a percent, as stored.
    pub const fn from_thousandths(thousandths: i64) -> Result<TaxRate, RateError> {
        if thousandths < 0 || thousandths > WHOLE.get() as i64 {
            return Err(RateError { thousandths });
        }
        Ok(TaxRate(thousandths as u32))
    }

    /// The rate in thousandths of a percent.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// Whether nothing is taxed at it.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The tax on `base`, rounded half up once: for QST `(base * 9975 + 50000) / 100000`.
    ///
    /// Symmetric: the tax on a negative amount is the tax on its magnitude, negated.
    pub fn tax_on(self, base: Money) -> Money {
        base.share(self.0, WHOLE)
    }
}

impl TaxRates {
    /// Both taxes at their rates since 2013.
    pub const STANDARD: TaxRates = TaxRates { gst: TaxRate::GST, qst: TaxRate::QST };
    /// Taxed by Canada, zero-rated by Québec: printed books, diapers.
    pub const GST_ONLY: TaxRates = TaxRates { gst: TaxRate::GST, qst: TaxRate::ZERO };
    /// Zero-rated for both: basic groceries.
    pub const ZERO_RATED: TaxRates = TaxRates { gst: TaxRate::ZERO, qst: TaxRate::ZERO };

    /// The rate of one tax.
    pub const fn of(self, tax: Tax) -> TaxRate {
        match tax {
            Tax::Gst => self.gst,
            Tax::Qst => self.qst,
        }
    }
}

/// `9.975%`, `5%`.
impl fmt::Display for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000);
        write!(f, "{}%", digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl<'de> Deserialize<'de> for TaxRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TaxRate, D::Error> {
        let thousandths = crate::wire::integer(deserializer, "an integer number of thousandths of a percent")?;
        TaxRate::from_thousandths(thousandths).map_err(serde::de::Error::custom)
    }
}
