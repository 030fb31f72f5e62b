//! Tests of cash: the published table, and what defines the nearest five cents.

use proptest::prelude::*;

use crate::oracle::{any_money, cases};
use crate::{Cash, Money, round_cash};

#[test]
fn one_and_two_go_down_three_and_four_up_six_and_seven_down_eight_and_nine_up() {
    let payable = |cents| round_cash(Money::new(cents)).payable.cents();
    let exact = [1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_006, 1_007, 1_008, 1_009];
    let rounded = [1_000, 1_000, 1_000, 1_005, 1_005, 1_005, 1_005, 1_005, 1_010, 1_010];
    assert_eq!(exact.map(payable), rounded);
    assert_eq!(exact.map(|cents| payable(-cents)), rounded.map(|cents| -cents));
}

#[test]
fn the_difference_is_reported() {
    assert_eq!(round_cash(Money::new(1_118)), Cash { payable: Money::new(1_120), rounding: Money::new(2) });
    assert_eq!(round_cash(Money::new(-1_118)), Cash { payable: Money::new(-1_120), rounding: Money::new(-2) });
    assert_eq!(round_cash(Money::new(2)), Cash { payable: Money::ZERO, rounding: Money::new(-2) });
}

#[test]
fn the_bounds_round_inwards() {
    assert_eq!(round_cash(Money::MAX).payable.cents(), Money::MAX.cents() - 1);
    assert_eq!(round_cash(Money::MIN).payable.cents(), Money::MIN.cents() + 1);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn cash_is_the_nearest_five_cents(exact in any_money()) {
        let Cash { payable, rounding } = round_cash(exact);
        prop_assert_eq!(payable.cents() % 5, 0);
        prop_assert!(rounding.abs() <= Money::new(2));
        prop_assert_eq!(exact.try_add(rounding), Ok(payable));
        prop_assert_eq!(round_cash(-exact), Cash { payable: -payable, rounding: -rounding });
    }
}
