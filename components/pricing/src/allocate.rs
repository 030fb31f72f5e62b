//! Splitting a total in proportion to weights, to the cent, by the method of largest remainder
//! (Hamilton's).
//!
//! Owns the arithmetic only; which weights, and in which order, is decided by who calls.

use std::cmp::Reverse;

use crate::money::{Money, MoneyError};

#[cfg(test)]
mod tests;

/// The parts of `total` in proportion to `weights`, in their order. They sum to `total`.
///
/// Each part is its exact share rounded down, and the cents left over go, one each, to the parts
/// that lost most; of equals to the first. So a part is within one cent of its exact share, a
/// weight of zero gets nothing, and no part exceeds its weight when `total` does not exceed their
/// sum. A negative total is split by magnitude.
///
/// [`MoneyError::NoWeight`] when there is something to split and the weights sum to zero.
///
/// ```
/// use pricing::{Money, allocate};
///
/// let parts = allocate(Money::from(100), &[1, 1, 1])?;
/// assert_eq!(parts, [34, 33, 33].map(Money::from));
/// # Ok::<(), pricing::MoneyError>(())
/// ```
pub fn allocate(total: Money, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
    // No overflow in what follows: a total is below 2^53, a weight below 2^64, and their number
    // below 2^64.
    let whole: u128 = weights.iter().copied().map(u128::from).sum();
    if whole == 0 {
        let nothing = vec![Money::ZERO; weights.len()];
        return if total.is_zero() { Ok(nothing) } else { Err(MoneyError::NoWeight { total }) };
    }

    let magnitude = u128::from(total.cents().unsigned_abs());
    let mut parts: Vec<Part> =
        weights.iter().enumerate().map(|(at, &weight)| Part::of(magnitude, weight, whole, at)).collect();

    let mut left = magnitude - parts.iter().map(|part| part.cents).sum::<u128>();
    // Stable, so equals stay in their order.
    parts.sort_by_key(|part| Reverse(part.remainder));
    for part in &mut parts {
        if left == 0 {
            break;
        }
        part.cents += 1;
        left -= 1;
    }

    parts.sort_by_key(|part| part.at);
    // Not lossy: a part is at most `magnitude`, which came from an i64.
    let amounts = parts.into_iter().map(|part| Money::from_cents(part.cents as i64));
    if total.is_negative() { amounts.map(|amount| Ok(-amount?)).collect() } else { amounts.collect() }
}

struct Part {
    at: usize,
    cents: u128,
    remainder: u128,
}

impl Part {
    fn of(magnitude: u128, weight: u64, whole: u128, at: usize) -> Part {
        let scaled = magnitude * u128::from(weight);
        Part { at, cents: scaled / whole, remainder: scaled % whole }
    }
}
