//! From the binary format of a result's columns to values, within the limits of a result.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::postgres::{PgColumn, PgRow, PgTypeInfo};
use sqlx::{Column as _, Row as _, ValueRef as _};
use tokio_postgres::types::{FromSql, Type};

use crate::encode::{EPOCH_DAYS, EPOCH_MICROS, JSONB_VERSION};
use crate::kind::{Element, Kind, type_name};
use crate::numeric::{self, NumericError};
use crate::options::Options;
use crate::statement::{Known, Statement};
use crate::types::{Column, Error, Rows, ShapedRows, Value};

/// What becomes of the rows of a statement.
pub(crate) trait Answer: Sized + Send {
    /// Before the statement runs: its columns are known from its preparation.
    fn expect(statement: &Statement, columns: &[PgColumn]) -> Result<Self, Error>;
    /// A row came.
    fn row(&mut self, row: &impl Raw, limits: &Options) -> Result<(), Error>;
    /// The statement is complete.
    fn complete(&mut self, rows_affected: u64);
    /// All went well, on a connection of its own, for parameters of these types.
    fn took(&self, statement: &Statement, parameters: &[PgTypeInfo], quick: bool);
    /// Bytes of all rows so far.
    fn bytes(&self) -> usize;
}

/// A row as it came.
pub(crate) trait Raw {
    /// In the binary format; none is null.
    fn value(&self, column: usize) -> Result<Option<&[u8]>, Error>;
}

impl Raw for PgRow {
    fn value(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        let raw = self.try_get_raw(column).map_err(|error| Error::Conversion(error.to_string()))?;
        Ok(if raw.is_null() { None } else { raw.as_bytes().ok() })
    }
}

impl Raw for tokio_postgres::Row {
    fn value(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        let raw = self.try_get::<_, Option<Untouched<'_>>>(column);
        Ok(raw.map_err(|error| Error::Conversion(error.to_string()))?.map(|Untouched(bytes)| bytes))
    }
}

/// Whatever the type is.
struct Untouched<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Untouched<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// For `execute`: the number of rows affected. Rows that come nevertheless are passed over.
impl Answer for u64 {
    fn expect(_: &Statement, _: &[PgColumn]) -> Result<Self, Error> {
        Ok(0)
    }

    fn row(&mut self, _: &impl Raw, _: &Options) -> Result<(), Error> {
        Ok(())
    }

    fn complete(&mut self, rows_affected: u64) {
        *self += rows_affected;
    }

    fn took(&self, _: &Statement, _: &[PgTypeInfo], _: bool) {}

    fn bytes(&self) -> usize {
        0
    }
}

/// The columns of a result, and how each becomes a value.
#[derive(Debug)]
pub(crate) struct Shape {
    columns: Vec<Column>,
    kinds: Vec<Kind>,
    /// The numbers of their types.
    oids: Vec<u32>,
}

impl Shape {
    pub(crate) fn of(columns: &[PgColumn]) -> Result<Self, Error> {
        let kinds = columns.iter().map(kind_of).collect::<Result<_, _>>()?;
        let oids = columns.iter().map(|column| oid(column.type_info())).collect();
        Ok(Self { columns: columns.iter().map(column).collect(), kinds, oids })
    }

    pub(crate) fn is_of(&self, columns: &[PgColumn]) -> bool {
        self.is(columns.iter().map(|column| (column.name(), oid(column.type_info()))))
    }

    /// Names and numbers of types.
    pub(crate) fn is<'a>(&self, columns: impl ExactSizeIterator<Item = (&'a str, u32)>) -> bool {
        let known = self.columns.iter().zip(&self.oids);
        self.columns.len() == columns.len()
            && known.zip(columns).all(|((known, oid), (name, number))| known.name == name && *oid == number)
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What it occupies.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.columns.iter().map(|column| column.name.len() + column.type_name.len());
        texts.sum::<usize>() + self.columns.len() * (size_of::<Column>() + size_of::<Kind>() + size_of::<u32>())
    }
}

/// For `query`: all rows.
#[derive(Debug)]
pub(crate) struct Collected {
    rows: Vec<Vec<Value>>,
    number: u32,
    shape: Arc<Shape>,
    bytes: usize,
}

impl Collected {
    /// Of rows that are still to come.
    pub(crate) fn of(number: u32, shape: Arc<Shape>) -> Self {
        Self { rows: Vec::new(), number, shape, bytes: 0 }
    }

    /// For who knows the columns by the shape's number.
    pub(crate) fn shaped(self) -> ShapedRows {
        ShapedRows { shape: self.number, rows: self.rows }
    }

    /// For who knows nothing of the statement.
    pub(crate) fn described(self) -> Rows {
        Rows { columns: self.shape.columns().to_vec(), rows: self.rows }
    }
}

impl Answer for Collected {
    fn expect(statement: &Statement, columns: &[PgColumn]) -> Result<Self, Error> {
        let (number, shape) = statement.shape(columns)?;
        Ok(Self::of(number, shape))
    }

    fn row(&mut self, row: &impl Raw, limits: &Options) -> Result<(), Error> {
        if self.rows.len() >= limits.max_rows {
            return Err(Error::Limit(format!("result has more than {} rows", limits.max_rows)));
        }
        let mut values = Vec::with_capacity(self.shape.kinds.len());
        for (index, kind) in self.shape.kinds.iter().enumerate() {
            let bytes = row.value(index)?;
            self.bytes += size_of::<Value>() + bytes.map_or(0, |bytes| footprint(*kind, bytes));
            // Before the copy is made: one value may be as large as the whole result.
            if self.bytes > limits.max_result_bytes {
                return Err(Error::Limit(format!("result has more than {} bytes", limits.max_result_bytes)));
            }
            values.push(match bytes {
                Some(bytes) => decode(*kind, bytes).map_err(|why| self.unconvertible(index, &why))?,
                None => Value::Null,
            });
        }
        self.rows.push(values);
        Ok(())
    }

    fn complete(&mut self, _: u64) {}

    fn took(&self, statement: &Statement, parameters: &[PgTypeInfo], quick: bool) {
        statement.took(quick, self.bytes, || Known {
            parameters: parameters.iter().map(|info| (oid(info), Kind::of(info))).collect(),
            number: self.number,
            shape: Arc::clone(&self.shape),
        });
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Bytes that a value occupies beside itself. Two formats are much shorter than what they become: a null in an array,
/// and a number with many zeros.
pub(crate) fn footprint(kind: Kind, bytes: &[u8]) -> usize {
    match kind {
        Kind::Array { .. } => bytes.len() + array_length(bytes) * size_of::<Option<String>>(),
        Kind::Numeric => numeric::decoded_len(bytes),
        _ => bytes.len(),
    }
}

impl Collected {
    #[cold]
    fn unconvertible(&self, index: usize, why: &str) -> Error {
        let Some(column) = self.shape.columns.get(index) else {
            return Error::Conversion(why.to_owned());
        };
        Error::Conversion(format!("column \"{}\" of type {}: {why}", column.name, column.type_name))
    }
}

fn kind_of(column: &PgColumn) -> Result<Kind, Error> {
    Kind::of(column.type_info()).ok_or_else(|| {
        let name = type_name(column.type_info());
        let advice = match name.as_ref() {
            "timestamp" => "timestamptz",
            "oid" | "xid" | "cid" => "int8",
            "money" => "numeric",
            "record" => "jsonb",
            _ => "text",
        };
        let column = column.name();
        Error::Conversion(format!("column \"{column}\" of type {name}: cast it in the statement, as in `::{advice}`"))
    })
}

/// Columns and parameters have types that the server has told.
fn oid(info: &PgTypeInfo) -> u32 {
    info.oid().map_or(0, |oid| oid.0)
}

fn column(column: &PgColumn) -> Column {
    Column { name: column.name().to_owned(), type_name: type_name(column.type_info()).into_owned() }
}

/// Why there is no value; completed by the column's name and type.
type Misfit = Cow<'static, str>;

const MALFORMED: Misfit = Misfit::Borrowed("the database sent something else");

pub(crate) fn decode(kind: Kind, bytes: &[u8]) -> Result<Value, Misfit> {
    Ok(match kind {
        Kind::Bool => Value::Boolean(fixed::<1>(bytes)? != [0]),
        Kind::Int2 => Value::Int16(i16::from_be_bytes(fixed(bytes)?)),
        Kind::Int4 => Value::Int32(i32::from_be_bytes(fixed(bytes)?)),
        Kind::Int8 => Value::Int64(i64::from_be_bytes(fixed(bytes)?)),
        Kind::Float4 => Value::Float64(f64::from(f32::from_be_bytes(fixed(bytes)?))),
        Kind::Float8 => Value::Float64(f64::from_be_bytes(fixed(bytes)?)),
        Kind::Numeric => Value::Numeric(numeric::decode(bytes).map_err(|why| match why {
            NumericError::NotFinite => Misfit::Borrowed("it is not a finite number"),
            NumericError::Malformed | NumericError::TooLong => MALFORMED,
        })?),
        Kind::Text => Value::Text(text(bytes)?),
        Kind::Bytea => Value::Bytes(bytes.to_vec()),
        Kind::Uuid => Value::Uuid(uuid(bytes)?),
        Kind::Timestamptz => Value::Timestamptz(timestamptz(i64::from_be_bytes(fixed(bytes)?))?),
        Kind::Date => Value::Date(date(i32::from_be_bytes(fixed(bytes)?))?),
        Kind::Json => Value::Json(text(bytes)?),
        Kind::Jsonb => match bytes.split_first() {
            Some((&JSONB_VERSION, rest)) => Value::Json(text(rest)?),
            _ => return Err(MALFORMED),
        },
        Kind::Void => Value::Null,
        Kind::Array { element, .. } => match element {
            Element::Int2 => Value::Int64Array(array(bytes, |item| Ok(i64::from(i16::from_be_bytes(fixed(item)?))))?),
            Element::Int4 => Value::Int64Array(array(bytes, |item| Ok(i64::from(i32::from_be_bytes(fixed(item)?))))?),
            Element::Int8 => Value::Int64Array(array(bytes, |item| Ok(i64::from_be_bytes(fixed(item)?)))?),
            Element::Text => Value::TextArray(array(bytes, text)?),
            Element::Uuid => Value::UuidArray(array(bytes, uuid)?),
        },
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Misfit> {
    bytes.try_into().map_err(|_| MALFORMED)
}

fn text(bytes: &[u8]) -> Result<String, Misfit> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| MALFORMED)
}

fn uuid(bytes: &[u8]) -> Result<(u64, u64), Misfit> {
    let both = u128::from_be_bytes(fixed(bytes)?);
    let low = u64::try_from(both & u128::from(u64::MAX)).map_err(|_| MALFORMED)?;
    let high = u64::try_from(both >> 64).map_err(|_| MALFORMED)?;
    Ok((high, low))
}

fn timestamptz(micros: i64) -> Result<i64, Misfit> {
    match micros {
        i64::MIN | i64::MAX => Err("it is infinite".into()),
        micros => micros.checked_add(EPOCH_MICROS).ok_or_else(|| "it is too late for 64 bits".into()),
    }
}

fn date(days: i32) -> Result<i32, Misfit> {
    match days {
        i32::MIN | i32::MAX => Err("it is infinite".into()),
        days => days.checked_add(EPOCH_DAYS).ok_or_else(|| "it is too late for 32 bits".into()),
    }
}

/// The counterpart of `encode::array`. Lower bounds other than 1 are passed over, more than one dimension is refused.
fn array<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Result<T, Misfit>) -> Result<Vec<Option<T>>, Misfit> {
    let (dimensions, rest) = number(bytes)?;
    let rest = rest.get(8..).ok_or(MALFORMED)?;
    if dimensions == 0 {
        return Ok(Vec::new());
    }
    if dimensions > 1 {
        return Err("it has more than one dimension".into());
    }
    let (length, rest) = number(rest)?;
    let mut rest = rest.get(4..).ok_or(MALFORMED)?;
    let length = usize::try_from(length).map_err(|_| MALFORMED)?;
    // Every element has a length of four bytes, so the message bounds what is reserved.
    let mut values = Vec::with_capacity(length.min(rest.len() / 4));
    for _ in 0..length {
        let (size, tail) = number(rest)?;
        let Ok(size) = usize::try_from(size) else {
            values.push(None);
            rest = tail;
            continue;
        };
        let (item, tail) = tail.split_at_checked(size).ok_or(MALFORMED)?;
        values.push(Some(decode(item)?));
        rest = tail;
    }
    Ok(values)
}

/// The number of elements as announced, but no more than there can be.
fn array_length(bytes: &[u8]) -> usize {
    let announced =
        bytes.get(12..).and_then(|rest| number(rest).ok()).and_then(|(length, _)| usize::try_from(length).ok());
    announced.unwrap_or(0).min(bytes.len() / 4)
}

fn number(bytes: &[u8]) -> Result<(i32, &[u8]), Misfit> {
    let (first, rest) = bytes.split_first_chunk::<4>().ok_or(MALFORMED)?;
    Ok((i32::from_be_bytes(*first), rest))
}
