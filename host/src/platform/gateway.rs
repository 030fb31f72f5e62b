//! The gateway of `comptoir up` and `comptoir gateway`: does what Kong does, from the same `kong/kong.yml`. It
//! knows the part of Kong that the file uses, and refuses a file that says more. Not a Kong: no
//! admin API, no TLS, no database, no Lua.
//!
//! Where it differs on purpose: its own answers are problem documents; a target that refuses connections
//! is a 503 with `Retry-After`, not a 502; a replica that was silent once is not asked the same again;
//! identity headers of clients are removed whatever the file says, and of any number; a request with
//! more than 100 headers is refused.
//!
//! In reading order: [`document`] (YAML, strictly), [`config`] (what the file says), [`plugins`] (what
//! they do), [`route`] and [`path`] (where a request belongs), [`balance`] and [`probe`] (which replica
//! takes it), [`proxy`] (one request), [`body`] and [`headers`], [`server`] (connections), [`running`]
//! (all cores), [`command`] (`comptoir gateway`).

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::uri::Authority;
use prometheus::Registry;

use self::balance::{Outcome, Pool, Target, Witness};
use self::config::Config;
use self::metrics::Metrics;
use self::plugins::{Consumers, Plugins};
use self::proxy::Proxy;
use self::route::Table;
use super::secrets::Placeholders;

mod balance;
mod body;
mod command;
mod config;
mod document;
mod headers;
mod metrics;
mod path;
mod plugins;
mod probe;
mod problem;
mod proxy;
mod route;
mod running;
mod server;
#[cfg(test)]
mod tests;

pub use self::command::gateway;
pub use self::document::Mistake;
pub use self::running::Running;

/// Where a host of `kong.yml` is that has this name and this port there; `None` when there is no such host.
pub type Locate<'a> = &'a dyn Fn(&str, u16) -> Option<Authority>;

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Config(ConfigErrors),
    #[error("cannot register the gateway's metrics")]
    Metrics(#[from] prometheus::Error),
}

/// Every mistake of `kong.yml`, one a line, with its place.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<Mistake>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gateway cannot do what its configuration says:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// Cheap to clone; every core serves with the same.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

/// What all cores share: who is healthy, and everything that does not change.
#[derive(Debug)]
struct Shared {
    routes: Table,
    /// For requests without a route.
    plugins: Plugins,
    pools: Vec<Arc<Pool>>,
    consumers: Consumers,
    metrics: Metrics,
    /// Whether some core asks the targets how they are.
    probing: AtomicBool,
}

impl Shared {
    fn report(&self, pool: &Pool, target: &Target, outcome: Outcome, witness: Witness) {
        if let Some(healthy) = pool.report(target, outcome, witness) {
            self.metrics.target_is(pool, target, healthy);
        }
    }
}

impl Gateway {
    pub fn load(
        path: &Path,
        placeholders: &Placeholders,
        locate: Locate<'_>,
        registry: &Registry,
    ) -> Result<Self, LoadError> {
        let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, placeholders, locate, registry)
    }

    pub fn parse(
        text: &str,
        placeholders: &Placeholders,
        locate: Locate<'_>,
        registry: &Registry,
    ) -> Result<Self, LoadError> {
        let refuse = |mistakes| LoadError::Config(ConfigErrors(mistakes));
        let config = Config::parse(text, placeholders).map_err(refuse)?;
        let (routes, pools) = connect(&config, locate).map_err(refuse)?;
        let metrics = Metrics::register(registry)?;
        if config.plugins.prometheus.is_some_and(|plugin| plugin.upstream_health) {
            for (pool, target) in pools.iter().flat_map(|pool| pool.targets.iter().map(move |target| (pool, target))) {
                metrics.target_is(pool, target, true);
            }
        }
        let Config { plugins, consumers, .. } = config;
        Ok(Self(Arc::new(Shared { routes, plugins, pools, consumers, metrics, probing: AtomicBool::new(false) })))
    }

    /// Names of the routes, the one to try first in front.
    pub fn routes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.routes.routes().map(|route| route.name.as_str()).collect();
        names.dedup();
        names
    }

    /// Serves one core's listener until `shutdown`, then waits at most `grace` for the requests that run. To be called
    /// on the runtime of that core; the first caller also probes the targets.
    pub async fn serve(
        &self,
        listener: std::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send,
        grace: Duration,
    ) -> std::io::Result<()> {
        let first = !self.0.probing.swap(true, Ordering::Relaxed);
        let probes = first.then(|| probe::start(&self.0));
        let proxy = Arc::new(Proxy::new(Arc::clone(&self.0)));
        let served = server::serve(proxy, listener, shutdown, grace).await;
        if probes.is_some() {
            self.0.probing.store(false, Ordering::Relaxed);
        }
        served
    }
}

/// Puts addresses to names. A name without an address is a mistake.
fn connect(config: &Config, locate: Locate<'_>) -> Result<(Table, Vec<Arc<Pool>>), Vec<Mistake>> {
    let mut unknown = Vec::new();
    let mut target = |place: String, host: &str, port: u16| {
        let target = locate(host, port).and_then(|address| Target::new(format!("{host}:{port}"), address));
        if target.is_none() {
            let text = format!("there is no host {host}, nor an upstream of this name");
            unknown.push(Mistake { line: 0, place, text });
        }
        target
    };
    let mut pools = HashMap::new();
    for upstream in &config.upstreams {
        let place = format!("upstream {}", upstream.name);
        let targets = upstream.targets.iter().filter_map(|(host, port)| target(place.clone(), host, *port)).collect();
        pools.insert(
            upstream.name.clone(),
            Arc::new(Pool::new(upstream.name.clone(), targets, upstream.checks.clone())),
        );
    }
    let mut table = Table::default();
    for service in &config.services {
        let pool = pools.entry(service.host.clone()).or_insert_with(|| {
            let place = format!("service {}", service.name);
            let targets = target(place, &service.host, service.port).into_iter().collect();
            Arc::new(Pool::new(service.name.clone(), targets, None))
        });
        for route in &service.routes {
            table.add(service, route, pool, &config.plugins);
        }
    }
    table.sort();
    if unknown.is_empty() { Ok((table, pools.into_values().collect())) } else { Err(unknown) }
}
