//! Tests of the largest remainder: sums, fairness, ties, extremes.

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle::{any_money, cases, exact, sum, within_a_cent};
use crate::{Money, MoneyError, allocate};

fn cents(total: i32, weights: &[u64]) -> Vec<i64> {
    allocate(Money::new(total), weights).unwrap().into_iter().map(Money::cents).collect()
}

#[test]
fn cents_left_over_go_to_the_largest_remainders_and_of_equals_to_the_first() {
    assert_eq!(cents(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(cents(200, &[1, 1, 1]), [67, 67, 66]);
    assert_eq!(cents(100, &[1, 2, 3]), [17, 33, 50]);
    assert_eq!(cents(10, &[1, 1, 8]), [1, 1, 8]);
    assert_eq!(cents(1, &[1, 3, 2]), [0, 1, 0]);
}

#[test]
fn a_negative_total_is_split_as_its_magnitude() {
    assert_eq!(cents(-100, &[1, 1, 1]), [-34, -33, -33]);
}

#[test]
fn nothing_to_weigh_by_is_an_error_unless_nothing_is_split() {
    assert!(cents(0, &[]).is_empty());
    assert_eq!(cents(0, &[0, 0]), [0, 0]);
    let total = Money::new(5);
    assert_eq!(allocate(total, &[]), Err(MoneyError::NoWeight { total }));
    assert_eq!(allocate(total, &[0, 0]), Err(MoneyError::NoWeight { total }));
}

#[test]
fn the_extremes_do_not_overflow() {
    let parts = allocate(Money::MAX, &[u64::MAX; 3]).unwrap();
    assert_eq!(Money::try_sum(parts.iter().copied()), Ok(Money::MAX));
    assert_eq!(allocate(Money::MIN, &[u64::MAX]), Ok(vec![Money::MIN]));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn parts_sum_to_the_total_and_are_fair(
        total in any_money(),
        weights in vec(prop_oneof![0..5_u64, 0..10_000_u64, any::<u64>()], 1..12),
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        let parts = allocate(total, &weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(sum(parts.iter().copied()), total);
        let whole: BigInt = weights.iter().copied().map(BigInt::from).sum();
        for (&part, &weight) in parts.iter().zip(&weights) {
            let share = exact(total) * BigRational::new(weight.into(), whole.clone());
            prop_assert!(within_a_cent(part, &share), "{part} of {share}");
        }
    }

    #[test]
    fn the_largest_remainders_are_rounded_up(
        total in 0..10_000_i32,
        weights in vec(1..50_u64, 1..12),
    ) {
        let parts = cents(total, &weights);
        let whole: u64 = weights.iter().sum();
        let total = u64::try_from(total).unwrap();
        // (remainder, earliest first) of those rounded up, and of those that were not.
        let rank = |at: usize| (total * weights[at] % whole, usize::MAX - at);
        let up = |at: usize| parts[at].unsigned_abs() > total * weights[at] / whole;
        let (raised, kept): (Vec<_>, Vec<_>) = (0..weights.len()).partition(|&at| up(at));
        let least_raised = raised.into_iter().map(rank).min();
        let most_kept = kept.into_iter().map(rank).max();
        prop_assert!(least_raised.is_none() || least_raised > most_kept);
    }

    #[test]
    fn no_part_exceeds_its_weight_when_the_total_does_not_exceed_their_sum(
        weights in vec(0..1_000_u64, 1..12),
        portion in 0..=1_000_u64,
    ) {
        let whole: u64 = weights.iter().sum();
        let total = Money::from_cents(i64::try_from(whole * portion / 1_000).unwrap()).unwrap();
        for (part, &weight) in allocate(total, &weights).unwrap().into_iter().zip(&weights) {
            prop_assert!(part.cents().unsigned_abs() <= weight);
        }
    }
}
