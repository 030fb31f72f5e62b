//! Starts everything that a configuration names, and stops it in order: accept no more, finish what
//! runs within the grace time, close the connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::component::cache::ArtifactCache;
use crate::config::HostConfig;
use crate::engine;
use crate::metrics::Metrics;
use crate::server::{self, Listeners};
use crate::service::{Platform, Service, Turn};
use crate::shard::Shards;

/// How long idle instances and database connections may take to close, after the grace time.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A running host.
#[derive(Debug)]
pub struct Host {
    services: Vec<Arc<Service>>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    platform: Platform,
    shards: Shards,
    servers: Vec<JoinHandle<Result<()>>>,
    stop: CancellationToken,
    grace: Duration,
}

impl Host {
    /// Starts to serve every service on its listeners, which come in the same order. Components load in the background: until a
    /// component is there, its service answers 503.
    pub async fn start(config: HostConfig, listeners: Vec<Listeners>, metrics: Arc<Metrics>) -> Result<Self> {
        ensure!(config.services.len() == listeners.len(), "there are services without listeners");
        let engine = Arc::new(engine::new(&config.limits, config.services.len() * config.shards)?);
        engine::start_ticker(&engine).context("cannot start the epoch ticker")?;
        let shards = Shards::start(config.shards)?;
        let platform = Platform {
            engine,
            cache: ArtifactCache::open(&config.cache, config.limits.compile)?,
            metrics: metrics.clone(),
            shards: shards.handles().to_vec(),
        };
        let stop = CancellationToken::new();
        let admin_listener = match &config.admin {
            Some(admin) => Some(
                TcpListener::bind(admin.listen)
                    .await
                    .with_context(|| format!("cannot listen on {} for the admin port", admin.listen))?,
            ),
            None => None,
        };
        let admin_address = admin_listener.as_ref().map(TcpListener::local_addr).transpose()?;

        let mut services = Vec::new();
        let mut servers = Vec::new();
        let mut turns: HashMap<String, Turn> = HashMap::new();
        for (mut service, listeners) in config.services.into_iter().zip(listeners) {
            service.listen = listeners.address();
            let turn = turns.entry(service.name.clone()).or_default().clone();
            let service = Arc::new(Service::new(service, platform.clone(), turn)?);
            for (index, (listener, shard)) in listeners.per_core().into_iter().zip(shards.handles()).enumerate() {
                servers.push(shard.spawn(server::serve(service.clone(), index, listener, stop.clone())));
            }
            tokio::spawn(service.clone().follow_file(stop.clone()));
            services.push(service);
        }
        if let (Some(listener), Some(admin)) = (admin_listener, config.admin) {
            let admin = Arc::new(Admin::new(services.clone(), metrics, admin.token));
            tokio::spawn(admin.serve(listener, stop.clone()));
        }
        let addresses = services.iter().map(|service| service.config().listen).collect();
        Ok(Self { services, addresses, admin: admin_address, platform, shards, servers, stop, grace: config.grace })
    }

    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// Where each service listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Stops accepting, waits for what runs (at most the grace time, and not in a `hurry`), closes the
    /// connections.
    pub async fn stop(self, hurry: &CancellationToken) {
        self.stop.cancel();
        let finished = async {
            for server in self.servers {
                match server.await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(error = format!("{error:#}"), "a server failed"),
                    Err(error) => tracing::error!(%error, "a server panicked"),
                }
            }
            for service in &self.services {
                service.background_ended().await;
            }
        };
        let grace_ms = u64::try_from(self.grace.as_millis()).unwrap_or(u64::MAX);
        tokio::select! {
            () = finished => {}
            () = tokio::time::sleep(self.grace) => {
                tracing::warn!(grace_ms, "requests were cut off at the end of the grace time");
            }
            () = hurry.cancelled() => tracing::warn!("requests were cut off by a second signal"),
        }
        for service in &self.services {
            if tokio::time::timeout(CLOSE_TIMEOUT, service.close()).await.is_err() {
                tracing::warn!(service = service.name(), "instances were cut off");
            }
        }
        drop(self.services);
        let shards = self.shards;
        if tokio::task::spawn_blocking(move || shards.join()).await.is_err() {
            tracing::error!("the shards did not end cleanly");
        }
    }
}
