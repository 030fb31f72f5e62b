//! The world below, behind one face: what the host imports give on WebAssembly, and what stands in
//! for them natively. Nothing else in this crate is compiled for one target alone.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub use native::*;
#[cfg(target_family = "wasm")]
pub use wasm::*;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use std::time::Duration;

/// A request to another service, whole.
#[derive(Debug)]
#[cfg_attr(
    not(any(feature = "testing", target_family = "wasm")),
    expect(dead_code, reason = "without a host nobody reads what is to be sent")
)]
pub struct Outgoing {
    pub method: Method,
    /// Absolute: the authority is the other service's logical name.
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// For everything, from the first byte sent to the last one received.
    pub deadline: Duration,
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// How a measurement adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    Counter,
    Gauge,
    Histogram,
}
