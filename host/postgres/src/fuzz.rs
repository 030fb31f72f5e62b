//! Bytes that no server would send and parameters that no column has: an answer or an error, never a
//! panic, and never more memory than was counted. `make fuzz` tries many more than the tests do.

use proptest::prelude::*;

use crate::decode::{decode, footprint};
use crate::encode::encode;
use crate::kind::{Element, Kind};
use crate::types::Value;

fn kinds() -> impl Strategy<Value = Kind> {
    let elements =
        prop::sample::select(vec![Element::Int2, Element::Int4, Element::Int8, Element::Text, Element::Uuid]);
    let plain = prop::sample::select(vec![
        Kind::Bool,
        Kind::Int2,
        Kind::Int4,
        Kind::Int8,
        Kind::Float4,
        Kind::Float8,
        Kind::Numeric,
        Kind::Text,
        Kind::Bytea,
        Kind::Uuid,
        Kind::Timestamptz,
        Kind::Date,
        Kind::Json,
        Kind::Jsonb,
        Kind::Void,
    ]);
    prop_oneof![3 => plain, 2 => elements.prop_map(|element| Kind::Array { element, oid: 0 })]
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..max)
}

/// Small numbers are likelier to be taken for what they are not than any.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![4 => -2..6, 1 => any::<i32>()]
}

/// An array as it ought to be, but for its numbers.
fn array() -> impl Strategy<Value = Vec<u8>> {
    let items = prop::collection::vec((prop_oneof![Just(None), number().prop_map(Some)], bytes(20)), 0..6);
    (number(), number(), items, any::<bool>()).prop_map(|(dimensions, length, items, honest)| {
        let count = i32::try_from(items.len()).unwrap_or(0);
        let head = if honest { [1, 0, 25, count, 1] } else { [dimensions, 0, 25, length, 1] };
        let mut message: Vec<u8> = head.iter().flat_map(|number| number.to_be_bytes()).collect();
        for (size, item) in items {
            let own = i32::try_from(item.len()).unwrap_or(0);
            message.extend(size.unwrap_or(own).to_be_bytes());
            message.extend(item);
        }
        message
    })
}

/// `numeric`'s four numbers of 16 bits, and digits.
fn decimal() -> impl Strategy<Value = Vec<u8>> {
    let small = || prop_oneof![4 => -3_i16..8, 1 => any::<i16>()];
    (small(), small(), prop::sample::select(vec![0_u16, 0x4000, 0xc000, 7]), small(), bytes(16)).prop_map(
        |(digits, weight, sign, scale, rest)| {
            let mut message = digits.to_be_bytes().to_vec();
            message.extend(weight.to_be_bytes());
            message.extend(sign.to_be_bytes());
            message.extend(scale.to_be_bytes());
            message.extend(rest);
            message
        },
    )
}

/// Bytes beside the value itself.
fn memory(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Numeric(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Int64Array(items) => size_of_val(items.as_slice()),
        Value::UuidArray(items) => size_of_val(items.as_slice()),
        Value::TextArray(items) => {
            size_of_val(items.as_slice()) + items.iter().flatten().map(String::len).sum::<usize>()
        }
        _ => 0,
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = || any::<String>();
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        any::<i16>().prop_map(Value::Int16),
        any::<i32>().prop_map(Value::Int32),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_map(Value::Float64),
        text().prop_map(Value::Text),
        bytes(50).prop_map(Value::Bytes),
        any::<(u64, u64)>().prop_map(Value::Uuid),
        any::<i64>().prop_map(Value::Timestamptz),
        any::<i32>().prop_map(Value::Date),
        prop_oneof!["[-+0-9.eE]{0,40}", "-?[0-9]{1,30}\\.[0-9]{0,30}", text()].prop_map(Value::Numeric),
        text().prop_map(Value::Json),
        prop::collection::vec(any::<Option<i64>>(), 0..6).prop_map(Value::Int64Array),
        prop::collection::vec(any::<Option<String>>(), 0..6).prop_map(Value::TextArray),
        prop::collection::vec(any::<Option<(u64, u64)>>(), 0..6).prop_map(Value::UuidArray),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_a_value_or_an_error(kind in kinds(), bytes in prop_oneof![bytes(80), array(), decimal()]) {
        let counted = footprint(kind, &bytes);
        if let Ok(value) = decode(kind, &bytes) {
            prop_assert!(memory(&value) <= counted, "{value:?} takes more than {counted} bytes");
        }
    }

    /// What can be sent is what comes back, in its type's own form: sent once more it is the same.
    #[test]
    fn any_value_is_sent_or_refused(value in values(), kind in kinds()) {
        let sent = |value: &Value| {
            let mut out = Vec::new();
            encode(value, kind, &mut out).ok().map(|()| out)
        };
        if let Some(bytes) = sent(&value) {
            match decode(kind, &bytes) {
                Ok(back) => prop_assert_eq!(sent(&back), Some(bytes)),
                Err(why) => prop_assert!(false, "{kind:?} cannot read its own {bytes:?}: {why}"),
            }
        }
    }
}
