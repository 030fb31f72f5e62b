//! The host's imports. A future of the bindings holds raw pointers and is not `Send`; a component
//! has one thread, so a `SendWrapper`, which checks just that, makes it fit for axum.

mod http;
mod statements;

pub use self::http::Http;

use super::{Instrument, Level};
use crate::db::Rows;
use crate::db::wire::{Error, Isolation, Value};
use crate::guest::bindings::comptoir::postgres::client;
use crate::guest::bindings::comptoir::service::{logging, metrics, secrets};
use jiff::Timestamp;
use send_wrapper::SendWrapper;
use std::time::Duration;
use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::random::random::get_random_u64;

/// The one database that the host gives this component.
#[derive(Clone, Debug)]
pub struct Database(());

impl Database {
    pub fn from_host() -> Self {
        Database(())
    }

    pub fn query(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<Rows, Error>> + Send + use<> {
        SendWrapper::new(statements::query(statements::prepared(sql), params, None))
    }

    pub fn execute(&self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<u64, Error>> + Send + use<> {
        SendWrapper::new(statements::execute(statements::prepared(sql), params, None))
    }

    pub fn begin(&self, isolation: Isolation) -> impl Future<Output = Result<Transaction, Error>> + Send + use<> {
        SendWrapper::new(async move { client::Transaction::begin(isolation).await.map(Transaction) })
    }
}

#[derive(Debug)]
pub struct Transaction(client::Transaction);

impl Transaction {
    pub fn query<'a>(
        &'a self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Rows, Error>> + Send + use<'a> {
        SendWrapper::new(statements::query(statements::prepared(sql), params, Some(&self.0)))
    }

    pub fn execute<'a>(
        &'a self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'a> {
        SendWrapper::new(statements::execute(statements::prepared(sql), params, Some(&self.0)))
    }

    pub fn commit(self) -> impl Future<Output = Result<(), Error>> + Send {
        SendWrapper::new(client::Transaction::commit(self.0))
    }

    pub fn rollback(self) -> impl Future<Output = Result<(), Error>> + Send {
        SendWrapper::new(client::Transaction::rollback(self.0))
    }
}

pub fn now() -> Timestamp {
    let now = system_clock::now();
    let nanoseconds = i32::try_from(now.nanoseconds).unwrap_or(0);
    Timestamp::new(now.seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub fn sleep(duration: Duration) -> impl Future<Output = ()> + Send {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    SendWrapper::new(monotonic_clock::wait_for(nanoseconds))
}

pub fn random_u64() -> u64 {
    get_random_u64()
}

pub fn secret(name: &str) -> Option<String> {
    secrets::get(name)
}

pub fn log(level: Level, message: &str, fields: &[(String, String)]) {
    let level = match level {
        Level::Debug => logging::Level::Debug,
        Level::Info => logging::Level::Info,
        Level::Warn => logging::Level::Warn,
        Level::Error => logging::Level::Error,
    };
    logging::log(level, message, fields);
}

pub fn measure(instrument: Instrument, name: &str, labels: &[(&str, &str)], value: f64) {
    let labels: Vec<(String, String)> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match instrument {
        Instrument::Counter => metrics::counter_add(name, &labels, value),
        Instrument::Gauge => metrics::gauge_set(name, &labels, value),
        Instrument::Histogram => metrics::histogram_observe(name, &labels, value),
    }
}
