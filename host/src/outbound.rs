//! Outbound HTTP as a capability: a component names a peer (`http://products/...`), the host knows
//! where that is. What is not on the allow-list is refused; connections are pooled; every call has
//! a deadline and carries the identity of its service.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::guest_log::{Author, guest_line};
use crate::identity::{self, SERVICE_NAME, SERVICE_SECRET, Secret};
use crate::ids::Ids;
use crate::metrics::Metrics;
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
    timeout: Duration,
    http: legacy::Client<HttpConnector, WasiBody>,
    metrics: Arc<Metrics>,
}

impl Client {
    /// `service` is the identity that calls carry, proven by `secret`.
    pub fn new(
        service: &str,
        secret: Option<&Secret>,
        peers: Peers,
        timeout: Duration,
        metrics: Arc<Metrics>,
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
        Ok(Self(Arc::new(Inner { service: HeaderValue::from_str(service)?, secret, peers, timeout, http, metrics })))
    }

    async fn send(self, author: Author, request: Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
        let Some((peer, authority)) = self.resolve(request.uri()) else {
            let ids = Ids::of(request.headers());
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
        let timeout = options
            .and_then(|options| options.first_byte_timeout)
            .map_or(self.0.timeout, |asked| asked.min(self.0.timeout));
        let started = Instant::now();
        let result = match self.prepare(request, authority) {
            Ok(request) => match tokio::time::timeout(timeout, self.0.http.request(request)).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(error)) => Err(transport_error(&error)),
                Err(_) => Err(Error::HttpResponseTimeout),
            },
            Err(error) => Err(error),
        };
        let outcome = match &result {
            Ok(response) if response.status().is_server_error() => "5xx",
            Ok(response) if response.status().is_client_error() => "4xx",
            Ok(_) => "ok",
            Err(Error::HttpResponseTimeout) => "timeout",
            Err(_) => "unreachable",
        };
        self.0
            .metrics
            .client_duration
            .with_label_values(&[self.service(), peer, outcome])
            .observe(started.elapsed().as_secs_f64());
        let response = result?;
        let io: Io = Box::new(std::future::ready(Ok(())));
        Ok((response.map(|body| body.map_err(body_error).boxed_unsync()), io))
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
