//! Accepts connections for one service on one core and serves HTTP/1.1 on them, with limits, until
//! it is told to stop; then finishes what runs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::dispatch;
use crate::service::Service;

/// A client that opens a connection must say something within this time.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);
const BACKLOG: i32 = 1024;
/// After an error of `accept`: out of file descriptors, most likely, and the next turn must not spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a refused request is still read.
const LINGER: Duration = Duration::from_secs(1);
/// The least that hyper takes for a connection's buffer.
const MIN_BUFFER_BYTES: usize = 8 << 10;

/// Reads on for a while before a request is refused: a client that is sending does not look for an answer, and loses
/// it when the connection is closed in its face.
pub async fn linger(body: &mut Incoming, max_bytes: usize) {
    let drain = async {
        let mut read = 0;
        while read < max_bytes
            && let Some(Ok(frame)) = body.frame().await
        {
            read += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // Late or early, the answer goes out next.
    drop(tokio::time::timeout(LINGER, drain).await);
}

/// An address that is this process's from now on: whoever connects waits until it is served.
#[derive(Debug)]
pub struct Listeners {
    address: SocketAddr,
    per_core: Vec<std::net::TcpListener>,
}

impl Listeners {
    /// One listener per core on one address; the kernel spreads connections over them. With port 0, all
    /// get the port that the first one got.
    pub fn bind(address: SocketAddr, cores: usize) -> Result<Self> {
        check_free(address)?;
        let mut address = address;
        let mut per_core = Vec::with_capacity(cores);
        for _ in 0..cores {
            let listener = bind(address).with_context(|| format!("cannot listen on {address}"))?;
            address = listener.local_addr()?;
            per_core.push(listener);
        }
        Ok(Self { address, per_core })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn per_core(self) -> Vec<std::net::TcpListener> {
        self.per_core
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Whether somebody else listens on the address: with `SO_REUSEPORT`, a second host of the same
/// user would otherwise share it silently.
fn check_free(address: SocketAddr) -> Result<()> {
    if address.port() == 0 {
        return Ok(());
    }
    std::net::TcpListener::bind(address)
        .map(drop)
        .with_context(|| format!("cannot listen on {address}: is another host running there?"))
}

/// Serves until `stop`, then lets open requests finish. Runs on the shard's own runtime.
pub async fn serve(
    service: Arc<Service>,
    shard: usize,
    listener: std::net::TcpListener,
    stop: CancellationToken,
) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let connections = Arc::new(Semaphore::new(service.limits().max_connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_header_size(service.limits().max_request_header_bytes)
        .max_buf_size(service.limits().max_request_header_bytes.max(MIN_BUFFER_BYTES));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(service = service.name(), %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(service.limits().write_timeout()));
        let service = service.clone();
        let connection = http.serve_connection(
            TokioIo::new(Box::pin(stream)),
            service_fn(move |request| {
                let service = service.clone();
                async move { Ok::<_, Infallible>(dispatch::handle(&service, shard, request).await) }
            }),
        );
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// Takes a place first: without one, connections wait in the kernel's backlog.
pub async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Nagle's algorithm would hold back the end of small responses by 40 ms.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}
