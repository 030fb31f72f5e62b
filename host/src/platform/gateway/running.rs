//! The gateway on every core, from its port to its end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Gateway;
use crate::server::Listeners;

#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    servers: Vec<JoinHandle<std::io::Result<()>>>,
    stop: CancellationToken,
}

impl Running {
    /// `grace` is how long requests in flight are waited for at the end.
    pub fn start(gateway: &Gateway, listeners: Listeners, shards: &[Handle], grace: Duration) -> Self {
        let address = listeners.address();
        let stop = CancellationToken::new();
        let servers = listeners
            .per_core()
            .into_iter()
            .zip(shards)
            .map(|(listener, shard)| {
                let (gateway, stop) = (gateway.clone(), stop.clone());
                shard.spawn(async move { gateway.serve(listener, stop.cancelled_owned(), grace).await })
            })
            .collect();
        Self { address, servers, stop }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, and waits for what runs; not in a `hurry`.
    pub async fn stop(self, hurry: &CancellationToken) -> Result<()> {
        self.stop.cancel();
        for mut server in self.servers {
            tokio::select! {
                ended = &mut server => ended.context("the gateway panicked")?.context("the gateway failed")?,
                () = hurry.cancelled() => server.abort(),
            }
        }
        Ok(())
    }
}
