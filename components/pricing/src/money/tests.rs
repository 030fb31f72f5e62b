//! Tests of the amounts: bounds, text, JSON, and the one rounding.

use std::num::NonZero;

use proptest::prelude::*;

use crate::oracle::{any_money, cases, exact, half_up, ratio};
use crate::{Money, MoneyError};

fn refusal(json: &str) -> String {
    serde_json::from_str::<Money>(json).unwrap_err().to_string()
}

#[test]
fn displays_dollars_and_cents() {
    let texts = [0, 5, 99, 100, 1_234, -5, -1_234].map(|cents| Money::new(cents).to_string());
    assert_eq!(texts, ["0.00", "0.05", "0.99", "1.00", "12.34", "-0.05", "-12.34"]);
    assert_eq!(Money::MIN.to_string(), "-90071992547409.91");
    assert_eq!(format!("{:>8}|{:<8}|", Money::new(-5), Money::new(5)), "   -0.05|0.05    |");
}

#[test]
fn json_is_an_integer_amount_and_a_currency() {
    let json = serde_json::to_string(&Money::new(299)).unwrap();
    assert_eq!(json, r#"{"amount":299,"currency":"CAD"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), Money::new(299));
    let json = r#"{"currency":"CAD","amount":-9007199254740991}"#;
    assert_eq!(serde_json::from_str::<Money>(json).unwrap(), Money::MIN);
}

#[test]
fn json_refuses_what_is_not_integer_cents() {
    for (amount, named) in
        [("2.99", "2.99"), ("299.0", "299.0"), ("1e2", "100.0"), (r#""299""#, r#""299""#), ("null", "null")]
    {
        let refusal = refusal(&format!(r#"{{"amount":{amount},"currency":"CAD"}}"#));
        assert!(refusal.contains(named) && refusal.contains("expected an integer number of cents"), "{refusal}");
    }
}

#[test]
fn json_refuses_amounts_out_of_range() {
    for amount in ["9007199254740992", "-9007199254740992", "9223372036854775807"] {
        let refusal = refusal(&format!(r#"{{"amount":{amount},"currency":"CAD"}}"#));
        assert!(refusal.contains("within 9007199254740991 cents of zero"), "{refusal}");
    }
    assert!(
        refusal(r#"{"amount":18446744073709551615,"currency":"CAD"}"#).contains("expected an integer number of cents")
    );
}

#[test]
fn json_refuses_another_currency_and_other_members() {
    assert!(refusal(r#"{"amount":299,"currency":"USD"}"#).contains("unknown variant `USD`, expected `CAD`"));
    assert!(refusal(r#"{"amount":299}"#).contains("missing field `currency`"));
    assert!(refusal(r#"{"currency":"CAD"}"#).contains("missing field `amount`"));
    assert!(refusal(r#"{"amount":299,"currency":"CAD","cents":1}"#).contains("unknown field `cents`"));
    assert!(refusal("2.99").contains("invalid type"));
}

#[test]
fn arithmetic_stops_at_the_bounds() {
    let cent = Money::new(1);
    assert_eq!(Money::MAX.try_add(cent), Err(MoneyError::OutOfRange));
    assert_eq!(Money::MIN.try_sub(cent), Err(MoneyError::OutOfRange));
    assert_eq!(Money::MAX.try_mul(2), Err(MoneyError::OutOfRange));
    assert_eq!(Money::MAX.try_mul(u32::MAX), Err(MoneyError::OutOfRange));
    assert_eq!(Money::try_sum([Money::MAX, cent, -cent]), Err(MoneyError::OutOfRange));
    assert_eq!(Money::MAX.try_mul(1), Ok(Money::MAX));
    assert_eq!(Money::MAX.try_add(Money::MIN), Ok(Money::ZERO));
    assert_eq!(-Money::MAX, Money::MIN);
    assert_eq!(Money::MIN.abs(), Money::MAX);
    for cents in [i64::MIN, i64::MAX, Money::MAX.cents() + 1, Money::MIN.cents() - 1] {
        assert_eq!(Money::from_cents(cents), Err(MoneyError::OutOfRange));
    }
}

#[test]
fn a_share_rounds_half_up_and_its_negative_alike() {
    let half = |cents| Money::new(cents).share(1, NonZero::new(2).unwrap()).cents();
    assert_eq!([1, 2, 3, -1, -2, -3].map(half), [1, 1, 2, -1, -1, -2]);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn json_round_trips(amount in any_money()) {
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
    }

    #[test]
    fn arithmetic_is_exact_or_an_error(a in any_money(), b in any_money(), factor: u32) {
        let wide = |cents: i128| {
            let cents = i64::try_from(cents).map_err(|_| MoneyError::OutOfRange)?;
            Money::from_cents(cents)
        };
        let (a_wide, b_wide) = (i128::from(a.cents()), i128::from(b.cents()));
        prop_assert_eq!(a.try_add(b), wide(a_wide + b_wide));
        prop_assert_eq!(a.try_sub(b), wide(a_wide - b_wide));
        prop_assert_eq!(a.try_mul(factor), wide(a_wide * i128::from(factor)));
    }

    #[test]
    fn a_share_is_the_exact_one_rounded_once(
        amount in any_money(),
        part: u32,
        whole in 1..=u32::MAX,
    ) {
        let part = part % whole;
        let share = exact(amount) * ratio(i64::from(part), i64::from(whole));
        prop_assert_eq!(amount.share(part, NonZero::new(whole).unwrap()), half_up(&share));
    }

    #[test]
    fn a_share_grows_with_its_part_up_to_the_whole(
        cents in 0..=Money::MAX.cents(),
        part: u32,
        whole in 1..=u32::MAX,
    ) {
        let amount = Money::from_cents(cents).unwrap();
        let whole = NonZero::new(whole).unwrap();
        prop_assert!(amount.share(part, whole) <= amount.share(part.saturating_add(1), whole));
        prop_assert!(amount.share(part, whole) <= amount);
        prop_assert_eq!(amount.share(whole.get(), whole), amount);
    }
}

#[cfg(feature = "openapi")]
#[test]
fn openapi_describes_the_json() {
    use utoipa::{PartialSchema, ToSchema};

    assert_eq!(Money::name(), "Money");
    let schema = serde_json::to_value(Money::schema()).unwrap();
    assert_eq!(
        schema,
        serde_json::json!({
            "type": "object",
            "description": "An amount of money in integer cents.",
            "required": ["amount", "currency"],
            "properties": {
                "amount": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": Money::MIN.cents(),
                    "maximum": Money::MAX.cents(),
                    "example": 299,
                },
                "currency": { "type": "string", "enum": ["CAD"] },
            },
            "additionalProperties": false,
        })
    );
}
