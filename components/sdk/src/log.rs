//! Structured log lines: a constant sentence, and what varies beside it. The host adds the service
//! and its generation; the ids of the request and of its trace are added here.
//!
//! ```
//! sdk::log::info!("a cart was merged", cart = 7, lines = 3);
//! ```

pub use crate::backend::Level;
use crate::{backend, request};
use std::fmt::Display;

/// What the macros expand to.
#[doc(hidden)]
pub fn write(level: Level, message: &'static str, fields: &[(&str, &dyn Display)]) {
    // Before the others, of which a host may leave some out.
    let mut texts: Vec<(String, String)> = Vec::with_capacity(2 + fields.len());
    if let Some(request) = request::current() {
        texts.push(("request_id".to_owned(), request.request_id().to_owned()));
        texts.push(("trace_id".to_owned(), request.trace_id().to_owned()));
    }
    texts.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
    backend::log(level, message, &texts);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $message:literal $(, $field:ident = $value:expr)* $(,)?) => {
        $crate::log::write(
            $crate::log::Level::$level,
            $message,
            &[$((stringify!($field), &$value as &dyn ::std::fmt::Display)),*],
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($arg:tt)*) => { $crate::__log!(Debug, $($arg)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($arg:tt)*) => { $crate::__log!(Info, $($arg)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($arg:tt)*) => { $crate::__log!(Warn, $($arg)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($arg:tt)*) => { $crate::__log!(Error, $($arg)*) };
}

#[doc(inline)]
pub use {__debug as debug, __error as error, __info as info, __warn as warn};
