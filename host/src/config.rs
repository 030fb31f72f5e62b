//! What a host runs, checked before anything is bound: services, their databases, peers and
//! secrets. All mistakes are reported at once.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use comptoir_postgres::PgConnectOptions;
use http::HeaderValue;
use http::uri::Authority;

use crate::identity::{Secret, Trust};
use crate::limits::Limits;
use crate::outbound::Peers;
use crate::spans::SpanArgs;

/// By name.
pub type Secrets = BTreeMap<String, Secret>;

/// One component and everything that it is given.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Identity, metric label, name in the admin interface.
    pub name: String,
    /// The value of `X-Served-By`: tells replicas apart.
    pub served_by: HeaderValue,
    pub component: PathBuf,
    /// Whether replacing the file replaces the running component.
    pub watch: bool,
    pub listen: SocketAddr,
    pub database: Option<Database>,
    pub peers: Peers,
    pub trust: Trust,
    /// What the component may ask for by name.
    pub secrets: Arc<Secrets>,
    pub limits: Arc<Limits>,
    pub spans: SpanArgs,
}

/// Where a service's database is. `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct Database(pub PgConnectOptions);

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({}:{})", self.0.get_host(), self.0.get_port())
    }
}

/// What all services of a process share.
#[derive(Clone, Debug)]
pub struct HostConfig {
    pub services: Vec<ServiceConfig>,
    pub admin: Option<AdminConfig>,
    /// Where compiled components are kept.
    pub cache: PathBuf,
    /// Threads that serve requests.
    pub shards: usize,
    /// How long a shutdown waits for requests in flight.
    pub grace: Duration,
    pub limits: Arc<Limits>,
}

/// `NAME=HOST:PORT`, the value of a flag.
pub fn parse_place(flag: &str, text: &str) -> anyhow::Result<(String, Authority)> {
    let (name, place) = text.split_once('=').with_context(|| format!("{flag} {text}: expected NAME=HOST:PORT"))?;
    let place: Authority = place.parse().with_context(|| format!("{flag} {text}: HOST:PORT is malformed"))?;
    if place.port().is_none() {
        bail!("{flag} {text}: the port is missing");
    }
    Ok((name.to_owned(), place))
}

#[derive(Clone, Debug)]
pub struct AdminConfig {
    pub listen: SocketAddr,
    /// Without a token, what changes something is refused.
    pub token: Option<Secret>,
}

/// Every mistake of a configuration.
#[derive(Debug, Default)]
pub struct ConfigErrors(Vec<String>);

impl ConfigErrors {
    pub fn push(&mut self, mistake: impl fmt::Display) {
        self.0.push(mistake.to_string());
    }

    /// The value, or a record of why there is none.
    pub fn take<T>(&mut self, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(format_args!("{error:#}"))).ok()
    }

    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} mistake(s):", self.0.len())?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}

impl std::error::Error for ConfigErrors {}
