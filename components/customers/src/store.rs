//! The SQL, a file for each thing: customers, addresses, sessions, loyalty.
//!
//! Decides nothing: a statement that finds or changes nothing says so, and the rules in `domain.rs` say
//! why. What is locked in which order stands at the head of each migration.

pub mod addresses;
pub mod customers;
pub mod loyalty;
pub mod sessions;

use sdk::{DbError, FromValue, Value};

use crate::domain::address::Province;
use crate::domain::loyalty::Kind;
use crate::domain::{Language, Status};

/// From the text of a column, for enums whose texts a constraint keeps.
fn known<T>(value: Value, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, DbError> {
    let text = String::from_value(value)?;
    parse(&text).ok_or_else(|| DbError::Conversion(format!("nothing that is known: {text}")))
}

impl FromValue for Status {
    fn from_value(value: Value) -> Result<Status, DbError> {
        known(value, Status::parse)
    }
}

impl FromValue for Language {
    fn from_value(value: Value) -> Result<Language, DbError> {
        known(value, Language::parse)
    }
}

impl FromValue for Province {
    fn from_value(value: Value) -> Result<Province, DbError> {
        known(value, Province::parse)
    }
}

impl FromValue for Kind {
    fn from_value(value: Value) -> Result<Kind, DbError> {
        known(value, Kind::parse)
    }
}
