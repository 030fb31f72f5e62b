//! An HTTP server of the test's own: what hosts call.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::client::{Body, whole};

/// Answers at once, but for a few paths: `/hang` never; `/stall` by half; `/bytes/N` with so many of
/// them; `/redirect?to` with a redirection; `/trailers` with a trailer; `/stream` with `one`, and with
/// `two` when it is told to go on.
pub struct Peer {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

/// Where a collector of spans takes them; here it does nothing with them.
pub const TRACES: &str = "/v1/traces";

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Call>>,
    go_on: Notify,
}

/// A request that reached the peer.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
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

    /// Sends the rest of a stream.
    pub fn go_on(&self) {
        self.seen.go_on.notify_one();
    }
}

/// A peer that answers whatever it is asked with these bytes, and hangs up.
pub async fn raw(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") && matches!(stream.read_buf(&mut heard).await, Ok(1..)) {}
            // The host may have heard enough.
            _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::Relaxed);
        let seen = seen.clone();
        let service = service_fn(move |request| answer(request, seen.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        // Nobody waits for an answer to half a request.
        return Ok(Response::new(whole("")));
    };
    let trailers = body.trailers().cloned().unwrap_or_default();
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let target = parts.uri.to_string();
    let call = Call { method: parts.method, target, headers: parts.headers, body: body.to_bytes(), trailers };
    seen.requests.lock().expect("no panic").push(call);
    let response = Response::builder().status(418).header("x-from-peer", "yes");
    let response = match path.as_str() {
        "/hang" => std::future::pending().await,
        "/stall" => response.body(half()),
        TRACES => response.status(200).body(whole("")),
        "/redirect" => response.status(302).header("location", query).body(whole("elsewhere")),
        "/trailers" => response.header("trailer", "x-sum").body(with_trailer()),
        "/stream" => response.body(in_two_parts(seen)),
        path => response.body(match path.strip_prefix("/bytes/") {
            Some(bytes) => whole("x".repeat(bytes.parse().expect("a number"))),
            None => whole("hello from the peer"),
        }),
    };
    Ok(response.expect("a response"))
}

fn half() -> Body {
    let half = Ok(Frame::data(Bytes::from_static(b"the first half")));
    StreamBody::new(stream::select(stream::iter([half]), stream::pending())).boxed()
}

fn with_trailer() -> Body {
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("42"))]);
    let frames = [Frame::data(Bytes::from_static(b"the body")), Frame::trailers(trailers)];
    StreamBody::new(stream::iter(frames.map(Ok))).boxed()
}

fn in_two_parts(seen: Arc<Seen>) -> Body {
    let parts = stream::unfold(0, move |sent| {
        let seen = seen.clone();
        async move {
            let part = match sent {
                0 => "one",
                1 => {
                    seen.go_on.notified().await;
                    "two"
                }
                _ => return None,
            };
            Some((Ok(Frame::data(Bytes::from_static(part.as_bytes()))), sent + 1))
        }
    });
    StreamBody::new(parts).boxed()
}
