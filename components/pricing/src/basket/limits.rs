//! What a basket may hold, and the errors of what it may not.
//!
//! The limits are wide for a shop and narrow for an `i64`: within them no amount overflows, here or
//! in SQL.

use thiserror::Error;

use super::Line;
use crate::money::{Money, MoneyError};

/// Lines in a basket. A large weekly shop has a hundred.
pub const MAX_LINES: usize = 500;

/// Units on one line.
pub const MAX_QUANTITY: u32 = 10_000;

/// The price of one unit: 100 000.00.
pub const MAX_UNIT_PRICE: Money = Money::new(10_000_000);

/// The deposit on one container: 100.00, twice that of a keg.
pub const MAX_UNIT_DEPOSIT: Money = Money::new(10_000);

/// The largest basket, both taxes at 100 %, is an amount of money; and its net times a rate, as in
/// the SQL of an audit (`net * 9975 + 50000`), is a `BIGINT`.
const _: () = {
    let units = MAX_LINES as i64 * MAX_QUANTITY as i64;
    let net = units * MAX_UNIT_PRICE.cents();
    let deposits = units * MAX_UNIT_DEPOSIT.cents();
    assert!(3 * net + deposits <= Money::MAX.cents());
    assert!(net.checked_mul(100_000).is_some());
};

/// Why a basket has no quote. `line` is the zero-based index of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum QuoteError {
    #[error("a basket holds at most {MAX_LINES} lines, not {count}")]
    TooManyLines { count: usize },
    #[error("lines[{line}].quantity must be from 1 to {MAX_QUANTITY}, not {quantity}")]
    Quantity { line: usize, quantity: u32 },
    #[error("lines[{line}].unit_price must be from 0.00 to {MAX_UNIT_PRICE}, not {unit_price}")]
    UnitPrice { line: usize, unit_price: Money },
    #[error("lines[{line}].unit_deposit must be from 0.00 to {MAX_UNIT_DEPOSIT}, not {unit_deposit}")]
    UnitDeposit { line: usize, unit_deposit: Money },
    #[error("lines[{line}].discount must be from 0.00 to {most}, what the line costs, not {discount}")]
    LineDiscount { line: usize, discount: Money, most: Money },
    #[error("the basket's discount must be from 0.00 to {most}, what its lines cost, not {discount}")]
    BasketDiscount { discount: Money, most: Money },
    /// Not reachable within the limits above: a bug, not the client's error.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl QuoteError {
    /// The zero-based index of the line to blame, for a JSON pointer; none when it is the basket.
    pub fn line(&self) -> Option<usize> {
        match *self {
            QuoteError::Quantity { line, .. }
            | QuoteError::UnitPrice { line, .. }
            | QuoteError::UnitDeposit { line, .. }
            | QuoteError::LineDiscount { line, .. } => Some(line),
            QuoteError::TooManyLines { .. } | QuoteError::BasketDiscount { .. } | QuoteError::Money(_) => None,
        }
    }

    /// The field to blame: of [`Line`] when [`line`](Self::line) is some, else of the basket.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            QuoteError::TooManyLines { .. } => Some("lines"),
            QuoteError::Quantity { .. } => Some("quantity"),
            QuoteError::UnitPrice { .. } => Some("unit_price"),
            QuoteError::UnitDeposit { .. } => Some("unit_deposit"),
            QuoteError::LineDiscount { .. } => Some("discount"),
            QuoteError::BasketDiscount { .. } => Some("basket_discount"),
            QuoteError::Money(_) => None,
        }
    }

    /// The stable `code` of a problem document.
    pub fn code(&self) -> &'static str {
        match self {
            QuoteError::TooManyLines { .. } => "too-many-lines",
            QuoteError::Quantity { .. } => "quantity-out-of-range",
            QuoteError::UnitPrice { .. } => "unit-price-out-of-range",
            QuoteError::UnitDeposit { .. } => "unit-deposit-out-of-range",
            QuoteError::LineDiscount { .. } => "discount-out-of-range",
            QuoteError::BasketDiscount { .. } => "basket-discount-out-of-range",
            QuoteError::Money(_) => "amount-out-of-range",
        }
    }
}

/// Everything that keeps a basket from being quoted, at most one for each line; nothing when it can
/// be.
///
/// Too many lines is reported alone, and the basket's discount is judged once the lines are right:
/// before that, what it may be is not known.
pub fn violations(lines: &[Line], basket_discount: Money) -> Vec<QuoteError> {
    if lines.len() > MAX_LINES {
        return vec![QuoteError::TooManyLines { count: lines.len() }];
    }
    let mut found = Vec::new();
    let mut nets = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match net(index, line) {
            Ok(net) => nets.push(net),
            Err(violation) => found.push(violation),
        }
    }
    if found.is_empty() {
        found.extend(basket_violation(nets, basket_discount));
    }
    found
}

fn basket_violation(nets: Vec<Money>, discount: Money) -> Option<QuoteError> {
    match Money::try_sum(nets) {
        Ok(most) if discount.is_negative() || discount > most => Some(QuoteError::BasketDiscount { discount, most }),
        Ok(_) => None,
        Err(error) => Some(error.into()),
    }
}

/// What a line costs after its own discount.
fn net(line: usize, given: &Line) -> Result<Money, QuoteError> {
    let &Line { unit_price, quantity, discount, unit_deposit, rates: _ } = given;
    if quantity == 0 || quantity > MAX_QUANTITY {
        return Err(QuoteError::Quantity { line, quantity });
    }
    if unit_price.is_negative() || unit_price > MAX_UNIT_PRICE {
        return Err(QuoteError::UnitPrice { line, unit_price });
    }
    if unit_deposit.is_negative() || unit_deposit > MAX_UNIT_DEPOSIT {
        return Err(QuoteError::UnitDeposit { line, unit_deposit });
    }
    let most = unit_price.try_mul(quantity)?;
    if discount.is_negative() || discount > most {
        return Err(QuoteError::LineDiscount { line, discount, most });
    }
    Ok(most.try_sub(discount)?)
}
