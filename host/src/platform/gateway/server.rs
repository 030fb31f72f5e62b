//! Takes connections on one core and serves HTTP/1.1 on them, until it is told to stop; then
//! finishes what runs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::headers::Entrance;
use super::proxy::Proxy;

/// For the whole head of a request, and for an idle connection; Kong's is 60 s as well.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a head; more is answered 431.
const MAX_HEADER_BYTES: usize = 32 << 10;
/// Open connections per core; more wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 4096;
/// Out of file descriptors, most likely: the next attempt must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then waits at most `grace` for what runs, and ends the rest.
pub async fn serve(
    proxy: Arc<Proxy>,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let port = listener.local_addr()?.port();
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT).max_buf_size(MAX_HEADER_BYTES);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &permits) => accepted,
        };
        let (stream, client, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "the gateway cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let proxy = Arc::clone(&proxy);
        let entrance = Arc::new(Entrance { client, port });
        let service = service_fn(move |request| {
            let (proxy, entrance) = (Arc::clone(&proxy), Arc::clone(&entrance));
            async move { Ok::<_, Infallible>(proxy.handle(request, &entrance).await) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%client, %error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not end within the grace time");
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, client) = listener.accept().await?;
    // Nagle's algorithm would hold back the end of small responses by 40 ms.
    stream.set_nodelay(true)?;
    Ok((stream, client, permit))
}
