//! Outbound HTTP as a capability: a component names a peer (`http://products/...`), the host knows
//! where that is. What is not on the allow-list is refused; connections are pooled; every call has a
//! place, a deadline and a size, and carries the identity of its service.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::guest_log::{Author, guest_line};
use crate::identity::{self, SERVICE_NAME, SERVICE_SECRET, Secret};
use crate::ids::Ids;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::spans::Spans;
use crate::telemetry::{MAX_TEXT_BYTES, cut};

/// Idle connections to a peer that are kept, per core.
const MAX_IDLE_CONNECTIONS: usize = 32;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The allow-list: logical name -> where it listens.
pub type Peers = BTreeMap<String, Authority>;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

/// Calls peers on behalf of one service, on one core.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    service: HeaderValue,
    secret: Option<HeaderValue>,
    peers: Peers,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
    http: legacy::Client<HttpConnector, WasiBody>,
    metrics: Arc<Metrics>,
    spans: Option<Arc<Spans>>,
}

impl Client {
    /// `service` is the identity that calls carry, proven by `secret`; `places` are those of all its
    /// cores, one a call under way.
    pub fn new(
        service: &str,
        secret: Option<&Secret>,
        peers: Peers,
        limits: Arc<Limits>,
        places: Arc<Semaphore>,
        metrics: Arc<Metrics>,
        spans: Option<Arc<Spans>>,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .build(connector);
        let secret = secret
            .map(|secret| {
                HeaderValue::from_str(secret.reveal()).map(|mut value| {
                    value.set_sensitive(true);
                    value
                })
            })
            .transpose()?;
        let service = HeaderValue::from_str(service)?;
        Ok(Self(Arc::new(Inner { service, secret, peers, limits, places, http, metrics, spans })))
    }

    async fn send(self, author: Author, mut request: Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
        let ids = Ids::of(request.headers());
        let Some((peer, authority)) = self.resolve(request.uri()) else {
            guest_line!(
                author,
                WARN,
                request_id = ids.request_id(),
                trace_id = ids.trace_id(),
                authority = request.uri().authority().map(|authority| cut(authority.as_str(), MAX_TEXT_BYTES)),
                "refused an outbound call: not on the allow-list"
            );
            return Err(Error::HttpRequestDenied);
        };
        let started = Instant::now();
        let span = self.0.spans.as_ref().and_then(|spans| spans.begin(request.headers_mut(), &ids));
        let method = span.as_ref().map(|_| request.method().to_string()).unwrap_or_default();
        let result = self.call(request, authority, options).await;
        let outcome = match &result {
            Ok(response) if response.status().is_server_error() => "5xx",
            Ok(response) if response.status().is_client_error() => "4xx",
            Ok(_) => "ok",
            Err(Error::HttpResponseTimeout) => "timeout",
            Err(Error::ConnectionLimitReached) => "limit",
            Err(_) => "unreachable",
        };
        self.0
            .metrics
            .client_duration
            .with_label_values(&[self.service(), peer, outcome])
            .observe(started.elapsed().as_secs_f64());
        if let Some((spans, span)) = self.0.spans.as_ref().zip(span) {
            let mut attributes = vec![
                KeyValue::new("http.request.method", method.clone()),
                KeyValue::new("server.address", peer.to_owned()),
            ];
            if let Ok(response) = &result {
                attributes.push(KeyValue::new("http.response.status_code", i64::from(response.status().as_u16())));
            }
            let failed = (outcome != "ok").then(|| outcome.to_owned());
            spans.end(span, SpanKind::Client, format!("{method} {peer}"), attributes, failed);
        }
        let io: Io = Box::new(std::future::ready(Ok(())));
        Ok((result?, io))
    }

    /// A call to a peer that may be called. It has its place until all of the response is read, or
    /// the guest has dropped it.
    async fn call(
        &self,
        request: Request<WasiBody>,
        authority: &Authority,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>, Error> {
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| Error::ConnectionLimitReached)?;
        let most = self.0.limits.outbound_timeout();
        let (first_byte, between_bytes) = options.map_or((most, most), |asked| {
            let within = |asked: Option<Duration>| asked.map_or(most, |asked| asked.min(most));
            (within(asked.first_byte_timeout), within(asked.between_bytes_timeout))
        });
        let request = self.prepare(request, authority)?;
        let response = tokio::time::timeout(first_byte, self.0.http.request(request))
            .await
            .map_err(|_| Error::HttpResponseTimeout)?
            .map_err(|error| transport_error(&error))?;
        let max_bytes = self.0.limits.max_outbound_response_bytes;
        Ok(response.map(|body| Answer::new(body, max_bytes, between_bytes, place).boxed_unsync()))
    }

    /// The peer that a URI names: plain HTTP, the bare logical name, nothing else.
    fn resolve(&self, uri: &Uri) -> Option<(&str, &Authority)> {
        if uri.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        let authority = uri.authority()?;
        // As text: what cannot be a port would be none.
        let port = authority.as_str().strip_prefix(authority.host())?;
        if !matches!(port, "" | ":80") {
            return None;
        }
        let name = authority.host().to_ascii_lowercase();
        self.0.peers.get_key_value(&name).map(|(name, target)| (name.as_str(), target))
    }

    fn prepare(&self, request: Request<WasiBody>, authority: &Authority) -> Result<Request<WasiBody>, Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|_| Error::HttpRequestUriInvalid)?;
        identity::strip(&mut parts.headers);
        if let Some(secret) = &self.0.secret {
            parts.headers.insert(SERVICE_NAME, self.0.service.clone());
            parts.headers.insert(SERVICE_SECRET, secret.clone());
        }
        Ok(Request::from_parts(parts, body))
    }

    fn service(&self) -> &str {
        self.0.service.to_str().unwrap_or_default()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("service", &self.0.service).field("peers", &self.0.peers).finish_non_exhaustive()
    }
}

/// The body of a peer's response, as it comes.
struct Answer {
    body: Incoming,
    left: u64,
    max_bytes: u64,
    pause: Duration,
    /// When the peer has paused for too long.
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Answer {
    fn new(body: Incoming, max_bytes: u64, pause: Duration, place: OwnedSemaphorePermit) -> Self {
        let deadline = Box::pin(tokio::time::sleep(pause));
        Self { body, left: max_bytes, max_bytes, pause, deadline, _place: place }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = self.left.checked_sub(bytes) else {
                    return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(self.max_bytes)))));
                };
                self.left = left;
                let next = Instant::now() + self.pause;
                self.deadline.as_mut().reset(next.into());
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(body_error(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                std::task::ready!(self.deadline.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Why a call got no answer.
fn transport_error(error: &legacy::Error) -> Error {
    if error.is_connect() {
        return Error::ConnectionRefused;
    }
    // The component's own body broke off.
    if let Some(Error::HttpRequestBodySize(sent)) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return Error::HttpRequestBodySize(*sent);
    }
    let unreadable = causes(error).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_parse);
    if unreadable { Error::HttpProtocolError } else { Error::ConnectionTerminated }
}

/// Why an answer's body did not come to its end.
fn body_error(error: hyper::Error) -> Error {
    let eof = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::UnexpectedEof;
    let cut_off = error.is_incomplete_message() || causes(&error).filter_map(|cause| cause.downcast_ref()).any(eof);
    if cut_off { Error::HttpResponseIncomplete } else { error.into() }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// What `wasi:http` asks of its host, for one instance.
#[derive(Debug)]
pub struct Hooks {
    client: Client,
    author: Author,
}

impl Hooks {
    pub fn new(client: Client, author: Author) -> Self {
        Self { client, author }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(self.client.clone().send(self.author.clone(), request, options))
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTP
    }

    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTP)
    }
}
