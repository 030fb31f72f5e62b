//! Tests of the taxes: the published rule, the grouping, and the exact-rational oracle.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle::{any_money, any_rate, any_rates, cases, exact_tax, half_up, sum};
use crate::{Money, RateError, Tax, TaxGroup, TaxRate, TaxRates, breakdown};

#[test]
fn a_hundred_dollars_bear_5_00_and_9_98() {
    assert_eq!(TaxRate::GST.tax_on(Money::new(10_000)), Money::new(500));
    assert_eq!(TaxRate::QST.tax_on(Money::new(10_000)), Money::new(998));
}

#[test]
fn half_a_cent_goes_up_and_less_does_not() {
    let gst = |cents| TaxRate::GST.tax_on(Money::new(cents)).cents();
    assert_eq!([9, 10, 29, 30, -9, -10].map(gst), [0, 1, 1, 2, 0, -1]);
    let qst = |cents| TaxRate::QST.tax_on(Money::new(cents)).cents();
    assert_eq!([5, 6, 2_000, 2_006, -2_000].map(qst), [0, 1, 200, 200, -200]);
}

#[test]
fn the_rule_as_the_services_and_their_sql_write_it() {
    for cents in 0..200_000_i64 {
        let base = Money::from_cents(cents).unwrap();
        assert_eq!(TaxRate::GST.tax_on(base).cents(), (cents * 5 + 50) / 100);
        assert_eq!(TaxRate::QST.tax_on(base).cents(), (cents * 9_975 + 50_000) / 100_000);
    }
}

#[test]
fn each_tax_is_rounded_once_on_the_sum_of_its_own_lines() {
    // Line by line this would be 1 + 1 + 1 of GST.
    let lines = [
        (Money::new(10), TaxRates::STANDARD),
        (Money::new(10), TaxRates::GST_ONLY),
        (Money::new(10), TaxRates::STANDARD),
        (Money::new(999), TaxRates::ZERO_RATED),
    ];
    let group = |tax, rate, base: i32, amount: i32| TaxGroup { tax, rate, base: base.into(), amount: amount.into() };
    assert_eq!(breakdown(lines).unwrap(), [group(Tax::Gst, TaxRate::GST, 30, 2), group(Tax::Qst, TaxRate::QST, 20, 2)]);
}

#[test]
fn a_basket_that_spans_a_change_of_rates_rounds_each_rate_once() {
    let six = TaxRate::from_thousandths(6_000).unwrap();
    let lines = [
        (Money::new(1_010), TaxRates { gst: six, qst: TaxRate::ZERO }),
        (Money::new(1_010), TaxRates { gst: TaxRate::GST, qst: TaxRate::ZERO }),
    ];
    let amounts: Vec<_> =
        breakdown(lines).unwrap().into_iter().map(|group| (group.rate, group.amount.cents())).collect();
    assert_eq!(amounts, [(TaxRate::GST, 51), (six, 61)]);
}

#[test]
fn rates_have_a_range_a_text_and_a_json_integer() {
    assert_eq!(TaxRate::from_thousandths(-1), Err(RateError { thousandths: -1 }));
    assert_eq!(
        TaxRate::from_thousandths(100_001).unwrap_err().to_string(),
        "a tax rate must be from 0 to 100000 thousandths of a percent, not 100001"
    );
    let texts = [0, 5_000, 9_975, 9_500, 100_000].map(|rate| TaxRate::from_thousandths(rate).unwrap().to_string());
    assert_eq!(texts, ["0%", "5%", "9.975%", "9.5%", "100%"]);

    let json = serde_json::to_string(&TaxRates::STANDARD).unwrap();
    assert_eq!(json, r#"{"gst":5000,"qst":9975}"#);
    assert_eq!(serde_json::from_str::<TaxRates>(&json).unwrap(), TaxRates::STANDARD);
    let refusal = |json| serde_json::from_str::<TaxRate>(json).unwrap_err().to_string();
    assert!(refusal("9.975").contains("expected an integer number of thousandths of a percent"));
    assert!(refusal("100001").contains("from 0 to 100000"));
    assert!(refusal("-1").contains("not -1"));
}

#[cfg(feature = "openapi")]
#[test]
fn openapi_describes_a_rate_as_an_integer() {
    let schema = serde_json::to_value(<TaxRate as utoipa::PartialSchema>::schema()).unwrap();
    assert_eq!(schema["type"], "integer");
    assert_eq!((&schema["minimum"], &schema["maximum"]), (&0.into(), &100_000.into()));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_tax_is_the_exact_one_rounded_once(base in any_money(), rate in any_rate()) {
        prop_assert_eq!(rate.tax_on(base), half_up(&exact_tax(base, rate)));
        prop_assert_eq!(rate.tax_on(-base), -rate.tax_on(base));
        prop_assert!(rate.tax_on(base).abs() <= base.abs());
    }

    #[test]
    fn a_breakdown_covers_every_taxable_cent(
        lines in vec(((-100_000..100_000_i32).prop_map(Money::new), any_rates()), 0..20),
    ) {
        let groups = breakdown(lines.iter().copied()).unwrap();
        for tax in [Tax::Gst, Tax::Qst] {
            let taxable = lines.iter().filter(|(_, rates)| !rates.of(tax).is_zero());
            let bases = groups.iter().filter(|group| group.tax == tax).map(|group| group.base);
            prop_assert_eq!(sum(bases), sum(taxable.map(|&(net, _)| net)));
        }
        for group in &groups {
            prop_assert_eq!(group.amount, half_up(&exact_tax(group.base, group.rate)));
        }
        prop_assert!(groups.is_sorted_by_key(|group| (group.tax, group.rate)));
        prop_assert_eq!(breakdown(lines.iter().rev().copied()).unwrap(), groups);
    }
}
