//! The gateway with the real `kong/kong.yml`, in front of real HTTP servers on port 0. What is special
//! about a test's configuration is a replacement in the text of that file.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::{Gateway, LoadError};
use crate::identity::Secret;
use crate::platform::secrets::Placeholders;

mod bodies;
mod configuration;
mod health;
mod identity;
mod lifecycle;
mod rate_limits;
mod retries;
mod routing;
mod tokens;

const KONG: &str = include_str!("../../../../kong/kong.yml");

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What signs customers' tokens.
const TOKEN_KEY: &str = "token_key_of_more_than_32_letters";

fn placeholders() -> Placeholders {
    let names = ["GATEWAY_SECRET", "KEY_HQ", "KEY_LOGISTICS", "KEY_MANAGER", "KEY_POS"];
    let add = |all: Placeholders, name: &str| all.with(format!("COMPTOIR_{name}"), Secret::new(name.to_lowercase()));
    names.into_iter().fold(Placeholders::new(), add).with("COMPTOIR_TOKEN_KEY", Secret::new(TOKEN_KEY))
}

/// What a server was asked.
#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server behind the gateway. Dropping it closes its listener and its connections, as a kill does.
struct Backend {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Backend {
    async fn start(answer: impl Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync + 'static) -> Self {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), answer).await
    }

    async fn start_on(
        address: SocketAddr,
        answer: impl Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                connections.spawn(async move {
                    let service = service_fn(|request| respond(request, &log, &*answer));
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        Self { address, seen, task }
    }

    /// Answers 200 and its name.
    async fn named(name: &'static str) -> Self {
        Self::start(move |_| text(StatusCode::OK, name)).await
    }

    /// Every connection goes to a task of its own.
    async fn raw<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream));
            }
        });
        (address, task)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn last(&self) -> Seen {
        self.seen().pop().expect("a request has come")
    }

    /// What came but the gateway's own probes.
    fn traffic(&self) -> usize {
        self.seen().iter().filter(|seen| seen.header("user-agent") != Some("comptoir-gateway")).count()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Incoming>,
    log: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync),
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let seen = Seen { method: parts.method, path, headers: parts.headers, body };
    let response = answer(&seen);
    log.lock().unwrap().push(seen);
    Ok(response)
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}

/// An address that refuses connections.
async fn nobody() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}

fn authority(address: SocketAddr) -> Authority {
    address.to_string().parse().unwrap()
}

/// The hosts that `kong.yml` names, of services with one each.
const ALONE: [&str; 7] = [
    "products-service",
    "inventory-service",
    "reports-service",
    "sales-service",
    "customers-service",
    "orders-service",
    "checkout-service",
];
/// Those of the service with three.
const CARTS: [&str; 3] = ["cart-service", "cart-service-2", "cart-service-3"];

/// A running gateway.
struct Edge {
    address: SocketAddr,
    gateway: Gateway,
    registry: Registry,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Edge {
    /// `carts` are the replicas; the last one stands in for those that are missing. Customers are where products are.
    async fn start(products: SocketAddr, carts: &[SocketAddr]) -> Self {
        Self::start_with(KONG.to_owned(), products, carts).await
    }

    async fn start_with(kong: String, products: SocketAddr, carts: &[SocketAddr]) -> Self {
        // No test asks the others: whoever answers for products would answer for them.
        let cart = |index| *carts.get(index).or(carts.last()).unwrap_or(&products);
        let locate = |name: &str, _| {
            let index = CARTS.iter().position(|cart| *cart == name);
            index.map(cart).or_else(|| ALONE.contains(&name).then_some(products)).map(authority)
        };
        let registry = Registry::new();
        let gateway =
            Gateway::parse(&kong, &placeholders(), &locate, &registry).unwrap_or_else(|error| panic!("{error}"));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = gateway.clone();
        let served = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serving.serve(listener, shutdown, Duration::from_secs(5)).await
        });
        Self { address, gateway, registry, stop: Some(stop), served }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// On a connection of its own.
    async fn try_send(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
        let host = self.address.to_string();
        request.headers_mut().entry("host").or_insert(host.parse().unwrap());
        let exchange = async {
            let stream = TcpStream::connect(self.address).await.unwrap();
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            let connection = tokio::spawn(connection);
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            connection.abort();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.expect("an answer within the patience of the tests")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path)).await
    }

    /// The value of a sample in the text that Prometheus reads.
    fn metric(&self, sample: &str) -> Option<f64> {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().find_map(|line| line.strip_prefix(sample)?.trim().parse().ok())
    }
}

fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::default()).unwrap()
}

fn with_body(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::new(body.into())).unwrap()
}

fn with_header(mut request: Request<Full<Bytes>>, name: &'static str, value: &str) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status and the `code` of a problem document.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status"], self.status.as_u16());
        (self.status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Reads until the end of a request's head and of its body, if `content-length` tells.
async fn read_request(stream: &mut TcpStream) -> String {
    use tokio::io::AsyncReadExt as _;
    let mut text = String::new();
    loop {
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        if count == 0 {
            return text;
        }
    }
}
