//! Tests of the quote: the worked examples, the limits, and the equalities every quote keeps.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::TaxRate;
use crate::oracle::{any_basket, any_money, cases, column, exact, exact_tax, half_up, ratio, sum, within_a_cent};

fn line(unit_price: i32, quantity: u32, rates: TaxRates) -> Line {
    Line::new(Money::new(unit_price), quantity, rates)
}

fn with_deposit(line: Line) -> Line {
    Line { unit_deposit: Money::new(10), ..line }
}

fn cents(amounts: impl IntoIterator<Item = Money>) -> Vec<i64> {
    amounts.into_iter().map(Money::cents).collect()
}

#[test]
fn two_cokes_and_a_juice() {
    let coke = with_deposit(line(299, 2, TaxRates::STANDARD));
    let juice = with_deposit(line(349, 1, TaxRates::STANDARD));
    let quote = quote(&[coke, juice], Money::ZERO).unwrap();
    assert_eq!(cents([quote.gross, quote.discount, quote.subtotal]), [947, 0, 947]);
    assert_eq!(cents([quote.gst, quote.qst]), [47, 94]);
    assert_eq!(cents([quote.deposits, quote.total]), [30, 1_118]);
    assert_eq!(cents([quote.cash_total, quote.cash_rounding]), [1_120, 2]);
    assert_eq!(cents(quote.lines.iter().map(|line| line.gst)), [30, 17]);
    assert_eq!(cents(quote.lines.iter().map(|line| line.qst)), [59, 35]);
    assert_eq!(cents(quote.lines.iter().map(|line| line.total)), [598 + 30 + 59 + 20, 349 + 17 + 35 + 10]);
}

#[test]
fn basic_groceries_are_taxed_by_nobody_and_books_by_canada_only() {
    let lines =
        [line(499, 1, TaxRates::ZERO_RATED), line(2_000, 1, TaxRates::GST_ONLY), line(1_000, 1, TaxRates::STANDARD)];
    let quote = quote(&lines, Money::ZERO).unwrap();
    assert_eq!(cents(quote.lines.iter().map(|line| line.gst)), [0, 100, 50]);
    assert_eq!(cents(quote.lines.iter().map(|line| line.qst)), [0, 0, 100]);
    assert_eq!(quote.total, Money::new(3_499 + 150 + 100));
    let bases: Vec<_> = quote.taxes.iter().map(|group| (group.tax, group.base.cents())).collect();
    assert_eq!(bases, [(Tax::Gst, 3_000), (Tax::Qst, 1_000)]);
}

#[test]
fn taxes_are_on_what_discounts_leave_and_deposits_are_not_discounted() {
    let lines = [
        with_deposit(Line { discount: Money::new(100), ..line(500, 2, TaxRates::STANDARD) }),
        with_deposit(line(100, 1, TaxRates::STANDARD)),
    ];
    let quote = quote(&lines, Money::new(100)).unwrap();
    assert_eq!(cents(quote.lines.iter().map(|line| line.discount)), [190, 10]);
    assert_eq!(cents([quote.gross, quote.discount, quote.subtotal]), [1_100, 200, 900]);
    assert_eq!(cents([quote.gst, quote.qst, quote.deposits]), [45, 90, 30]);
}

#[test]
fn a_tie_goes_to_the_more_taxed_line_in_either_order_and_else_to_the_earlier() {
    let (taxed, untaxed) = (line(100, 1, TaxRates::STANDARD), line(100, 1, TaxRates::ZERO_RATED));
    let discounts =
        |lines: [Line; 2]| cents(quote(&lines, Money::new(1)).unwrap().lines.iter().map(|line| line.discount));
    assert_eq!(discounts([taxed, untaxed]), [1, 0]);
    assert_eq!(discounts([untaxed, taxed]), [0, 1]);
    assert_eq!(discounts([taxed, taxed]), [1, 0]);
}

#[test]
fn a_basket_may_be_empty_or_free() {
    let empty = quote(&[], Money::ZERO).unwrap();
    assert_eq!((empty.total, empty.cash_total, empty.taxes.len()), (Money::ZERO, Money::ZERO, 0));
    let free = quote(&[line(500, 1, TaxRates::STANDARD), line(0, 3, TaxRates::STANDARD)], Money::new(500)).unwrap();
    assert_eq!((free.subtotal, free.total), (Money::ZERO, Money::ZERO));
}

#[test]
fn the_largest_basket_has_a_quote() {
    let whole = TaxRate::from_thousandths(100_000).unwrap();
    let largest = Line {
        unit_deposit: MAX_UNIT_DEPOSIT,
        ..Line::new(MAX_UNIT_PRICE, MAX_QUANTITY, TaxRates { gst: whole, qst: whole })
    };
    let lines = vec![largest; MAX_LINES];
    let quote = quote(&lines, Money::ZERO).unwrap();
    assert_eq!(quote.total.to_string(), "1500500000000.00");
    assert_eq!(super::quote(&lines, quote.subtotal).unwrap().total, quote.deposits);
}

#[test]
fn each_limit_names_its_line_and_what_would_be_right() {
    let good = line(500, 2, TaxRates::STANDARD);
    let too_dear = Money::new(10_000_001);
    let cases = [
        (Line { quantity: 0, ..good }, "quantity", "lines[1].quantity must be from 1 to 10000, not 0"),
        (Line { quantity: 10_001, ..good }, "quantity", "lines[1].quantity must be from 1 to 10000, not 10001"),
        (
            Line { unit_price: too_dear, ..good },
            "unit_price",
            "lines[1].unit_price must be from 0.00 to 100000.00, not 100000.01",
        ),
        (
            Line { unit_price: Money::new(-1), ..good },
            "unit_price",
            "lines[1].unit_price must be from 0.00 to 100000.00, not -0.01",
        ),
        (
            Line { unit_deposit: Money::new(-1), ..good },
            "unit_deposit",
            "lines[1].unit_deposit must be from 0.00 to 100.00, not -0.01",
        ),
        (
            Line { unit_deposit: Money::new(10_001), ..good },
            "unit_deposit",
            "lines[1].unit_deposit must be from 0.00 to 100.00, not 100.01",
        ),
        (
            Line { discount: Money::new(1_001), ..good },
            "discount",
            "lines[1].discount must be from 0.00 to 10.00, what the line costs, not 10.01",
        ),
        (
            Line { discount: Money::new(-1), ..good },
            "discount",
            "lines[1].discount must be from 0.00 to 10.00, what the line costs, not -0.01",
        ),
    ];
    for (bad, field, text) in cases {
        let error = quote(&[good, bad], Money::ZERO).unwrap_err();
        assert_eq!((error.line(), error.field()), (Some(1), Some(field)));
        assert_eq!(error.to_string(), text);
        assert_eq!(error.code(), format!("{}-out-of-range", field.replace('_', "-")));
    }
}

#[test]
fn the_limits_of_the_basket_itself() {
    let good = line(500, 2, TaxRates::STANDARD);
    let error = quote(&[good; MAX_LINES + 1], Money::ZERO).unwrap_err();
    assert_eq!((error, error.line(), error.field()), (QuoteError::TooManyLines { count: 501 }, None, Some("lines")));
    assert_eq!(error.to_string(), "a basket holds at most 500 lines, not 501");
    for discount in [-1, 1_001] {
        let error = quote(&[good], Money::new(discount)).unwrap_err();
        assert_eq!(error, QuoteError::BasketDiscount { discount: Money::new(discount), most: Money::new(1_000) });
        assert_eq!(
            (error.line(), error.field(), error.code()),
            (None, Some("basket_discount"), "basket-discount-out-of-range")
        );
    }
    assert!(quote(&[], Money::new(1)).is_err());
}

#[test]
fn violations_are_all_reported_one_a_line() {
    let good = line(500, 2, TaxRates::STANDARD);
    let bad = Line { quantity: 0, unit_price: Money::new(-1), ..good };
    let found = violations(&[bad, good, Line { discount: Money::MAX, ..good }], Money::MAX);
    assert_eq!(found.iter().map(QuoteError::line).collect::<Vec<_>>(), [Some(0), Some(2)]);
    assert_eq!(violations(&[good], Money::ZERO), []);
}

#[cfg(feature = "openapi")]
#[test]
fn openapi_brings_every_schema_a_quote_refers_to() {
    let mut schemas = Vec::new();
    <Quote as utoipa::ToSchema>::schemas(&mut schemas);
    let names: std::collections::BTreeSet<_> = schemas.into_iter().map(|(name, _)| name).collect();
    let expected = ["Money", "QuotedLine", "Tax", "TaxGroup", "TaxRate", "TaxRates"];
    assert_eq!(names.iter().collect::<Vec<_>>(), expected);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_column_sums_and_every_row_adds_up((lines, basket_discount) in any_basket()) {
        let quote = quote(&lines, basket_discount).unwrap();
        prop_assert_eq!(quote.lines.len(), lines.len());
        prop_assert_eq!(column(&quote, |line| line.gross), quote.gross);
        prop_assert_eq!(column(&quote, |line| line.discount), quote.discount);
        prop_assert_eq!(column(&quote, |line| line.net), quote.subtotal);
        prop_assert_eq!(column(&quote, |line| line.gst), quote.gst);
        prop_assert_eq!(column(&quote, |line| line.qst), quote.qst);
        prop_assert_eq!(column(&quote, |line| line.deposit), quote.deposits);
        prop_assert_eq!(column(&quote, |line| line.total), quote.total);
        prop_assert_eq!(sum([quote.gross, -quote.discount]), quote.subtotal);
        prop_assert_eq!(sum([quote.subtotal, quote.gst, quote.qst, quote.deposits]), quote.total);
        prop_assert_eq!(sum([quote.total, quote.cash_rounding]), quote.cash_total);
        let own_discounts = sum(lines.iter().map(|line| line.discount));
        prop_assert_eq!(sum([own_discounts, basket_discount]), quote.discount);
        for (quoted, line) in quote.lines.iter().zip(&lines) {
            let units = i64::from(line.quantity);
            prop_assert_eq!((quoted.unit_price, quoted.quantity), (line.unit_price, line.quantity));
            prop_assert_eq!(quoted.rates, line.rates);
            prop_assert_eq!(quoted.gross.cents(), line.unit_price.cents() * units);
            prop_assert_eq!(quoted.deposit.cents(), line.unit_deposit.cents() * units);
            prop_assert_eq!(sum([quoted.gross, -quoted.discount]), quoted.net);
            let QuotedLine { net, gst, qst, deposit, .. } = *quoted;
            prop_assert_eq!(sum([net, gst, qst, deposit]), quoted.total);
            prop_assert!(quoted.discount >= line.discount && !quoted.net.is_negative());
        }
    }

    #[test]
    fn taxes_are_the_exact_ones_rounded_once_and_fairly_shared(
        (lines, basket_discount) in any_basket(),
    ) {
        let quote = quote(&lines, basket_discount).unwrap();
        let stored = quote.lines.iter().map(|line| (line.net, line.rates));
        prop_assert_eq!(breakdown(stored).unwrap(), quote.taxes.clone());
        for (tax, total) in [(Tax::Gst, quote.gst), (Tax::Qst, quote.qst)] {
            let groups = quote.taxes.iter().filter(|group| group.tax == tax);
            prop_assert_eq!(sum(groups.map(|group| group.amount)), total);
        }
        for group in &quote.taxes {
            prop_assert_eq!(group.amount, half_up(&exact_tax(group.base, group.rate)));
            for line in &quote.lines {
                if line.rates.of(group.tax) != group.rate || group.base.is_zero() {
                    continue;
                }
                let share = exact(group.amount) * exact(line.net) / exact(group.base);
                let part = if group.tax == Tax::Gst { line.gst } else { line.qst };
                prop_assert!(within_a_cent(part, &share));
            }
        }
        for line in &quote.lines {
            prop_assert!(!line.rates.gst.is_zero() || line.gst.is_zero());
            prop_assert!(!line.rates.qst.is_zero() || line.qst.is_zero());
            prop_assert!(!line.gst.is_negative() && !line.qst.is_negative());
        }
    }

    #[test]
    fn the_basket_discount_is_spread_in_proportion((lines, basket_discount) in any_basket()) {
        let quote = quote(&lines, basket_discount).unwrap();
        let whole = sum([quote.gross, -sum(lines.iter().map(|line| line.discount))]);
        prop_assume!(!whole.is_zero());
        for (quoted, line) in quote.lines.iter().zip(&lines) {
            let cost = sum([quoted.gross, -line.discount]);
            let share = exact(basket_discount) * exact(cost) / exact(whole);
            prop_assert!(within_a_cent(sum([quoted.discount, -line.discount]), &share));
        }
    }

    #[test]
    fn totals_do_not_depend_on_the_order_of_lines(
        ((lines, basket_discount), shuffled) in any_basket().prop_flat_map(|(lines, discount)| {
            (Just((lines.clone(), discount)), Just(lines).prop_shuffle())
        })
    ) {
        let totals = |lines: &[Line]| {
            Quote { lines: Vec::new(), ..quote(lines, basket_discount).unwrap() }
        };
        prop_assert_eq!(totals(&lines), totals(&shuffled));
    }

    #[test]
    fn totals_do_not_depend_on_the_order_of_lines_that_tie(
        lines in vec((1..4_i32, any::<bool>()), 2..30),
        discount in 0..60_i32,
    ) {
        let mut lines: Vec<_> = lines
            .into_iter()
            .map(|(price, taxed)| {
                let rates = if taxed { TaxRates::STANDARD } else { TaxRates::ZERO_RATED };
                line(price * 10, 1, rates)
            })
            .collect();
        let discount = Money::new(discount).min(sum(lines.iter().map(|line| line.unit_price)));
        let forwards = quote(&lines, discount).unwrap();
        lines.reverse();
        let backwards = quote(&lines, discount).unwrap();
        prop_assert_eq!((forwards.taxes, forwards.total), (backwards.taxes, backwards.total));
    }

    #[test]
    fn json_round_trips_and_holds_no_fraction((lines, basket_discount) in any_basket()) {
        let quote = quote(&lines, basket_discount).unwrap();
        let json = serde_json::to_string(&quote).unwrap();
        prop_assert_eq!(serde_json::from_str::<Quote>(&json).unwrap(), quote);
        prop_assert!(only_integers(&serde_json::from_str(&json).unwrap()));
    }

    #[test]
    fn no_input_overflows_or_panics(
        lines in vec((any_money(), any::<u32>(), any_money(), any_money()), 0..4),
        basket_discount in any_money(),
    ) {
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(unit_price, quantity, discount, unit_deposit)| Line {
                discount,
                unit_deposit,
                ..Line::new(unit_price, quantity, TaxRates::STANDARD)
            })
            .collect();
        let quoted = quote(&lines, basket_discount);
        prop_assert_eq!(quoted.is_err(), !violations(&lines, basket_discount).is_empty());
        prop_assert!(!matches!(quoted, Err(QuoteError::Money(_))));
    }

    #[test]
    fn one_rate_gives_the_rule_of_the_design(prices in vec(0..100_000_i32, 0..20)) {
        let lines: Vec<_> =
            prices.iter().map(|&price| line(price, 1, TaxRates::STANDARD)).collect();
        let quote = quote(&lines, Money::ZERO).unwrap();
        let subtotal: i64 = prices.iter().copied().map(i64::from).sum();
        prop_assert_eq!(quote.gst, half_up(&ratio(subtotal * 5, 100)));
        prop_assert_eq!(quote.qst, half_up(&ratio(subtotal * 9_975, 100_000)));
    }
}

fn only_integers(json: &Value) -> bool {
    match json {
        Value::Number(number) => number.is_i64(),
        Value::Array(items) => items.iter().all(only_integers),
        Value::Object(members) => members.values().all(only_integers),
        _ => true,
    }
}
