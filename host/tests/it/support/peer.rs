//! An HTTP server of the test's own: what hosts call.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers `/hang` never, everything else at once.
pub struct Peer {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Call>>,
}

/// A request that reached the peer.
#[derive(Clone, Debug)]
pub struct Call {
    pub target: String,
    pub headers: HeaderMap,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }
}

impl Peer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen::default());
        tokio::spawn(serve(listener, seen.clone()));
        Self { address, seen }
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.seen.requests.lock().expect("no panic").clone()
    }

    pub fn last_call(&self) -> Call {
        self.calls().pop().expect("a call")
    }
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::Relaxed);
        let seen = seen.clone();
        let service = service_fn(move |request| answer(request, seen.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Full<Bytes>>, Infallible> {
    let call = Call { target: request.uri().to_string(), headers: request.headers().clone() };
    seen.requests.lock().expect("no panic").push(call);
    if request.uri().path() == "/hang" {
        std::future::pending::<()>().await;
    }
    let response = Response::builder().status(418).header("x-from-peer", "yes");
    Ok(response.body(Full::new(Bytes::from_static(b"hello from the peer"))).expect("a response"))
}
