//! Natively there is no host: without the feature `testing` every call says so; with it PostgreSQL
//! is reached through the host's own crate, and other services are routers in this process.

#[cfg(not(feature = "testing"))]
mod absent;
#[cfg(feature = "testing")]
mod postgres;
#[cfg(feature = "testing")]
mod routers;

#[cfg(not(feature = "testing"))]
pub use absent::{Database, Http, Transaction, sleep};
#[cfg(feature = "testing")]
pub use postgres::{Database, Transaction};
#[cfg(feature = "testing")]
pub use routers::{Fault, Http, Moment, Trap};

use super::{Instrument, Level};
use jiff::Timestamp;

#[cfg(feature = "testing")]
pub async fn sleep(duration: std::time::Duration) {
    tokio::time::sleep(duration).await;
}

pub fn now() -> Timestamp {
    Timestamp::now()
}

pub fn random_u64() -> u64 {
    rand::random()
}

/// There is no host to ask.
pub fn secret(_: &str) -> Option<String> {
    None
}

pub fn log(level: Level, message: &str, fields: &[(String, String)]) {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let fields = fields.join(" ");
    match level {
        Level::Debug => tracing::debug!("{message} {fields}"),
        Level::Info => tracing::info!("{message} {fields}"),
        Level::Warn => tracing::warn!("{message} {fields}"),
        Level::Error => tracing::error!("{message} {fields}"),
    }
}

pub fn measure(instrument: Instrument, name: &str, labels: &[(&str, &str)], value: f64) {
    tracing::trace!(?instrument, name, ?labels, value, "measured");
}
