//! `comptoir gateway`: the gateway alone, in front of hosts that run elsewhere, for whoever has no Kong.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::uri::Authority;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Gateway, LoadError, Running};
use crate::admin::Admin;
use crate::cli::GatewayArgs;
use crate::config::{self, ConfigErrors};
use crate::metrics::Metrics;
use crate::platform::secrets::Placeholders;
use crate::serve;
use crate::server::Listeners;
use crate::shard::Shards;
use crate::signal::Shutdown;

/// Serves until SIGINT or SIGTERM.
pub async fn gateway(args: GatewayArgs) -> Result<()> {
    let metrics = Arc::new(Metrics::new()?);
    let gateway = load(&args, metrics.registry())?;
    let mut shutdown = Shutdown::listen()?;
    let admin_listener = TcpListener::bind(args.admin)
        .await
        .with_context(|| format!("cannot listen on {} for the admin port", args.admin))?;
    let admin = admin_listener.local_addr()?;
    let listeners = Listeners::bind(args.listen, args.process.shards())?;
    let shards = Shards::start(args.process.shards())?;
    let running = Running::start(&gateway, listeners, shards.handles(), args.process.grace());
    let stop = CancellationToken::new();
    // Without a component: who asks whether it is ready, hears that it serves.
    tokio::spawn(Arc::new(Admin::new(Vec::new(), metrics, None)).serve(admin_listener, stop.clone()));
    serve::announce(running.address());
    tracing::info!(%admin, "admin port");
    shutdown.asked().await;
    tracing::info!("stopping");
    let ended = running.stop(&shutdown.hurry()).await;
    stop.cancel();
    tokio::task::spawn_blocking(move || shards.join()).await?;
    ended
}

fn load(args: &GatewayArgs, registry: &Registry) -> Result<Gateway> {
    let mut errors = ConfigErrors::default();
    let targets = args.targets.iter().filter(|target| !target.is_empty());
    let elsewhere: HashMap<String, Authority> =
        targets.filter_map(|target| errors.take(config::parse_place("--target", target))).collect();
    let locate = |host: &str, port: u16| {
        elsewhere.get(host).cloned().or_else(|| Authority::try_from(format!("{host}:{port}")).ok())
    };
    // Secrets are in the file already: Kong, which reads the same, replaces nothing either.
    let gateway = match Gateway::load(&args.config, &Placeholders::new(), &locate, registry) {
        Err(LoadError::Metrics(error)) => return Err(error.into()),
        loaded => errors.take(loaded.map_err(anyhow::Error::from)),
    };
    Ok(errors.into_result(gateway)?)
}
