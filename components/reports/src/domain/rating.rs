//! What is said about figures. Integers alone: a ratio is compared by multiplying, and shown in basis points (1/100 of
//! a percent), cut off.

use pricing::Money;

/// By how many percent a week has to differ from the one before to be called a trend.
pub const TREND_PERCENT: i128 = 5;

sdk::text_enum!(
    /// A store against the mean of the stores.
    Rating {
        /// At the mean or above.
        Good = "BONNE",
        /// From four fifths of the mean.
        Fair = "MOYENNE",
        /// Below, and whenever nobody has sold anything.
        Weak = "FAIBLE",
    }
);

sdk::text_enum!(
    /// The last seven full business days against the seven before.
    Trend {
        /// By more than 5 % more.
        Up = "HAUSSE",
        /// By more than 5 % less.
        Down = "BAISSE",
        Stable = "STABLE",
    }
);

/// What one of `stores` has sold, against the mean of what all of them have.
pub fn rate(own: Money, all: Money, stores: usize) -> Rating {
    let (own, all) = scaled(own, all, stores);
    if all <= 0 {
        return if own > 0 { Rating::Good } else { Rating::Weak };
    }
    match own {
        _ if own >= all => Rating::Good,
        _ if own * 10 >= all * 8 => Rating::Fair,
        _ => Rating::Weak,
    }
}

/// The same as a ratio; none of a mean that is nothing, or less.
pub fn ratio_bp(own: Money, all: Money, stores: usize) -> Option<i64> {
    let (own, all) = scaled(own, all, stores);
    basis_points(own, all)
}

/// `own / (all / stores)` without a division.
fn scaled(own: Money, all: Money, stores: usize) -> (i128, i128) {
    let stores = i128::try_from(stores).unwrap_or(i128::MAX);
    (i128::from(own.cents()).saturating_mul(stores), i128::from(all.cents()))
}

pub fn trend(recent: Money, before: Money) -> Trend {
    let (recent, before) = (i128::from(recent.cents()), i128::from(before.cents()));
    // Against nothing, anything is a trend.
    let margin = before.max(0) * TREND_PERCENT;
    match (recent - before) * 100 {
        change if change > margin => Trend::Up,
        change if change < -margin => Trend::Down,
        _ => Trend::Stable,
    }
}

/// How much more or less it is than before; none against nothing, or less.
pub fn change_bp(recent: Money, before: Money) -> Option<i64> {
    let (recent, before) = (i128::from(recent.cents()), i128::from(before.cents()));
    basis_points(recent - before, before)
}

fn basis_points(part: i128, whole: i128) -> Option<i64> {
    if whole <= 0 {
        return None;
    }
    i64::try_from(part.saturating_mul(10_000) / whole).ok()
}

/// A sum over so many, to the cent, half up.
pub fn average(sum: Money, count: i64) -> Money {
    if count <= 0 {
        return Money::ZERO;
    }
    let rounded = (i128::from(sum.cents()) * 2 + i128::from(count)).div_euclid(i128::from(count) * 2);
    // It is no further from zero than the sum.
    i64::try_from(rounded).ok().and_then(|cents| Money::from_cents(cents).ok()).unwrap_or(sum)
}
