//! How a sale is paid for: split over several means, change from the cash alone, and what is paid in cash rounded
//! to five cents.

use pricing::{Money, MoneyError, round_cash};

use super::Tender;

/// The smallest coin.
pub const COIN_CENTS: i64 = 5;

/// What a sale comes to once it is known how it is paid: `payments - change = payable = total + rounding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub payable: Money,
    /// `payable` less the total: from -2 to 2 cents, and nothing where no cash is.
    pub rounding: Money,
    /// Given back, in cash.
    pub change: Money,
}

/// Why the payments do not pay for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    Insufficient {
        payable: Money,
        missing: Money,
    },
    /// More was taken from cards than it costs, and nobody gives change for that.
    Overpaid {
        surplus: Money,
    },
    /// Beyond the bound of money.
    OutOfRange,
}

impl From<MoneyError> for Unsettled {
    fn from(_: MoneyError) -> Unsettled {
        Unsettled::OutOfRange
    }
}

/// What is paid, and what is given back. Cash pays what other means leave; only that is rounded.
///
/// # Errors
/// When the payments are too little, or too much of what there is no change for.
pub fn settle(total: Money, payments: &[(Tender, Money)]) -> Result<Settled, Unsettled> {
    let sum = |cash: bool| {
        let of = payments.iter().filter(|(tender, _)| (*tender == Tender::Cash) == cash);
        Money::try_sum(of.map(|(_, amount)| *amount))
    };
    let (cash, other) = (sum(true)?, sum(false)?);
    if other > total {
        return Err(Unsettled::Overpaid { surplus: other.try_sub(total)? });
    }
    let rest = total.try_sub(other)?;
    if cash.is_zero() {
        return match rest.is_zero() {
            true => Ok(Settled { payable: total, rounding: Money::ZERO, change: Money::ZERO }),
            false => Err(Unsettled::Insufficient { payable: total, missing: rest }),
        };
    }
    let rounded = round_cash(rest);
    let payable = total.try_add(rounded.rounding)?;
    if cash < rounded.payable {
        return Err(Unsettled::Insufficient { payable, missing: rounded.payable.try_sub(cash)? });
    }
    Ok(Settled { payable, rounding: rounded.rounding, change: cash.try_sub(rounded.payable)? })
}
