use super::*;
use crate::typed_id;

typed_id!(ProductId, i64);
typed_id!(CartId, Uuid);

fn round<T: ToValue + FromValue + Clone + PartialEq + std::fmt::Debug>(value: &T, wire: &Value) {
    assert_eq!(&value.clone().to_value(), wire);
    assert_eq!(&T::from_value(wire.clone()).unwrap(), value);
}

#[test]
fn every_type_is_itself_again() {
    round(&true, &Value::Boolean(true));
    round(&-7_i16, &Value::Int16(-7));
    round(&7_i32, &Value::Int32(7));
    round(&i64::MIN, &Value::Int64(i64::MIN));
    round(&u32::MAX, &Value::Int64(4_294_967_295));
    round(&0.5_f64, &Value::Float64(0.5));
    round(&"Café".to_owned(), &Value::Text("Café".to_owned()));
    round(&vec![0_u8, 255], &Value::Bytes(vec![0, 255]));
    round(&Money::from(-299), &Value::Int64(-299));
    round(&Numeric("12.50".to_owned()), &Value::Numeric("12.50".to_owned()));
    round(&serde_json::json!({"a": [1]}), &Value::Json("{\"a\":[1]}".to_owned()));
    round(&None::<i64>, &Value::Null);
    round(&Some(7_i64), &Value::Int64(7));
    round(&vec![1_i64, 2], &Value::Int64Array(vec![Some(1), Some(2)]));
    round(&vec!["a".to_owned()], &Value::TextArray(vec![Some("a".to_owned())]));
    round(&ProductId(7), &Value::Int64(7));
    let uuid = Uuid::from_u64_pair(1, 2);
    round(&uuid, &Value::Uuid((1, 2)));
    round(&CartId(uuid), &Value::Uuid((1, 2)));
    round(&vec![uuid], &Value::UuidArray(vec![Some((1, 2))]));
}

#[test]
fn times_are_microseconds_and_dates_are_days() {
    let before: Timestamp = "1969-12-31T23:59:59.999999Z".parse().unwrap();
    round(&before, &Value::Timestamptz(-1));
    let finer: Timestamp = "1969-12-31T23:59:59.999999999Z".parse().unwrap();
    assert_eq!(finer.to_value(), Value::Timestamptz(-1));
    round(
        &Timestamp::MAX.round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH),
        &Timestamp::MAX.round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH).to_value(),
    );
    round(&date(1970, 1, 1), &Value::Date(0));
    round(&date(1969, 12, 31), &Value::Date(-1));
    round(&date(2026, 11, 22), &Value::Date(20_779));
    assert!(Date::from_value(Value::Date(i32::MAX)).is_err());
    assert!(Timestamp::from_value(Value::Timestamptz(i64::MAX)).is_err());
}

#[test]
fn integers_widen_and_never_narrow() {
    assert_eq!(i64::from_value(Value::Int32(7)).unwrap(), 7);
    assert_eq!(i32::from_value(Value::Int16(7)).unwrap(), 7);
    assert!(i32::from_value(Value::Int64(7)).is_err());
    assert!(u32::from_value(Value::Int64(-1)).is_err());
}

#[test]
fn a_mismatch_says_what_was_found() {
    let err = bool::from_value(Value::Null).unwrap_err();
    assert_eq!(err.to_string(), "expected a boolean, found null");
    let err = Vec::<i64>::from_value(Value::Int64Array(vec![Some(1), None])).unwrap_err();
    assert_eq!(err.to_string(), "expected an array without nulls");
    assert!(Money::from_value(Value::Int64(i64::MAX)).is_err());
}

#[test]
fn identifiers_are_bare_values_in_json_and_in_texts() {
    assert_eq!(serde_json::to_string(&ProductId(7)).unwrap(), "7");
    assert_eq!(serde_json::from_str::<ProductId>("7").unwrap(), ProductId(7));
    let cart: CartId = "00000000-0000-0001-0000-000000000002".parse().unwrap();
    assert_eq!(cart.to_string(), "00000000-0000-0001-0000-000000000002");
    assert_eq!(serde_json::to_value(cart).unwrap(), cart.to_string());
}
