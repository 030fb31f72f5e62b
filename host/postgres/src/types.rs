//! The values, rows and errors of `comptoir:postgres/types` (`wit/postgres.wit`), case by case and in its order.
//!
//! With the feature `wasmtime` these very types stand for the interface in `bindgen!`
//! (`with: { "comptoir:postgres/types@0.1.0": comptoir_postgres::types }`), so nothing is copied on its way into a
//! component. They do not know how a value looks on the wire: that is `encode` and `decode`.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// A parameter, or a column of a row.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(variant))]
pub enum Value {
    /// SQL `null` of whatever type.
    #[cfg_attr(feature = "wasmtime", component(name = "null"))]
    Null,
    /// `bool`.
    #[cfg_attr(feature = "wasmtime", component(name = "boolean"))]
    Boolean(bool),
    /// `int2`.
    #[cfg_attr(feature = "wasmtime", component(name = "int16"))]
    Int16(i16),
    /// `int4`.
    #[cfg_attr(feature = "wasmtime", component(name = "int32"))]
    Int32(i32),
    /// `int8`.
    #[cfg_attr(feature = "wasmtime", component(name = "int64"))]
    Int64(i64),
    /// `float8`, and `float4` widened.
    #[cfg_attr(feature = "wasmtime", component(name = "float64"))]
    Float64(f64),
    /// `text`, `varchar`, `char(n)`, `name`, `citext`, and enumerations by label.
    #[cfg_attr(feature = "wasmtime", component(name = "text"))]
    Text(String),
    /// `bytea`.
    #[cfg_attr(feature = "wasmtime", component(name = "bytes"))]
    Bytes(Vec<u8>),
    /// `uuid`: the high and the low 64 bits.
    #[cfg_attr(feature = "wasmtime", component(name = "uuid"))]
    Uuid((u64, u64)),
    /// `timestamptz`: microseconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(feature = "wasmtime", component(name = "timestamptz"))]
    Timestamptz(i64),
    /// `date`: days since 1970-01-01.
    #[cfg_attr(feature = "wasmtime", component(name = "date"))]
    Date(i32),
    /// `numeric` in plain notation, scale kept: `"12.50"`.
    #[cfg_attr(feature = "wasmtime", component(name = "numeric"))]
    Numeric(String),
    /// `json` or `jsonb`, as text.
    #[cfg_attr(feature = "wasmtime", component(name = "json"))]
    Json(String),
    /// `int8[]`; as a parameter `int4[]` and `int2[]` too.
    #[cfg_attr(feature = "wasmtime", component(name = "int64-array"))]
    Int64Array(Vec<Option<i64>>),
    /// An array of anything that is `Text` by itself.
    #[cfg_attr(feature = "wasmtime", component(name = "text-array"))]
    TextArray(Vec<Option<String>>),
    /// `uuid[]`.
    #[cfg_attr(feature = "wasmtime", component(name = "uuid-array"))]
    UuidArray(Vec<Option<(u64, u64)>>),
}

/// A column of a result.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Column {
    /// As the statement calls it.
    #[cfg_attr(feature = "wasmtime", component(name = "name"))]
    pub name: String,
    /// PostgreSQL's name of the type: `int8`, `text`, `_uuid`.
    #[cfg_attr(feature = "wasmtime", component(name = "type-name"))]
    pub type_name: String,
}

/// A result in full.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Rows {
    /// Known for zero rows too.
    #[cfg_attr(feature = "wasmtime", component(name = "columns"))]
    pub columns: Vec<Column>,
    /// Each as long as `columns`.
    #[cfg_attr(feature = "wasmtime", component(name = "rows"))]
    pub rows: Vec<Vec<Value>>,
}

/// A result of a prepared statement, which knows its columns by the number of its shape.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct ShapedRows {
    /// Counts up from 0 when the columns change.
    #[cfg_attr(feature = "wasmtime", component(name = "shape"))]
    pub shape: u32,
    /// Each as long as the shape has columns.
    #[cfg_attr(feature = "wasmtime", component(name = "rows"))]
    pub rows: Vec<Vec<Value>>,
}

/// What PostgreSQL says when it refuses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message} (SQLSTATE {sqlstate})")]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct DatabaseError {
    /// Five characters: PostgreSQL, appendix A.
    #[cfg_attr(feature = "wasmtime", component(name = "sqlstate"))]
    pub sqlstate: String,
    /// The primary message.
    #[cfg_attr(feature = "wasmtime", component(name = "message"))]
    pub message: String,
    /// The secondary message.
    #[cfg_attr(feature = "wasmtime", component(name = "detail"))]
    pub detail: Option<String>,
    /// The name of the constraint that was violated.
    #[cfg_attr(feature = "wasmtime", component(name = "constraint"))]
    pub constraint: Option<String>,
    /// The name of the table concerned.
    #[cfg_attr(feature = "wasmtime", component(name = "table"))]
    pub table: Option<String>,
}

/// Why there is no result. No text in it names an address, a user of the database, or a password.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(variant))]
pub enum Error {
    /// No connection could be had, or it was lost. Whether the statement took effect is unknown only if it was
    /// already sent.
    #[error("database unavailable: {0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "unavailable"))]
    Unavailable(String),
    /// The statement ran into its deadline and was cancelled.
    #[error("the statement ran into its deadline")]
    #[cfg_attr(feature = "wasmtime", component(name = "timeout"))]
    Timeout,
    /// The result or the number of open transactions went over a limit.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "limit"))]
    Limit(String),
    /// A parameter, or the statement itself, is not acceptable.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "invalid-parameter"))]
    InvalidParameter(String),
    /// PostgreSQL refused.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "database"))]
    Database(DatabaseError),
    /// A column has a type or a value that `Value` has no case for.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "conversion"))]
    Conversion(String),
}

/// How much a transaction sees of others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(enum))]
#[repr(u8)]
pub enum Isolation {
    /// PostgreSQL's own default.
    #[default]
    #[cfg_attr(feature = "wasmtime", component(name = "read-committed"))]
    ReadCommitted,
    /// One snapshot for the whole transaction.
    #[cfg_attr(feature = "wasmtime", component(name = "repeatable-read"))]
    RepeatableRead,
    /// As if one transaction ran after the other; expect SQLSTATE 40001 and try again.
    #[cfg_attr(feature = "wasmtime", component(name = "serializable"))]
    Serializable,
}
