//! Between Rust's types and [`Value`]s. Nothing is narrowed or rounded on the way.

use super::{DbError, Value};
use crate::Money;
use jiff::civil::{Date, date};
use jiff::{Timestamp, Unit};
use uuid::Uuid;

const EPOCH: Date = date(1970, 1, 1);

/// What can be a statement's parameter: see [`params!`](crate::params).
pub trait ToValue {
    fn to_value(self) -> Value;
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// # Errors
    /// [`DbError::Conversion`] when the value is of another type, or null; the row names the column.
    fn from_value(value: Value) -> Result<Self, DbError>;
}

/// The parameters of a statement: `params![id, name.as_str(), None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::ToValue::to_value($value)),*]
    };
}

/// An exact decimal number in plain notation: `"12.50"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Numeric(pub String);

fn mismatch<T>(expected: &str, value: &Value) -> Result<T, DbError> {
    let found = match value {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Int16(_) => "an int2",
        Value::Int32(_) => "an int4",
        Value::Int64(_) => "an int8",
        Value::Float64(_) => "a float8",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytea",
        Value::Uuid(_) => "a uuid",
        Value::Timestamptz(_) => "a timestamptz",
        Value::Date(_) => "a date",
        Value::Numeric(_) => "a numeric",
        Value::Json(_) => "json",
        Value::Int64Array(_) => "an int8 array",
        Value::TextArray(_) => "a text array",
        Value::UuidArray(_) => "a uuid array",
    };
    Err(DbError::Conversion(format!("expected {expected}, found {found}")))
}

/// Types that one variant holds as they are.
macro_rules! plain {
    ($($type:ty => $variant:ident, $expected:literal;)*) => {$(
        impl ToValue for $type {
            fn to_value(self) -> Value {
                Value::$variant(self)
            }
        }

        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, DbError> {
                match value {
                    Value::$variant(value) => Ok(value),
                    other => mismatch($expected, &other),
                }
            }
        }
    )*};
}

plain! {
    bool => Boolean, "a boolean";
    i16 => Int16, "an int2";
    f64 => Float64, "a float8";
    String => Text, "text";
    Vec<u8> => Bytes, "bytea";
}

impl ToValue for Value {
    fn to_value(self) -> Value {
        self
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, DbError> {
        Ok(value)
    }
}

impl ToValue for i32 {
    fn to_value(self) -> Value {
        Value::Int32(self)
    }
}

impl FromValue for i32 {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Int32(value) => Ok(value),
            Value::Int16(value) => Ok(value.into()),
            other => mismatch("an int4", &other),
        }
    }
}

impl ToValue for i64 {
    fn to_value(self) -> Value {
        Value::Int64(self)
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Int64(value) => Ok(value),
            Value::Int32(value) => Ok(value.into()),
            Value::Int16(value) => Ok(value.into()),
            other => mismatch("an int8", &other),
        }
    }
}

/// As `int8`, which holds every `u32`.
impl ToValue for u32 {
    fn to_value(self) -> Value {
        Value::Int64(self.into())
    }
}

impl FromValue for u32 {
    fn from_value(value: Value) -> Result<Self, DbError> {
        let number = i64::from_value(value)?;
        u32::try_from(number).map_err(|_| DbError::Conversion(format!("{number} is no unsigned 32-bit number")))
    }
}

impl ToValue for &str {
    fn to_value(self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToValue for &String {
    fn to_value(self) -> Value {
        Value::Text(self.clone())
    }
}

impl ToValue for &[u8] {
    fn to_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl ToValue for Uuid {
    fn to_value(self) -> Value {
        Value::Uuid(self.as_u64_pair())
    }
}

impl FromValue for Uuid {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Uuid((high, low)) => Ok(Uuid::from_u64_pair(high, low)),
            other => mismatch("a uuid", &other),
        }
    }
}

/// PostgreSQL keeps microseconds; what is finer is cut off, towards the past.
impl ToValue for Timestamp {
    fn to_value(self) -> Value {
        Value::Timestamptz(self.as_nanosecond().div_euclid(1_000).try_into().unwrap_or(i64::MAX))
    }
}

impl FromValue for Timestamp {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Timestamptz(micros) => Timestamp::from_microsecond(micros)
                .map_err(|err| DbError::Conversion(format!("timestamptz out of range: {err}"))),
            other => mismatch("a timestamptz", &other),
        }
    }
}

impl ToValue for Date {
    fn to_value(self) -> Value {
        Value::Date(EPOCH.until((Unit::Day, self)).map_or(i32::MAX, |span| span.get_days()))
    }
}

impl FromValue for Date {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Date(days) => jiff::Span::new()
                .try_days(days)
                .and_then(|span| EPOCH.checked_add(span))
                .map_err(|err| DbError::Conversion(format!("date out of range: {err}"))),
            other => mismatch("a date", &other),
        }
    }
}

impl ToValue for serde_json::Value {
    fn to_value(self) -> Value {
        Value::Json(self.to_string())
    }
}

impl FromValue for serde_json::Value {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Json(text) => {
                serde_json::from_str(&text).map_err(|err| DbError::Conversion(format!("not valid json: {err}")))
            }
            other => mismatch("json", &other),
        }
    }
}

impl ToValue for Numeric {
    fn to_value(self) -> Value {
        Value::Numeric(self.0)
    }
}

impl FromValue for Numeric {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Numeric(text) => Ok(Numeric(text)),
            other => mismatch("a numeric", &other),
        }
    }
}

/// Cents, as `int8`.
impl ToValue for Money {
    fn to_value(self) -> Value {
        Value::Int64(self.cents())
    }
}

impl FromValue for Money {
    fn from_value(value: Value) -> Result<Self, DbError> {
        let cents = i64::from_value(value)?;
        Money::from_cents(cents).map_err(|err| DbError::Conversion(format!("{cents} cents: {err}")))
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(self) -> Value {
        self.map_or(Value::Null, T::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A list whose elements are none of them null.
fn present<T>(items: Vec<Option<T>>) -> Result<Vec<T>, DbError> {
    let items: Option<Vec<T>> = items.into_iter().collect();
    items.ok_or_else(|| DbError::Conversion("expected an array without nulls".to_owned()))
}

impl ToValue for Vec<i64> {
    fn to_value(self) -> Value {
        Value::Int64Array(self.into_iter().map(Some).collect())
    }
}

impl ToValue for &[i64] {
    fn to_value(self) -> Value {
        Value::Int64Array(self.iter().copied().map(Some).collect())
    }
}

impl ToValue for &Vec<i64> {
    fn to_value(self) -> Value {
        self.as_slice().to_value()
    }
}

impl FromValue for Vec<i64> {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::Int64Array(items) => present(items),
            other => mismatch("an int8 array", &other),
        }
    }
}

impl ToValue for Vec<String> {
    fn to_value(self) -> Value {
        Value::TextArray(self.into_iter().map(Some).collect())
    }
}

impl ToValue for &[String] {
    fn to_value(self) -> Value {
        Value::TextArray(self.iter().cloned().map(Some).collect())
    }
}

impl ToValue for &[&str] {
    fn to_value(self) -> Value {
        Value::TextArray(self.iter().map(|text| Some((*text).to_owned())).collect())
    }
}

impl ToValue for Vec<&str> {
    fn to_value(self) -> Value {
        self.as_slice().to_value()
    }
}

impl FromValue for Vec<String> {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::TextArray(items) => present(items),
            other => mismatch("a text array", &other),
        }
    }
}

impl ToValue for Vec<Uuid> {
    fn to_value(self) -> Value {
        self.as_slice().to_value()
    }
}

impl ToValue for &[Uuid] {
    fn to_value(self) -> Value {
        Value::UuidArray(self.iter().map(|id| Some(id.as_u64_pair())).collect())
    }
}

impl FromValue for Vec<Uuid> {
    fn from_value(value: Value) -> Result<Self, DbError> {
        match value {
            Value::UuidArray(items) => {
                Ok(present(items)?.into_iter().map(|(high, low)| Uuid::from_u64_pair(high, low)).collect())
            }
            other => mismatch("a uuid array", &other),
        }
    }
}

#[cfg(test)]
#[path = "convert/tests.rs"]
mod tests;
