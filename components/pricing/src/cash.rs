//! Cash: Canada has had no cent since 2013, so what is paid in cash is rounded to five.
//!
//! Only the final total is rounded, never a price or a tax, and only when it is paid in cash
//! (Department of Finance, *Eliminating the penny*: 1 and 2 down, 3 and 4 up, 6 and 7 down, 8 and 9
//! up).

use serde::{Deserialize, Serialize};

use crate::money::Money;

#[cfg(test)]
mod tests;

/// What is paid in cash for an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cash {
    /// A multiple of five cents.
    pub payable: Money,
    /// `payable` less the exact amount: from -2 to 2 cents. The till's books need it.
    pub rounding: Money,
}

/// An amount rounded to five cents; a refund, negative, as the same sum paid.
///
/// ```
/// use pricing::{Money, round_cash};
///
/// let cash = round_cash(Money::from(1_118));
/// assert_eq!(cash.payable.to_string(), "11.20");
/// assert_eq!(cash.rounding.to_string(), "0.02");
/// ```
pub fn round_cash(exact: Money) -> Cash {
    let rounding = match exact.abs().cents() % 5 {
        1 => Money::from(-1),
        2 => Money::from(-2),
        3 => Money::from(2),
        4 => Money::from(1),
        _ => Money::ZERO,
    };
    let rounding = if exact.is_negative() { -rounding } else { rounding };
    // Cannot fail: the largest amount ends in 91 and is rounded down.
    let payable = exact.try_add(rounding).unwrap_or(exact);
    Cash { payable, rounding }
}
