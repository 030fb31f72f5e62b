//! One request: its route, its plugins, a target, the answer. Retries as Kong does: when a target
//! could not be reached, always; when it broke off or was silent, only what is idempotent; for a
//! status, never.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, ORIGIN};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Shared;
use super::balance::{Outcome, Target, Witness};
use super::body::{LINGER_BYTES, Payload, Reply, Upload};
use super::headers::{self, Entrance};
use super::path::normalize;
use super::plugins::{Allowance, Cors, Plugins};
use super::problem::Problem;
use super::route::{Match, Route};
use crate::identity;
use crate::ids::Ids;
use crate::server::linger;

/// Shorter than any host keeps an idle connection, so that a request rarely meets one that is just being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);
/// Idle connections to one target, per core.
const IDLE_CONNECTIONS: usize = 256;

/// The gateway on one core, with connections of its own: a connection belongs to the runtime that made it.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    /// By the time that connecting may take.
    clients: BTreeMap<Duration, Client<HttpConnector, Upload>>,
}

impl Proxy {
    pub fn new(shared: Arc<Shared>) -> Self {
        let timeouts = shared.routes.routes().map(|route| route.timeouts.connect);
        let clients = timeouts.map(|timeout| (timeout, client(timeout))).collect();
        Self { shared, clients }
    }

    pub async fn handle(&self, request: Request<Incoming>, entrance: &Entrance) -> Response<Reply> {
        let started = Instant::now();
        let (mut parts, mut body) = request.into_parts();
        let path = normalize(parts.uri.path()).into_owned();
        let found = self.shared.routes.find(&parts.method, &path, &parts.headers);
        let plugins = found.as_ref().map_or(&self.shared.plugins, |found| &found.route.plugins);
        identity::strip(&mut parts.headers);
        let expects = parts.headers.contains_key(EXPECT);
        headers::remove_hop_by_hop(&mut parts.headers);
        let id = plugins.correlation_id.as_ref().and_then(|plugin| plugin.apply(&mut parts.headers));
        let origin = parts.headers.get(ORIGIN).cloned();

        let mut allowance = None;
        let asks = plugins.cors.is_some() && Cors::is_preflight(&parts.method, &parts.headers);
        let outcome = match &found {
            None => Err(Problem::NoRoute),
            Some(_) if asks => Ok(Response::new(Reply::full(Bytes::new()))),
            Some(found) => match self.admit(&mut parts, &body, plugins, entrance) {
                Ok(left) => {
                    allowance = left;
                    self.forward(found, &path, parts, body, entrance).await
                }
                Err(problem) => {
                    // A client that waits for leave to send has not sent anything.
                    if !expects {
                        linger(&mut body, LINGER_BYTES).await;
                    }
                    Err(problem)
                }
            },
        };
        let source = match &outcome {
            Ok(_) if asks => "exit",
            Ok(_) => "service",
            Err(problem) => problem.source(),
        };
        let mut response = outcome.unwrap_or_else(|problem| problem.response(&path, id.as_ref()));
        if let (Some(plugin), Some(id)) = (&plugins.correlation_id, &id) {
            plugin.echo(id, response.headers_mut());
        }
        if let Some(allowance) = allowance {
            allowance.tell(response.headers_mut());
        }
        match &plugins.cors {
            Some(cors) if asks => cors.answer_preflight(origin.as_ref(), response.headers_mut()),
            Some(cors) => cors.apply(origin.as_ref(), response.headers_mut()),
            None => {}
        }
        self.count(plugins, found.as_ref().map(|found| &*found.route), &response, source, started);
        response
    }

    /// Whoever may not gets no further, before a byte of the body is read. In Kong's order.
    /// What is left to the client, where that is limited.
    fn admit(
        &self,
        parts: &mut Parts,
        body: &Incoming,
        plugins: &Plugins,
        entrance: &Entrance,
    ) -> Result<Option<Allowance>, Problem> {
        let consumers = &self.shared.consumers;
        let consumer = match (&plugins.key_auth, plugins.jwt) {
            (Some(plugin), _) => Some(plugin.authenticate(consumers, &mut parts.headers).map_err(Problem::Key)?),
            (None, Some(plugin)) => consumers.with_token(plugin, &mut parts.headers).map_err(Problem::Token)?,
            (None, None) => None,
        };
        if let (Some(limit), Some(length)) = (plugins.size_limit, body.size_hint().exact())
            && length > limit
        {
            return Err(Problem::TooLarge);
        }
        if let Some(acl) = &plugins.acl
            && !acl.permits(consumer, &mut parts.headers)
        {
            return Err(Problem::Forbidden);
        }
        let limit = plugins.rate_limit.as_ref();
        let left = limit.map(|limit| limit.take(entrance.client.ip())).transpose().map_err(Problem::RateLimited)?;
        if let Some(transformer) = &plugins.transformer {
            transformer.apply(&mut parts.headers);
        }
        Ok(left)
    }

    async fn forward(
        &self,
        found: &Match,
        path: &str,
        mut parts: Parts,
        body: Incoming,
        entrance: &Entrance,
    ) -> Result<Response<Reply>, Problem> {
        let route = &*found.route;
        let target_path = target_path(found, path, &parts.uri).ok_or(Problem::NoRoute)?;
        headers::forward(&mut parts, entrance, found.prefix.as_deref());
        let payload = Payload::take(body, route.plugins.size_limit.unwrap_or(u64::MAX)).await?;
        let mut tried = Vec::new();
        let mut last = None;
        for _ in 0..=route.retries {
            let Some((index, target)) = route.pool.pick(&tried) else { break };
            if last == Some(Problem::TimedOut) && tried.contains(&index) {
                break; // a target that is silent is not asked the same again
            }
            tried.push(index);
            let request = request(&parts, target, &target_path, route.preserve_host, payload.upload());
            match self.attempt(route, target, request, &payload).await {
                Ok(response) => return Ok(response),
                Err(problem) => {
                    let again = problem == Problem::Unreached || parts.method.is_idempotent();
                    tracing::debug!(target = target.name, code = problem.code(), again, "an attempt failed");
                    last = Some(problem);
                    if !again || !payload.is_whole() || payload.fault().is_some() {
                        break;
                    }
                }
            }
        }
        let problem = payload.fault().or(last).unwrap_or(Problem::NoTarget);
        let ids = Ids::of(&parts.headers);
        tracing::warn!(
            route = route.name,
            request_id = ids.request_id(),
            trace_id = ids.trace_id(),
            attempts = tried.len(),
            code = problem.code(),
            "a request failed"
        );
        payload.linger().await;
        Err(problem)
    }

    /// One request to one target. What became of it counts for the target's health.
    async fn attempt(
        &self,
        route: &Route,
        target: &Target,
        request: Request<Upload>,
        payload: &Payload,
    ) -> Result<Response<Reply>, Problem> {
        let started = Instant::now();
        let is_head = request.method() == Method::HEAD;
        let client = self.clients.get(&route.timeouts.connect).ok_or(Problem::NoTarget)?;
        let answer = async {
            let answer = payload.wait(client.request(request), &route.timeouts).await?;
            let answer =
                answer.map_err(|error| if error.is_connect() { Problem::Unreached } else { Problem::Broken })?;
            let took = started.elapsed();
            let (mut parts, body) = answer.into_parts();
            headers::remove_hop_by_hop(&mut parts.headers);
            if !is_head && (parts.status == StatusCode::NOT_MODIFIED || body.size_hint().exact().is_none()) {
                parts.headers.remove(CONTENT_LENGTH); // it tells the length of something else than what follows
            }
            let reply = Reply::take(body, route.timeouts.read).await?;
            Ok((Response::from_parts(parts, reply), took))
        };
        let answer = answer.await;
        let outcome = match &answer {
            Ok((response, _)) => Some(Outcome::Answered(response.status())),
            Err(Problem::TimedOut) => Some(Outcome::TimedOut),
            Err(Problem::Unreached | Problem::Broken) if payload.fault().is_none() => Some(Outcome::Failed),
            Err(_) => None, // the client's doing
        };
        if let Some(outcome) = outcome {
            self.shared.report(&route.pool, target, outcome, Witness::Traffic);
        }
        let (response, took) = answer?;
        if route.plugins.prometheus.is_some_and(|plugin| plugin.latency) {
            self.shared.metrics.upstream_took(&route.service, &route.name, took);
        }
        Ok(response)
    }

    fn count(
        &self,
        plugins: &Plugins,
        route: Option<&Route>,
        response: &Response<Reply>,
        source: &str,
        started: Instant,
    ) {
        let Some(plugin) = plugins.prometheus else { return };
        let (service, name) = route.map_or(("", ""), |route| (&*route.service, &*route.name));
        if plugin.status_codes {
            self.shared.metrics.count(service, name, response.status().as_str(), source);
        }
        if plugin.latency {
            self.shared.metrics.request_took(service, name, started.elapsed());
        }
    }
}

fn client(connect_timeout: Duration) -> Client<HttpConnector, Upload> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .set_host(false)
        .build(connector)
}

/// The path and query for the target. The normalized path, so that the target serves what was routed.
fn target_path(found: &Match, path: &str, uri: &Uri) -> Option<PathAndQuery> {
    if found.keeps_path() && uri.path() == path {
        return uri.path_and_query().cloned();
    }
    let mut target = found.path(path);
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    PathAndQuery::try_from(target).ok()
}

fn request(parts: &Parts, target: &Target, path: &PathAndQuery, preserve_host: bool, body: Upload) -> Request<Upload> {
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(target.authority.clone());
    uri.path_and_query = Some(path.clone());
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = parts.headers.clone();
    request.headers_mut().remove(CONTENT_LENGTH); // the body knows it, and only one of the two can be right
    if !preserve_host || !parts.headers.contains_key(HOST) {
        request.headers_mut().insert(HOST, target.host.clone());
    }
    request
}
