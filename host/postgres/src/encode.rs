//! From values to the binary format of the parameters that PostgreSQL inferred for a statement.
//!
//! The type of a parameter is the statement's, not the value's: prepared statements are cached by their text alone, so
//! declaring the types of the first call would bind all later ones. A value is converted where nothing is lost and
//! refused otherwise.

use std::borrow::Cow;
use std::fmt::{self, Display};

use bytes::BytesMut;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments as _, Postgres, Type};
use tokio_postgres::types::{IsNull as Nullity, ToSql, Type as ParameterType};

use crate::kind::{Element, Kind, type_name};
use crate::numeric::{self, NumericError};
use crate::types::{Error, Value};

/// 1970-01-01 as days before PostgreSQL's day 0, which is 2000-01-01.
pub(crate) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(crate) const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// `jsonb_recv`: the only version of the format.
pub(crate) const JSONB_VERSION: u8 = 1;

/// Every integer up to this is a `float8` of its own.
const EXACT_FLOAT8: i64 = 1 << 53;
/// Every integer up to this is a `float4` of its own.
const EXACT_FLOAT4: i64 = 1 << 24;

/// Values for a connection that is shared, in the formats of the types that the statement is known to have.
pub(crate) fn parameters(expected: &[(u32, Option<Kind>)], values: &[Value]) -> Result<Vec<Encoded>, Misfit> {
    if expected.len() != values.len() {
        return Err(Misfit::Borrowed("the statement has another number of parameters"));
    }
    let encoded = |((_, kind), value): (&(u32, Option<Kind>), &Value)| {
        if matches!(value, Value::Null) {
            return Ok(Encoded(None));
        }
        let mut bytes = Vec::new();
        encode(value, kind.ok_or("there is no value for this type")?, &mut bytes)?;
        Ok(Encoded(Some(bytes)))
    };
    expected.iter().zip(values).map(encoded).collect()
}

/// A value as it is sent. It does not show itself: `tokio_postgres` would tell the log.
pub(crate) struct Encoded(Option<Vec<u8>>);

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl ToSql for Encoded {
    fn to_sql(&self, _: &ParameterType, out: &mut BytesMut) -> Result<Nullity, BoxDynError> {
        match &self.0 {
            None => Ok(Nullity::Yes),
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(Nullity::No)
            }
        }
    }

    fn accepts(_: &ParameterType) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// The arguments of one call.
pub(crate) fn arguments(expected: &[PgTypeInfo], values: &[Value]) -> Result<PgArguments, Error> {
    if expected.len() != values.len() {
        let (expected, got) = (expected.len(), values.len());
        return Err(Error::InvalidParameter(format!("statement has {expected} parameters: got {got}")));
    }
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for (index, (info, value)) in expected.iter().zip(values).enumerate() {
        arguments.add(Parameter { value, info }).map_err(|why| {
            let (number, name) = (index + 1, type_name(info));
            Error::InvalidParameter(format!("parameter ${number} has type {name}: {why}"))
        })?;
    }
    Ok(arguments)
}

/// Bytes that they come to, roughly.
pub(crate) fn bytes(values: &[Value]) -> usize {
    let one = |value: &Value| match value {
        Value::Text(text) | Value::Numeric(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Int64Array(values) => values.len() * 12,
        Value::UuidArray(values) => values.len() * 20,
        Value::TextArray(values) => values.iter().flatten().map(|text| text.len() + 4).sum(),
        _ => size_of::<Value>(),
    };
    values.iter().map(one).sum()
}

/// A value for a place of a known type.
struct Parameter<'a> {
    value: &'a Value,
    info: &'a PgTypeInfo,
}

impl Type<Postgres> for Parameter<'_> {
    /// Never asked for: `produces` always knows better.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if matches!(self.value, Value::Null) {
            return Ok(IsNull::Yes);
        }
        match Kind::of(self.info) {
            Some(kind) => encode(self.value, kind, out)?,
            None => {
                return Err("there is no value for this type, cast the parameter, as in `$1::text`".into());
            }
        }
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}

/// Why a value does not fit; completed by the parameter's number and type.
type Misfit = Cow<'static, str>;

pub(crate) fn encode(value: &Value, kind: Kind, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match (value, kind) {
        (Value::Boolean(value), Kind::Bool) => out.push(u8::from(*value)),
        (Value::Int16(value), _) => integer(i64::from(*value), kind, out)?,
        (Value::Int32(value), _) => integer(i64::from(*value), kind, out)?,
        (Value::Int64(value), _) => integer(*value, kind, out)?,
        (Value::Float64(value), Kind::Float8) => out.extend_from_slice(&value.to_be_bytes()),
        (Value::Float64(value), Kind::Float4) => out.extend_from_slice(&narrow(*value)?.to_be_bytes()),
        (Value::Text(value), Kind::Text | Kind::Json) | (Value::Json(value), Kind::Json) => {
            out.extend_from_slice(value.as_bytes());
        }
        (Value::Text(value) | Value::Json(value), Kind::Jsonb) => {
            out.push(JSONB_VERSION);
            out.extend_from_slice(value.as_bytes());
        }
        (Value::Bytes(value), Kind::Bytea) => out.extend_from_slice(value),
        (Value::Uuid(value), Kind::Uuid) => uuid(*value, out),
        (Value::Timestamptz(value), Kind::Timestamptz) => {
            // The smallest number stands for `-infinity`.
            let micros = value.checked_sub(EPOCH_MICROS).filter(|micros| *micros != i64::MIN);
            out.extend_from_slice(&micros.ok_or_else(|| out_of_range(value))?.to_be_bytes());
        }
        (Value::Date(value), Kind::Date) => {
            let days = value.checked_sub(EPOCH_DAYS).filter(|days| *days != i32::MIN);
            out.extend_from_slice(&days.ok_or_else(|| out_of_range(value))?.to_be_bytes());
        }
        (Value::Numeric(value), Kind::Numeric) => numeric::encode(value, out).map_err(|why| not_numeric(why, value))?,
        (Value::Int64Array(values), Kind::Array { element, oid }) => integers(values, element, oid, out)?,
        (Value::TextArray(values), Kind::Array { element: Element::Text, oid }) => {
            array(values, oid, out, |value, out| {
                out.extend_from_slice(value.as_bytes());
                Ok(())
            })?;
        }
        (Value::UuidArray(values), Kind::Array { element: Element::Uuid, oid }) => {
            array(values, oid, out, |value, out| {
                uuid(*value, out);
                Ok(())
            })?;
        }
        _ => return Err(got(value)),
    }
    Ok(())
}

fn integer(value: i64, kind: Kind, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match kind {
        Kind::Int2 => out.extend_from_slice(&i16::try_from(value).map_err(|_| out_of_range(value))?.to_be_bytes()),
        Kind::Int4 => out.extend_from_slice(&i32::try_from(value).map_err(|_| out_of_range(value))?.to_be_bytes()),
        Kind::Int8 => out.extend_from_slice(&value.to_be_bytes()),
        Kind::Numeric => numeric::encode(&value.to_string(), out).map_err(|_| out_of_range(value))?,
        Kind::Float8 if value.unsigned_abs() <= EXACT_FLOAT8.unsigned_abs() => {
            out.extend_from_slice(&(value as f64).to_be_bytes());
        }
        Kind::Float4 if value.unsigned_abs() <= EXACT_FLOAT4.unsigned_abs() => {
            out.extend_from_slice(&(value as f32).to_be_bytes());
        }
        Kind::Float4 | Kind::Float8 => return Err(format!("{value} would be rounded").into()),
        _ => return Err("got an integer".into()),
    }
    Ok(())
}

/// `float4` if nothing is lost; not-a-number stays what it is.
fn narrow(value: f64) -> Result<f32, Misfit> {
    let narrow = value as f32;
    let exact = f64::from(narrow) == value || value.is_nan();
    exact.then_some(narrow).ok_or_else(|| format!("{value} would be rounded").into())
}

fn uuid((high, low): (u64, u64), out: &mut Vec<u8>) {
    out.extend_from_slice(&high.to_be_bytes());
    out.extend_from_slice(&low.to_be_bytes());
}

fn integers(values: &[Option<i64>], element: Element, oid: u32, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let kind = match element {
        Element::Int2 => Kind::Int2,
        Element::Int4 => Kind::Int4,
        Element::Int8 => Kind::Int8,
        Element::Text | Element::Uuid => return Err("got an int64-array".into()),
    };
    array(values, oid, out, |value, out| integer(*value, kind, out))
}

/// `array_recv`: dimensions, whether there are nulls, type of the elements; then length and lower bound of each
/// dimension; then the elements, each after its length. An empty array has no dimension.
fn array<T>(
    values: &[Option<T>],
    oid: u32,
    out: &mut Vec<u8>,
    encode: impl Fn(&T, &mut Vec<u8>) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let length = |length: usize| i32::try_from(length).map_err(|_| Misfit::from("it is too long"));
    let has_null = i32::from(values.iter().any(Option::is_none));
    out.extend_from_slice(&i32::from(!values.is_empty()).to_be_bytes());
    out.extend_from_slice(&has_null.to_be_bytes());
    out.extend_from_slice(&oid.to_be_bytes());
    if values.is_empty() {
        return Ok(());
    }
    out.extend_from_slice(&length(values.len())?.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for value in values {
        let start = out.len();
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        if let Some(value) = value {
            encode(value, out)?;
            let size = length(out.len() - start - 4)?;
            if let Some(prefix) = out.get_mut(start..start + 4) {
                prefix.copy_from_slice(&size.to_be_bytes());
            }
        }
    }
    Ok(())
}

fn out_of_range(value: impl Display) -> Misfit {
    format!("{value} is out of range").into()
}

fn not_numeric(why: NumericError, value: &str) -> Misfit {
    match why {
        NumericError::TooLong => "the number has too many digits".into(),
        NumericError::NotFinite | NumericError::Malformed => {
            let shown: String = value.chars().take(40).collect();
            format!("{shown:?} is not a decimal number in plain notation").into()
        }
    }
}

fn got(value: &Value) -> Misfit {
    Misfit::Borrowed(match value {
        Value::Null => "got null",
        Value::Boolean(_) => "got a boolean",
        Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => "got an integer",
        Value::Float64(_) => "got a float64",
        Value::Text(_) => "got text",
        Value::Bytes(_) => "got bytes",
        Value::Uuid(_) => "got a uuid",
        Value::Timestamptz(_) => "got a timestamptz",
        Value::Date(_) => "got a date",
        Value::Numeric(_) => "got a numeric",
        Value::Json(_) => "got json",
        Value::Int64Array(_) => "got an int64-array",
        Value::TextArray(_) => "got a text-array",
        Value::UuidArray(_) => "got a uuid-array",
    })
}
