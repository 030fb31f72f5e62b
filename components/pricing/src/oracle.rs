//! What the property tests judge by: arithmetic on exact rationals, which shares nothing with the
//! crate's, and generators of baskets that reach the edges (ties, zeros, fractions of a cent, the
//! limits).

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use crate::{Line, MAX_QUANTITY, MAX_UNIT_DEPOSIT, MAX_UNIT_PRICE, Money, Quote, QuotedLine, TaxRate, TaxRates};

/// The property tests of one function; enough to meet the edges, few enough for a second.
pub(crate) fn cases() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

pub(crate) fn exact(amount: Money) -> BigRational {
    ratio(amount.cents(), 1)
}

pub(crate) fn ratio(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(BigInt::from(numerator), BigInt::from(denominator))
}

/// The tax before rounding.
pub(crate) fn exact_tax(base: Money, rate: TaxRate) -> BigRational {
    exact(base) * ratio(i64::from(rate.thousandths()), 100_000)
}

/// Half up, of a negative amount as of its magnitude. `BigRational::round` is that, half away from
/// zero.
pub(crate) fn half_up(amount: &BigRational) -> Money {
    Money::from_cents(i64::try_from(amount.round().to_integer()).unwrap()).unwrap()
}

/// Whether a part is its exact share but for less than a cent.
pub(crate) fn within_a_cent(part: Money, share: &BigRational) -> bool {
    let off = exact(part) - share;
    off > ratio(-1, 1) && off < ratio(1, 1)
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    Money::from_cents(amounts.into_iter().map(Money::cents).sum()).unwrap()
}

pub(crate) fn column(quote: &Quote, amount: fn(&QuotedLine) -> Money) -> Money {
    sum(quote.lines.iter().map(amount))
}

pub(crate) fn any_money() -> impl Strategy<Value = Money> {
    let bound = Money::MAX.cents();
    prop_oneof![-1_000..=1_000_i64, -bound..=bound, Just(bound), Just(-bound)]
        .prop_map(|cents| Money::from_cents(cents).unwrap())
}

pub(crate) fn any_rate() -> impl Strategy<Value = TaxRate> {
    prop_oneof![Just(5_000), Just(9_975), 0..=100_000_i64].prop_map(|rate| TaxRate::from_thousandths(rate).unwrap())
}

/// Mostly the categories of today; sometimes a rate of another day.
pub(crate) fn any_rates() -> impl Strategy<Value = TaxRates> {
    let qst_only = TaxRates { gst: TaxRate::ZERO, qst: TaxRate::QST };
    prop_oneof![
        3 => Just(TaxRates::STANDARD),
        1 => Just(TaxRates::GST_ONLY),
        1 => Just(TaxRates::ZERO_RATED),
        1 => Just(qst_only),
        1 => (any_rate(), any_rate()).prop_map(|(gst, qst)| TaxRates { gst, qst }),
    ]
}

pub(crate) fn any_line() -> impl Strategy<Value = Line> {
    let price = prop_oneof![0..=5_i64, 0..=2_000_i64, 0..=MAX_UNIT_PRICE.cents()];
    let quantity = prop_oneof![1..=4_u32, 1..=MAX_QUANTITY];
    let deposit = prop_oneof![Just(0), Just(10), 0..=MAX_UNIT_DEPOSIT.cents()];
    (price, quantity, portion(), deposit, any_rates()).prop_map(|(price, quantity, off, deposit, rates)| {
        let unit_price = Money::from_cents(price).unwrap();
        Line {
            discount: of(portion_of(price * i64::from(quantity), off)),
            unit_deposit: of(deposit),
            ..Line::new(unit_price, quantity, rates)
        }
    })
}

/// Lines, and a discount that they bear.
pub(crate) fn any_basket() -> impl Strategy<Value = (Vec<Line>, Money)> {
    (proptest::collection::vec(any_line(), 0..10), portion()).prop_map(|(lines, off)| {
        let most =
            lines.iter().map(|line| line.unit_price.cents() * i64::from(line.quantity) - line.discount.cents()).sum();
        (lines, of(portion_of(most, off)))
    })
}

/// Of a thousand: often nothing, sometimes all of it.
fn portion() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0_i64), 5 => 0..=1_000_i64, 1 => Just(1_000_i64)]
}

fn portion_of(most: i64, thousandths: i64) -> i64 {
    i64::try_from(i128::from(most) * i128::from(thousandths) / 1_000).unwrap()
}

fn of(cents: i64) -> Money {
    Money::from_cents(cents).unwrap()
}
