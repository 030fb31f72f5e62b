//! Rows, and how they become a service's own types.

use super::wire::Column;
use super::{DbError, FromValue, Value};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// The rows of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Known for zero rows too.
    pub columns: Arc<[Column]>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

/// One row of a result.
#[derive(Debug)]
pub struct Row<'a> {
    columns: &'a [Column],
    /// A value is moved out by the first `get`: a text is not copied once more.
    values: RefCell<Vec<Value>>,
    /// One bit for each of the first 64 columns whose value was moved out.
    taken: Cell<u64>,
    /// Where the next column is looked for first: statements mostly select in the order of the fields.
    next: Cell<usize>,
}

/// What a row can become: see [`from_row!`](crate::from_row).
pub trait FromRow: Sized {
    /// # Errors
    /// When a column is missing or of another type.
    fn from_row(row: &Row<'_>) -> Result<Self, DbError>;
}

impl Row<'_> {
    /// The value of the column of that name.
    ///
    /// # Errors
    /// [`DbError::Conversion`] when there is no such column, when its value is of another type, or
    /// when a text or a list is asked for a second time.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T, DbError> {
        let index = self
            .position(name)
            .ok_or_else(|| DbError::Conversion(format!("the statement selects no column {name:?}")))?;
        self.next.set(index + 1);
        self.take(index)
    }

    /// The value of the column at that place, from 0.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn at<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        self.take(index)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let next = self.next.get();
        if self.columns.get(next).is_some_and(|column| column.name == name) {
            return Some(next);
        }
        self.columns.iter().position(|column| column.name == name)
    }

    fn take<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        let named = |err: DbError| match err {
            DbError::Conversion(text) => {
                let name = self.columns.get(index).map_or("?", |column| &column.name);
                DbError::Conversion(format!("column {name:?}: {text}"))
            }
            other => other,
        };
        let mut values = self.values.borrow_mut();
        let Some(slot) = values.get_mut(index) else {
            return Err(DbError::Conversion(format!("the statement selects no column {index}")));
        };
        let value = match slot {
            Value::Text(_)
            | Value::Bytes(_)
            | Value::Numeric(_)
            | Value::Json(_)
            | Value::Int64Array(_)
            | Value::TextArray(_)
            | Value::UuidArray(_)
                if index < 64 =>
            {
                self.taken.set(self.taken.get() | 1 << index);
                std::mem::take(slot)
            }
            Value::Null if index < 64 && self.taken.get() & 1 << index != 0 => {
                return Err(named(DbError::Conversion("was already read".to_owned())));
            }
            slot => slot.clone(),
        };
        T::from_value(value).map_err(named)
    }
}

impl Rows {
    /// Every row, as a type of the service's.
    ///
    /// # Errors
    /// The first row that cannot become one.
    pub fn decode<T: FromRow>(self) -> Result<Vec<T>, DbError> {
        let Rows { columns, rows } = self;
        rows.into_iter()
            .map(|values| {
                T::from_row(&Row {
                    columns: &columns,
                    values: RefCell::new(values),
                    taken: Cell::new(0),
                    next: Cell::new(0),
                })
            })
            .collect()
    }
}

/// Implements [`FromRow`] for a struct whose fields have the names of the columns.
///
/// ```
/// struct Product { id: i64, name: String }
/// sdk::from_row!(Product { id, name });
/// ```
#[macro_export]
macro_rules! from_row {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::FromRow for $type {
            fn from_row(row: &$crate::Row<'_>) -> ::std::result::Result<Self, $crate::DbError> {
                Ok(Self { $($field: row.get(stringify!($field))?),* })
            }
        }
    };
}

/// By position; the number of columns must match, so that none is overlooked.
macro_rules! tuples {
    ($(($($type:ident $index:literal),*) $count:literal;)*) => {$(
        impl<$($type: FromValue),*> FromRow for ($($type,)*) {
            fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
                if row.columns.len() != $count {
                    return Err(DbError::Conversion(format!(
                        "expected {} columns, found {}", $count, row.columns.len()
                    )));
                }
                Ok(($(row.at::<$type>($index)?,)*))
            }
        }
    )*};
}

tuples! {
    (A 0) 1;
    (A 0, B 1) 2;
    (A 0, B 1, C 2) 3;
    (A 0, B 1, C 2, D 3) 4;
    (A 0, B 1, C 2, D 3, E 4) 5;
    (A 0, B 1, C 2, D 3, E 4, F 5) 6;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6) 7;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7) 8;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8) 9;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9) 10;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10) 11;
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11) 12;
}
