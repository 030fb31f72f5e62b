//! Money is [`pricing`]'s: integer cents of CAD, `{"amount":299,"currency":"CAD"}`. How it is stored
//! is in [`crate::db`].

pub use pricing::{Money, MoneyError};
