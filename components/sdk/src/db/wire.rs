//! The types of `comptoir:postgres/types`, written once: the bindings use these very types, so that
//! a row crosses from the host into a service without being rebuilt on the way.

/// A parameter, or a column of a row. PostgreSQL infers a parameter's type from its place in the
/// statement; the host converts where nothing is lost and refuses otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Boolean(bool),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float64(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// The high and the low 64 bits.
    Uuid((u64, u64)),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamptz(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Plain notation, scale kept: `"12.50"`.
    Numeric(String),
    Json(String),
    Int64Array(Vec<Option<i64>>),
    TextArray(Vec<Option<String>>),
    UuidArray(Vec<Option<(u64, u64)>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// PostgreSQL's name of the type: `int8`, `text`, `_uuid`.
    pub type_name: String,
}

/// What comes with a statement that nobody prepared.
#[cfg(target_family = "wasm")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Known for zero rows too.
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

/// Rows of a prepared statement.
#[cfg(target_family = "wasm")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShapedRows {
    /// Which columns they have.
    pub shape: u32,
    pub rows: Vec<Vec<Value>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseError {
    /// Five characters: PostgreSQL, appendix A.
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub constraint: Option<String>,
    pub table: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    Unavailable(String),
    Timeout,
    Limit(String),
    InvalidParameter(String),
    Database(DatabaseError),
    Conversion(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    #[default]
    ReadCommitted,
    RepeatableRead,
    Serializable,
}
