//! Asks the targets how they are, at intervals, so that one that is out comes back.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Shared;
use super::balance::{Outcome, Pool, Target, Witness};
use super::config::Probe;

/// One task for each target that has active checks; they end with the set.
pub fn start(shared: &Arc<Shared>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for pool in &shared.pools {
        let Some(probe) = pool.checks.as_ref().and_then(|checks| checks.probe.clone()) else { continue };
        for index in 0..pool.targets.len() {
            tasks.spawn(watch(Arc::clone(shared), Arc::clone(pool), index, probe.clone()));
        }
    }
    tasks
}

async fn watch(shared: Arc<Shared>, pool: Arc<Pool>, index: usize, probe: Probe) {
    let Some(target) = pool.targets.get(index) else { return };
    loop {
        let interval = if target.is_healthy() { probe.while_healthy } else { probe.while_unhealthy };
        tokio::time::sleep(interval).await;
        let outcome = ask(target, &probe.path, probe.timeout).await;
        shared.report(&pool, target, outcome, Witness::Probe);
    }
}

async fn ask(target: &Target, path: &str, patience: Duration) -> Outcome {
    match tokio::time::timeout(patience, get(target, path)).await {
        Ok(Ok(status)) => Outcome::Answered(status),
        Ok(Err(error)) => {
            tracing::debug!(target = target.name, error = format!("{error:#}"), "a probe failed");
            Outcome::Failed
        }
        Err(_) => Outcome::TimedOut,
    }
}

/// On a connection of its own: whether new connections are taken is part of the question.
async fn get(target: &Target, path: &str) -> anyhow::Result<StatusCode> {
    let stream = TcpStream::connect(target.authority.as_str()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(HOST, &target.host)
        .header(CONNECTION, HeaderValue::from_static("close"))
        .header(USER_AGENT, HeaderValue::from_static("comptoir-gateway"))
        .body(Empty::<bytes::Bytes>::new())?;
    let exchange = async { Ok::<_, hyper::Error>(sender.send_request(request).await?.status()) };
    let mut exchange = std::pin::pin!(exchange);
    let mut connection = std::pin::pin!(connection);
    let status = tokio::select! {
        status = &mut exchange => status?,
        ended = &mut connection => {
            ended?;
            exchange.await?
        }
    };
    Ok(status)
}
