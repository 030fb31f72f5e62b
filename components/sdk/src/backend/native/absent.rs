//! What a service has when it is compiled natively and nothing stands in for a host.

use crate::ClientError;
use crate::backend::Outgoing;
use crate::db::Rows;
use crate::db::wire::{Error, Isolation, Value};
use bytes::Bytes;
use http::Response;
use std::time::Duration;

const NO_HOST: &str = "there is no host: build for wasm32-wasip2, or enable the feature `testing`";

fn unavailable<T>() -> Result<T, Error> {
    Err(Error::Unavailable(NO_HOST.to_owned()))
}

#[derive(Clone, Debug)]
pub struct Database(());

impl Database {
    pub fn from_host() -> Self {
        Database(())
    }

    pub async fn query(&self, _sql: &str, _params: Vec<Value>) -> Result<Rows, Error> {
        unavailable()
    }

    pub async fn execute(&self, _sql: &str, _params: Vec<Value>) -> Result<u64, Error> {
        unavailable()
    }

    pub async fn begin(&self, _isolation: Isolation) -> Result<Transaction, Error> {
        unavailable()
    }
}

/// None was ever begun.
#[derive(Debug)]
pub enum Transaction {}

impl Transaction {
    pub async fn query(&self, _sql: &str, _params: Vec<Value>) -> Result<Rows, Error> {
        match *self {}
    }

    pub async fn execute(&self, _sql: &str, _params: Vec<Value>) -> Result<u64, Error> {
        match *self {}
    }

    pub async fn commit(self) -> Result<(), Error> {
        match self {}
    }

    pub async fn rollback(self) -> Result<(), Error> {
        match self {}
    }
}

#[derive(Clone, Debug)]
pub struct Http(());

impl Http {
    pub fn from_host() -> Self {
        Http(())
    }

    pub async fn send(&self, _outgoing: Outgoing) -> Result<Response<Bytes>, ClientError> {
        Err(ClientError::Unavailable(NO_HOST.to_owned()))
    }
}

pub async fn sleep(_duration: Duration) {}
