//! Tests of refunds: whatever the steps, what was paid comes back, and never more.

use proptest::prelude::*;

use super::*;
use crate::oracle::{any_basket, cases, exact, half_up, ratio, sum};
use crate::{Line, Quote, TaxRates, quote};

fn sale() -> Quote {
    let deposit = Money::new(10);
    let coke = Line { unit_deposit: deposit, ..Line::new(Money::new(299), 2, TaxRates::STANDARD) };
    let juice = Line { unit_deposit: deposit, ..Line::new(Money::new(349), 1, TaxRates::STANDARD) };
    quote(&[coke, juice], Money::ZERO).unwrap()
}

fn returning(sale: &Quote, before: &[u32], now: &[u32]) -> Result<Refund, RefundError> {
    let lines: Vec<_> = sale
        .lines
        .iter()
        .zip(before.iter().zip(now))
        .map(|(sold, (&returned_before, &returning))| ReturnLine { sold: sold.into(), returned_before, returning })
        .collect();
    refund(&lines)
}

#[test]
fn the_worked_example_comes_back_in_steps() {
    let sale = sale();
    let first = returning(&sale, &[0, 0], &[1, 0]).unwrap();
    // Half of 5.98, 0.30, 0.59 and 0.20, the tax half up.
    assert_eq!((first.net, first.gst, first.qst), (Money::new(299), Money::new(15), Money::new(30)));
    assert_eq!((first.deposits, first.total), (Money::new(10), Money::new(354)));
    assert_eq!((first.cash_total, first.cash_rounding), (Money::new(355), Money::new(1)));
    assert_eq!(first.lines[1].total, Money::ZERO);

    let second = returning(&sale, &[1, 0], &[1, 1]).unwrap();
    assert_eq!((second.net, second.gst, second.qst), (Money::new(648), Money::new(32), Money::new(64)));
    assert_eq!(sum([first.total, second.total]), Money::new(1_118));
    assert_eq!(sum([first.cash_total, second.cash_total]), Money::new(1_120));
}

#[test]
fn a_full_return_refunds_exactly_what_was_paid() {
    let sale = sale();
    let refund = returning(&sale, &[0, 0], &[2, 1]).unwrap();
    assert_eq!((refund.net, refund.gst, refund.qst), (sale.subtotal, sale.gst, sale.qst));
    assert_eq!((refund.deposits, refund.total, refund.cash_total), (sale.deposits, sale.total, sale.cash_total));
}

#[test]
fn a_return_of_nothing_refunds_nothing() {
    let refund = returning(&sale(), &[1, 1], &[0, 0]).unwrap();
    assert_eq!((refund.total, refund.cash_total), (Money::ZERO, Money::ZERO));
    assert_eq!(super::refund(&[]).unwrap().total, Money::ZERO);
}

#[test]
fn more_than_was_sold_is_refused_naming_the_line_and_what_is_left() {
    let error = returning(&sale(), &[1, 1], &[1, 1]).unwrap_err();
    assert_eq!(error, RefundError::MoreThanSold { line: 1, returning: 1, most: 0 });
    assert_eq!((error.line(), error.field(), error.code()), (Some(1), Some("quantity"), "returned-more-than-sold"));
    let error = returning(&sale(), &[1, 0], &[u32::MAX, 0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "lines[0].quantity must be from 0 to 1, what was sold and has not come back, not 4294967295"
    );
}

#[test]
fn a_broken_record_is_not_refunded() {
    let good = SoldLine::from(&sale().lines[0]);
    let refused = |sold, returned_before| refund(&[ReturnLine { sold, returned_before, returning: 0 }]).unwrap_err();
    let broken = RefundError::NotASoldLine { line: 0 };
    assert_eq!(refused(SoldLine { quantity: 0, ..good }, 0), broken);
    assert_eq!(refused(good, 3), broken);
    for sold in [
        SoldLine { net: Money::new(-1), ..good },
        SoldLine { gst: Money::new(-1), ..good },
        SoldLine { qst: Money::new(-1), ..good },
        SoldLine { deposit: Money::new(-1), ..good },
    ] {
        assert_eq!(refused(sold, 0), broken);
    }
    assert_eq!((broken.line(), broken.field(), broken.code()), (Some(0), None, "not-a-sold-line"));
    let huge = SoldLine { net: Money::MAX, ..good };
    assert_eq!(refused(huge, 2), RefundError::Money(MoneyError::OutOfRange));
}

/// A sale, and up to five stages of returned quantities for each of its lines: from none to all of
/// them.
fn any_returns() -> impl Strategy<Value = (Quote, Vec<Vec<u32>>)> {
    let sales = any_basket().prop_map(|(lines, discount)| quote(&lines, discount).unwrap());
    (sales, proptest::collection::vec(proptest::collection::vec(0..=1_000_u32, 10), 0..5)).prop_map(|(sale, cuts)| {
        let sold: Vec<u32> = sale.lines.iter().map(|line| line.quantity).collect();
        let mut stages = vec![vec![0; sold.len()]];
        for cut in cuts {
            let stage = sold.iter().zip(cut).zip(&stages[stages.len() - 1]);
            stages.push(stage.map(|((&sold, cut), &last)| last.max(sold * cut / 1_000)).collect());
        }
        stages.push(sold);
        (sale, stages)
    })
}

fn step(sale: &Quote, before: &[u32], after: &[u32]) -> Refund {
    let now: Vec<u32> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    returning(sale, before, &now).unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_split_refunds_exactly_what_was_paid((sale, stages) in any_returns()) {
        let mut refunds = Vec::new();
        for pair in stages.windows(2) {
            refunds.push(step(&sale, &pair[0], &pair[1]));
        }
        let all = |amount: fn(&Refund) -> Money| sum(refunds.iter().map(amount));
        prop_assert_eq!(all(|refund| refund.net), sale.subtotal);
        prop_assert_eq!(all(|refund| refund.gst), sale.gst);
        prop_assert_eq!(all(|refund| refund.qst), sale.qst);
        prop_assert_eq!(all(|refund| refund.deposits), sale.deposits);
        prop_assert_eq!(all(|refund| refund.total), sale.total);
        prop_assert_eq!(all(|refund| refund.cash_total), sale.cash_total);
        for (at, sold) in sale.lines.iter().enumerate() {
            let back = || refunds.iter().map(|refund| refund.lines[at]);
            prop_assert_eq!(sum(back().map(|line| line.total)), sold.total);
            prop_assert_eq!(sum(back().map(|line| line.net)), sold.net);
            prop_assert_eq!(back().map(|line| line.quantity).sum::<u32>(), sold.quantity);
        }
    }

    #[test]
    fn every_step_is_at_least_nothing_and_adds_up((sale, stages) in any_returns()) {
        for pair in stages.windows(2) {
            let refund = step(&sale, &pair[0], &pair[1]);
            let Refund { net, gst, qst, deposits, total, .. } = refund;
            prop_assert_eq!(sum([net, gst, qst, deposits]), total);
            prop_assert_eq!(sum([refund.total, refund.cash_rounding]), refund.cash_total);
            prop_assert!(refund.cash_rounding.abs() <= Money::new(4));
            prop_assert!(refund.cash_total.cents() % 5 == 0 && !refund.cash_total.is_negative());
            prop_assert_eq!(sum(refund.lines.iter().map(|line| line.total)), refund.total);
            for line in &refund.lines {
                let parts = [line.net, line.gst, line.qst, line.deposit];
                prop_assert!(parts.iter().all(|part| !part.is_negative()));
                prop_assert_eq!(sum(parts), line.total);
            }
        }
    }

    #[test]
    fn what_came_back_so_far_is_the_exact_share_rounded_once((sale, stages) in any_returns()) {
        for stage in &stages {
            let refund = returning(&sale, &vec![0; stage.len()], stage).unwrap();
            for (line, sold) in refund.lines.iter().zip(&sale.lines) {
                let returned = ratio(line.quantity.into(), sold.quantity.into());
                let share = |paid| half_up(&(exact(paid) * &returned));
                prop_assert_eq!((line.net, line.gst), (share(sold.net), share(sold.gst)));
                prop_assert_eq!((line.qst, line.deposit), (share(sold.qst), share(sold.deposit)));
            }
        }
    }

    #[test]
    fn json_round_trips((sale, stages) in any_returns()) {
        let refund = returning(&sale, &stages[0], &stages[1]).unwrap();
        let json = serde_json::to_string(&refund).unwrap();
        prop_assert_eq!(serde_json::from_str::<Refund>(&json).unwrap(), refund);
    }
}
