//! One request: admission, identity, the component, and what the client sees of it.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::body::Incoming;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use wasmtime_wasi_http::WasiBody;

use crate::generation::{Generation, InFlight, InstanceEnded, ReadingBody, RequestFate, StartFailed};
use crate::ids::{Ids, REQUEST_ID};
use crate::problem::Problem;
use crate::service::Service;
use crate::telemetry::printable;

const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
/// In which the SDK tells the host the route that matched; never shown to clients.
const ROUTE: HeaderName = HeaderName::from_static("x-comptoir-route");

/// Bodies up to this size are handed to hyper whole, so that head and body leave in one write.
const MAX_COLLECTED_BYTES: u64 = 64 << 10;

/// A response's body, and what must live as long as it does.
#[derive(Debug)]
pub struct Body {
    content: Content,
    reading: Option<ReadingBody>,
    /// Counts the request until all of the response is out.
    _in_flight: Option<(InFlight, ActiveRequest)>,
    /// Who wants to know when it breaks off, which no status tells any more.
    service: Option<Arc<Service>>,
}

#[derive(Debug)]
enum Content {
    Whole(Full<Bytes>),
    /// What comes until the deadline.
    Stream(WasiBody, Pin<Box<Sleep>>),
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Whole(Full::new(bytes)), reading: None, _in_flight: None, service: None }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = wasmtime_wasi_http::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.content {
            Content::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Content::Stream(body, deadline) => {
                if deadline.as_mut().poll(cx).is_ready() {
                    self.broke_off("deadline");
                    return Poll::Ready(Some(Err(wasmtime_wasi_http::Error::HttpResponseTimeout)));
                }
                let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
                // The stream of an instance that ended by a fault just stops: that is no good end.
                let fault = self.reading.as_ref().and_then(ReadingBody::fault);
                let frame = match (frame, fault) {
                    (None, Some(_)) => Some(Err(wasmtime_wasi_http::Error::ConnectionTerminated)),
                    (frame, _) => frame,
                };
                if let Some(Err(_)) = frame {
                    self.broke_off("component");
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(body) => body.is_end_stream(),
            Content::Stream(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(body) => body.size_hint(),
            Content::Stream(body, _) => body.size_hint(),
        }
    }
}

impl Body {
    /// Once: nothing comes after it.
    fn broke_off(&mut self, reason: &str) {
        if let Some(service) = self.service.take() {
            service.metrics().http_broken.with_label_values(&[service.name(), reason]).inc();
        }
    }
}

/// An admitted request: its place under the limit, and its count in the metrics, until it is over,
/// however it ends.
#[derive(Debug)]
pub struct ActiveRequest {
    gauge: prometheus::IntGauge,
    _permit: OwnedSemaphorePermit,
}

impl ActiveRequest {
    pub fn new(gauge: prometheus::IntGauge, permit: OwnedSemaphorePermit) -> Self {
        gauge.inc();
        Self { gauge, _permit: permit }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// Answers one request of a client, always.
pub async fn handle(service: &Arc<Service>, shard: usize, mut request: Request<Incoming>) -> Response<Body> {
    let started = Instant::now();
    let ids = Ids::complete(request.headers_mut());
    let method = method_label(request.method());
    let path = request.uri().path().to_owned();
    service.trust().sanitize(request.headers_mut());
    let span = service.spans().and_then(|spans| spans.begin(request.headers_mut(), &ids));

    let (mut response, route) = match call(service, shard, &ids, request).await {
        Ok(mut response) => {
            let route = response.headers_mut().remove(ROUTE);
            let route = service.routes().label(route.as_ref(), method, response.status());
            (response, route)
        }
        Err(problem) => (problem.response(&path, ids.request_id().unwrap_or_default()), RouteLabels::HOST.to_owned()),
    };
    let status = response.status();
    let request_id = span.is_some().then(|| ids.request_id().unwrap_or_default().to_owned());
    if let Some(request_id) = ids.request_id {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response.headers_mut().insert(SERVED_BY, service.served_by().clone());
    service.metrics().http_request(service.name(), method, &route, status_label(&status), started.elapsed());
    if let Some((spans, span)) = service.spans().zip(span) {
        let attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.clone()),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("url.path", path),
            KeyValue::new("comptoir.request_id", request_id.unwrap_or_default()),
        ];
        let failed = status.is_server_error().then(|| status.as_str().to_owned());
        spans.end(span, SpanKind::Server, format!("{method} {route}"), attributes, failed);
    }
    response
}

async fn call(
    service: &Arc<Service>,
    shard: usize,
    ids: &Ids,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let active = service.admit().ok_or_else(|| service.refused("requests", Problem::Overloaded))?;
    let generation = service.current().ok_or_else(|| service.refused("not-ready", Problem::NotReady))?;
    let in_flight = generation.enter();
    let max_body = service.limits().max_request_body_bytes;
    if request.body().size_hint().lower() > max_body {
        return Err(service.refused("body", Problem::BodyTooLarge));
    }
    let fate = Arc::new(RequestFate::default());
    let authority = authority(&request, service.name())?;
    let request = for_component(request, authority, max_body, &fate);
    // A task of its own: a client that goes away ends neither the guest's work nor the accounting of it.
    let work = {
        let (generation, fate) = (generation.clone(), fate.clone());
        let (timeout, stream_timeout) = (service.limits().request_timeout(), service.limits().stream_timeout());
        async move {
            let answer = answer(&generation, shard, fate, request, stream_timeout);
            let answer = tokio::time::timeout(timeout, answer).await;
            (answer.unwrap_or(Err(Failure::TimedOut)), in_flight, active)
        }
    };
    let (result, in_flight, active) = tokio::spawn(work).await.map_err(|error| {
        tracing::error!(
            service = service.name(),
            generation = generation.number,
            request_id = ids.request_id(),
            trace_id = ids.trace_id(),
            %error,
            "a request's task failed"
        );
        Problem::ComponentError
    })?;
    if fate.body_too_large.load(Ordering::Relaxed) {
        return Err(service.refused("body", Problem::BodyTooLarge));
    }
    let status = result.as_ref().map_or_else(|failure| failure.problem(&fate).status(), Response::status);
    if let Some(verdict) = generation.judge(status) {
        service.condemn(generation.number, verdict);
    }
    let mut response = result.map_err(|failure| {
        let problem = failure.problem(&fate);
        let error = fate.fault().map_or_else(|| failure.to_string(), ToOwned::to_owned);
        tracing::error!(
            service = service.name(),
            generation = generation.number,
            request_id = ids.request_id(),
            trace_id = ids.trace_id(),
            code = problem.code(),
            error = &*printable(&error),
            "a request failed"
        );
        match problem {
            Problem::Overloaded => service.refused("instances", problem),
            problem => problem,
        }
    })?;
    let body = response.body_mut();
    body._in_flight = Some((in_flight, active));
    body.service = matches!(body.content, Content::Stream(..)).then(|| service.clone());
    Ok(response)
}

/// Why the component gave no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no answer within the deadline")]
    TimedOut,
    #[error("the response's body broke off: {0}")]
    BrokeOff(String),
    #[error("the response's body has {sent} bytes, and its head promised {promised}")]
    WrongLength { promised: u64, sent: u64 },
    #[error("the response's status is {0}, which no answer ends with")]
    Informational(StatusCode),
    #[error("{0:#}")]
    Component(wasmtime::Error),
}

impl Failure {
    /// Whose fault it is, for the status. Of a component of 0.2 that trapped, nothing is known but that its
    /// instance ended by a fault.
    fn problem(&self, fate: &RequestFate) -> Problem {
        match self {
            Self::TimedOut => Problem::TimedOut,
            Self::BrokeOff(_) | Self::WrongLength { .. } | Self::Informational(_) => Problem::ComponentError,
            Self::Component(error) => match error.downcast_ref::<StartFailed>() {
                Some(StartFailed { no_room: true, .. }) => Problem::Overloaded,
                Some(StartFailed { no_room: false, .. }) => Problem::Trapped,
                None if fate.fault().is_some() => Problem::Trapped,
                None if error.is::<InstanceEnded>() || error.is::<wasmtime::Trap>() => Problem::Trapped,
                None => Problem::ComponentError,
            },
        }
    }
}

/// The component's answer: all of it if it is small, or else its head and a stream.
async fn answer(
    generation: &Generation,
    shard: usize,
    fate: Arc<RequestFate>,
    request: Request<WasiBody>,
    stream_timeout: Duration,
) -> Result<Response<Body>, Failure> {
    let is_head = request.method() == Method::HEAD;
    let response = generation.handle(shard, fate.clone(), request).await.map_err(Failure::Component)?;
    let reading = fate.reading();
    let (parts, body) = response.into_parts();
    if parts.status.is_informational() {
        return Err(Failure::Informational(parts.status));
    }
    let promised = promised(&parts.headers).filter(|length| *length <= MAX_COLLECTED_BYTES || body.is_end_stream());
    let Some(promised) = promised else {
        let content = Content::Stream(body, Box::pin(tokio::time::sleep(stream_timeout)));
        return Ok(Response::from_parts(parts, Body { content, reading, _in_flight: None, service: None }));
    };
    let collected = body.collect().await.map(Collected::to_bytes);
    if let Some(fault) = fate.fault() {
        return Err(Failure::BrokeOff(fault.to_owned()));
    }
    // Then the length is that of a body which is not sent, and the component need not make it.
    if is_head || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Ok(Response::from_parts(parts, Bytes::new().into()));
    }
    let bytes = collected.map_err(|error| Failure::BrokeOff(error.to_string()))?;
    // hyper writes as much as there is: what is beyond the promise would be the connection's next answer.
    match bytes.len() as u64 {
        sent if sent == promised => Ok(Response::from_parts(parts, bytes.into())),
        sent => Err(Failure::WrongLength { promised, sent }),
    }
}

/// Whom the request is for: what its target says, or else the one host that it names. Only an old client
/// names none (RFC 9112, 3.2); it means this service.
fn authority(request: &Request<Incoming>, service: &str) -> Result<Authority, Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Problem::BadHost),
        (None, _) if request.version() >= Version::HTTP_11 => return Err(Problem::BadHost),
        (None, _) => service.as_bytes(),
        (Some(host), None) if host.is_empty() => service.as_bytes(),
        (Some(host), None) => host.as_bytes(),
    };
    let named = Authority::try_from(named).ok().filter(|named| !named.as_str().contains('@'));
    let named = named.ok_or(Problem::BadHost)?;
    Ok(request.uri().authority().cloned().unwrap_or(named))
}

/// The request as `wasi:http` wants it: an absolute URI, a bounded body.
fn for_component(
    request: Request<Incoming>,
    authority: Authority,
    max_body: u64,
    fate: &Arc<RequestFate>,
) -> Request<WasiBody> {
    let (mut parts, body) = request.into_parts();
    let path = path_and_query(&parts.uri);
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority);
    uri.path_and_query = Some(path);
    if let Ok(uri) = Uri::from_parts(uri) {
        parts.uri = uri;
    }
    let body = if body.is_end_stream() {
        http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync()
    } else {
        let max_body = usize::try_from(max_body).unwrap_or(usize::MAX);
        let fate = fate.clone();
        Limited::new(body, max_body).map_err(move |error| request_body_error(error, &fate)).boxed_unsync()
    };
    Request::from_parts(parts, body)
}

/// An absolute target may go without a path, and then the path is the root.
fn path_and_query(uri: &Uri) -> PathAndQuery {
    let written = match uri.path_and_query() {
        Some(written) if !written.as_str().starts_with('?') => Some(written.clone()),
        Some(query) => PathAndQuery::try_from(format!("/{query}", query = query.as_str())).ok(),
        None => None,
    };
    written.unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// The component may make anything of a body that breaks off; that it was too large is told by the host.
fn request_body_error(
    error: Box<dyn std::error::Error + Send + Sync>,
    fate: &RequestFate,
) -> wasmtime_wasi_http::Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) => (*error).into(),
        Err(_) => {
            fate.body_too_large.store(true, Ordering::Relaxed);
            wasmtime_wasi_http::Error::HttpRequestBodySize(None)
        }
    }
}

/// The length that a response's head gives its body.
fn promised(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// The registered methods; anything else a client invents is one label.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The registered statuses; any other that a component invents is one label.
fn status_label(status: &StatusCode) -> &str {
    if status.canonical_reason().is_some() { status.as_str() } else { "_OTHER" }
}

/// The route templates that a component reported, bounded together with what it answers under them.
#[derive(Debug, Default)]
pub struct RouteLabels(RwLock<KnownRoutes>);

#[derive(Debug, Default)]
struct KnownRoutes {
    /// Methods and statuses of each.
    routes: HashMap<String, HashSet<(&'static str, StatusCode)>>,
    /// Of all routes.
    series: usize,
}

impl KnownRoutes {
    fn contains(&self, route: &str, method: &'static str, status: StatusCode) -> bool {
        self.routes.get(route).is_some_and(|series| series.contains(&(method, status)))
    }
}

impl RouteLabels {
    /// The label of what the host answered itself.
    const HOST: &str = "host";
    /// The label of a component that reports no routes, and of what it did not match.
    const UNMATCHED: &str = "unmatched";
    /// A route, a method and a status, each a histogram: a component chooses two of them.
    const MAX_SERIES: usize = 1000;
    const MAX_BYTES: usize = 128;

    fn label(&self, route: Option<&HeaderValue>, method: &'static str, status: StatusCode) -> String {
        let Some(route) = route.and_then(|route| route.to_str().ok()).filter(|route| route.len() <= Self::MAX_BYTES)
        else {
            return Self::UNMATCHED.to_owned();
        };
        if self.0.read().unwrap_or_else(PoisonError::into_inner).contains(route, method, status) {
            return route.to_owned();
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.contains(route, method, status) {
            return route.to_owned();
        }
        if known.series >= Self::MAX_SERIES {
            return Self::UNMATCHED.to_owned();
        }
        known.series += 1;
        known.routes.entry(route.to_owned()).or_default().insert((method, status));
        route.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_statuses() {
        let label = |code| status_label(&StatusCode::from_u16(code).unwrap()).to_owned();
        assert_eq!([200, 404, 503].map(label), ["200", "404", "503"]);
        assert_eq!([299, 419, 799, 999].map(label), ["_OTHER"; 4]);
        let labels: HashSet<String> = (100..1000).map(label).collect();
        assert!(labels.len() < 80, "{labels:?}");
    }

    #[test]
    fn bounds_routes_with_their_methods_and_statuses() {
        let labels = RouteLabels::default();
        let label = |route: &str, method, status| {
            let route = HeaderValue::from_str(route).unwrap();
            labels.label(Some(&route), method, StatusCode::from_u16(status).unwrap())
        };
        for n in 0..RouteLabels::MAX_SERIES / 4 {
            for (method, status) in [("GET", 200), ("GET", 404), ("PUT", 200), ("PUT", 404)] {
                assert_eq!(label(&format!("/r{n}"), method, status), format!("/r{n}"));
            }
        }
        assert_eq!(label("/more", "GET", 200), "unmatched");
        assert_eq!(label("/r7", "GET", 500), "unmatched");
        assert_eq!(label("/r7", "GET", 404), "/r7");
        assert_eq!(labels.label(None, "GET", StatusCode::OK), "unmatched");
    }
}
