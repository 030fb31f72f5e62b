//! What the JSON forms share: an integer that refuses a fraction in words a client understands.
//! The forms themselves stand beside their types.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// An integer, or an error that names what was `expected`: serde's own would say `i64`.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<i64, D::Error> {
    deserializer.deserialize_i64(Integer { expected })
}

struct Integer {
    expected: &'static str,
}

impl Visitor<'_> for Integer {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}
