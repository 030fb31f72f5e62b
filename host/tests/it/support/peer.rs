//! An HTTP server of the test's own: what hosts call.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers `/hang` never, `/stall` by half, `/bytes/N` with so many of them, everything else at once.
pub struct Peer {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

/// Where a collector of spans takes them; here it does nothing with them.
pub const TRACES: &str = "/v1/traces";

type Content = BoxBody<Bytes, Infallible>;

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Call>>,
}

/// A request that reached the peer.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
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

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Content>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a whole request").to_bytes();
    let path = parts.uri.path().to_owned();
    let call = Call { method: parts.method, target: parts.uri.to_string(), headers: parts.headers, body };
    seen.requests.lock().expect("no panic").push(call);
    let content = match path.strip_prefix("/bytes/") {
        _ if path == "/hang" => std::future::pending().await,
        _ if path == "/stall" => {
            let half = Ok(Frame::data(Bytes::from_static(b"the first half")));
            http_body_util::BodyExt::boxed(StreamBody::new(stream::iter([half]).chain(stream::pending())))
        }
        Some(bytes) => Full::new(vec![b'x'; bytes.parse().expect("a number")].into()).boxed(),
        None => Full::new(Bytes::from_static(b"hello from the peer")).boxed(),
    };
    let status = if path == TRACES { 200 } else { 418 };
    let response = Response::builder().status(status).header("x-from-peer", "yes");
    Ok(response.body(content).expect("a response"))
}
