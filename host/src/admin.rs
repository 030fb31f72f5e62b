//! The admin port: what runs, how it fares, and swapping it, for programs and, in `page`, for people. Whatever
//! changes something needs the admin token. Bound to loopback unless told otherwise; never routed by the gateway.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::component::{self, Binary, Refusal};
use crate::generation::Generation;
use crate::identity::Secret;
use crate::limits::MAX_COMPONENT_BYTES;
use crate::metrics::{Metrics, Traffic};
use crate::server;
use crate::service::Service;
use crate::swap::Outcome;

mod page;

/// Connections at once; more wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 64;
/// Whoever holds a connection must say something within this time.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

const INDEX: &str = "Comptoir's admin port
GET  /                               in a browser, a page that shows what follows
GET  /metrics                        Prometheus text format
GET  /live                           the process is there
GET  /ready                          every component is loaded and every database answers
GET  /components                     what runs: digest, generation, age, requests, what drains, last refusal
GET  /traffic                        what each service answered since the start: requests, 5xx, durations
GET  /authorization                  whether the next two would be allowed, with the token that came
PUT  /components/{service}           swap: the body is a .wasm       (Authorization: Bearer <admin token>)
POST /components/{service}/rollback  back to the previous generation (Authorization: Bearer <admin token>)
{service} is a service (all its replicas, one after another) or one replica.
";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

type Answer = Response<Full<Bytes>>;

/// Who may change something.
enum Permission {
    /// Whoever sent this request.
    Granted,
    /// Somebody with the token, which did not come.
    Denied,
    /// The host has no token.
    Nobody,
}

#[derive(Debug)]
pub struct Admin {
    services: Vec<Arc<Service>>,
    metrics: Arc<Metrics>,
    token: Option<Secret>,
    started: Instant,
}

impl Admin {
    pub fn new(services: Vec<Arc<Service>>, metrics: Arc<Metrics>, token: Option<Secret>) -> Self {
        Self { services, metrics, token, started: Instant::now() }
    }

    /// Serves until `stop`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = server::accept(&listener, &connections) => accepted,
            };
            match accepted {
                Ok((stream, place)) => {
                    let admin = self.clone();
                    tokio::spawn(async move {
                        admin.converse(stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "cannot accept an admin connection");
                    tokio::time::sleep(server::ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// One connection, to its end.
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| {
            let admin = self.clone();
            async move { Ok::<_, Infallible>(admin.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an admin connection ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (request, mut body) = request.into_parts();
        let mut answer = self.respond(&request, &mut body).await;
        // Browsers come here too: what this port says is what its type says, and for its own pages alone.
        answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        // A client that waits for leave to send has not sent anything.
        if !request.headers.contains_key(EXPECT) {
            server::linger(&mut body, MAX_COMPONENT_BYTES).await;
        }
        answer
    }

    async fn respond(&self, request: &Parts, body: &mut Incoming) -> Answer {
        let segments: Vec<&str> = request.uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
        match (request.method.clone(), segments.as_slice()) {
            (Method::GET, []) if page::is_wanted(&request.headers) => page::html(),
            (Method::GET, []) => index(),
            (Method::GET, ["page", name]) => page::asset(name).unwrap_or_else(no_such_page),
            (Method::GET, ["live"]) => text(StatusCode::OK, "live\n"),
            (Method::GET, ["ready"]) => self.ready().await,
            (Method::GET, ["metrics"]) => self.scrape(),
            (Method::GET, ["components"]) => document(StatusCode::OK, &self.components()),
            (Method::GET, ["traffic"]) => document(StatusCode::OK, &self.traffic()),
            (Method::GET, ["authorization"]) => document(StatusCode::OK, &self.authorization(request)),
            (Method::PUT, ["components", name]) => self.swap(name, request, body).await,
            (Method::POST, ["components", name, "rollback"]) => self.rollback(name, request),
            (_, [] | ["live" | "ready" | "metrics" | "components" | "traffic" | "authorization"] | ["page", _]) => {
                problem(StatusCode::METHOD_NOT_ALLOWED, "use GET")
            }
            (_, ["components", _]) => problem(StatusCode::METHOD_NOT_ALLOWED, "use PUT with a .wasm as body"),
            (_, ["components", _, "rollback"]) => problem(StatusCode::METHOD_NOT_ALLOWED, "use POST"),
            _ => no_such_page(),
        }
    }

    async fn ready(&self) -> Answer {
        let mut waiting = Vec::new();
        for service in &self.services {
            if let Err(error) = service.ready().await {
                waiting.push(
                    json!({"service": service.name(), "replica": service.replica(), "reason": format!("{error:#}")}),
                );
            }
        }
        let status = if waiting.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        document(status, &json!({"ready": waiting.is_empty(), "waiting": waiting}))
    }

    fn scrape(&self) -> Answer {
        for service in &self.services {
            for state in ["idle", "used", "transaction"] {
                self.metrics.db_connections.with_label_values(&[service.name(), state]).set(0);
            }
        }
        // Replicas of one service share its series.
        for service in &self.services {
            for (state, count) in ["idle", "used", "transaction"].into_iter().zip(service.refresh_gauges()) {
                self.metrics.db_connections.with_label_values(&[service.name(), state]).add(count);
            }
        }
        match self.metrics.encode() {
            Ok(text) => {
                let mut response = Response::new(Full::new(text.into()));
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("cannot encode the metrics: {error}")),
        }
    }

    fn components(&self) -> Value {
        let list: Vec<Value> = self
            .services
            .iter()
            .map(|service| {
                json!({
                    "service": service.name(),
                    "replica": service.replica(),
                    "address": service.config().listen,
                    "current": service.current().map(|generation| describe(&generation, "serving")),
                    "previous": service.previous().map(|generation| describe(&generation, "ready")),
                    "draining": service
                        .draining()
                        .iter()
                        .map(|generation| describe(generation, "draining"))
                        .collect::<Vec<_>>(),
                    "loading": service.loading().map(|loading| json!({
                        "digest": loading.digest.to_string(),
                        "stage": loading.stage.as_str(),
                        "age_s": age_s(loading.since),
                    })),
                    "last_refusal": service.last_refusal().map(|refusal| json!({
                        "stage": refusal.stage,
                        "message": refusal.message,
                        "age_s": age_s(refusal.at),
                    })),
                })
            })
            .collect();
        json!({"components": list})
    }

    /// Counted from the start, like everything in `/metrics`; `uptime_s` is when, by a clock that only goes on.
    fn traffic(&self) -> Value {
        let services: serde_json::Map<String, Value> = self
            .metrics
            .traffic()
            .into_iter()
            .map(|(service, Traffic { requests, errors, by_duration })| {
                (service, json!({"requests": requests, "errors": errors, "by_duration": by_duration}))
            })
            .collect();
        json!({
            "uptime_s": self.started.elapsed().as_secs_f64(),
            "bounds_s": self.metrics.traffic_bounds_s(),
            "services": services,
        })
    }

    async fn swap(&self, name: &str, request: &Parts, body: &mut Incoming) -> Answer {
        if let Err(refused) = self.authorize(request) {
            return refused;
        }
        let services = match self.find(name) {
            Ok(services) => services,
            Err(unknown) => return unknown,
        };
        let binary = match Limited::new(body, MAX_COMPONENT_BYTES).collect().await {
            Ok(body) => Binary::new(body.to_bytes().to_vec()),
            Err(error) if error.is::<LengthLimitError>() => {
                return problem(StatusCode::PAYLOAD_TOO_LARGE, &component::too_large().to_string());
            }
            Err(error) => return problem(StatusCode::BAD_REQUEST, &format!("cannot read the component: {error}")),
        };
        let mut done = Vec::new();
        for service in services {
            match service.load(binary.clone()).await {
                Ok(Outcome::Switched { generation }) => done.push(swapped(service, "switched", generation)),
                Ok(Outcome::Unchanged { generation }) => done.push(swapped(service, "unchanged", generation)),
                Ok(Outcome::Superseded) => return superseded(service, &done),
                Err(refusal) => return refused(&refusal, service, &done),
            }
        }
        document(StatusCode::OK, &json!({"swapped": done}))
    }

    fn rollback(&self, name: &str, request: &Parts) -> Answer {
        if let Err(refused) = self.authorize(request) {
            return refused;
        }
        let services = match self.find(name) {
            Ok(services) => services,
            Err(unknown) => return unknown,
        };
        // One that cannot go back keeps no other from it: whoever asks is in trouble.
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for service in services {
            match service.rollback() {
                Ok(generation) => done.push(json!({"replica": service.replica(), "generation": generation})),
                Err(error) => failed.push(format!("{}: {error:#}", service.replica())),
            }
        }
        if failed.is_empty() {
            return document(StatusCode::OK, &json!({"rolled_back": done}));
        }
        let body = json!({
            "title": StatusCode::CONFLICT.canonical_reason(),
            "status": StatusCode::CONFLICT.as_u16(),
            "detail": failed.join("; "),
            "rolled_back": done,
        });
        typed(StatusCode::CONFLICT, "application/problem+json", body.to_string())
    }

    #[expect(clippy::result_large_err, reason = "an answer either way, to an operator")]
    fn authorize(&self, request: &Parts) -> Result<(), Answer> {
        match self.permission(request) {
            Permission::Granted => Ok(()),
            Permission::Nobody => Err(problem(
                StatusCode::FORBIDDEN,
                "this host was started without an admin token (`--admin-token-file`), so nothing can be changed here",
            )),
            Permission::Denied => {
                let mut response = problem(StatusCode::UNAUTHORIZED, "send `Authorization: Bearer <admin token>`");
                let scheme = HeaderValue::from_static("Bearer realm=\"comptoir admin\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
                Err(response)
            }
        }
    }

    /// Always an answer, never a refusal: what would be allowed is known before anything is sent.
    fn authorization(&self, request: &Parts) -> Value {
        let changes = match self.permission(request) {
            Permission::Granted => "allowed",
            Permission::Denied => "need-token",
            Permission::Nobody => "off",
        };
        json!({"changes": changes})
    }

    fn permission(&self, request: &Parts) -> Permission {
        let Some(token) = &self.token else { return Permission::Nobody };
        let given = request.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        if given.is_some_and(|given| token.matches(given)) { Permission::Granted } else { Permission::Denied }
    }

    /// A service's replicas, or one replica by its own name.
    #[expect(clippy::result_large_err, reason = "an answer either way, to an operator")]
    fn find(&self, name: &str) -> Result<Vec<&Arc<Service>>, Answer> {
        let by_name: Vec<_> = self.services.iter().filter(|service| service.name() == name).collect();
        if !by_name.is_empty() {
            return Ok(by_name);
        }
        let by_replica: Vec<_> = self.services.iter().filter(|service| service.replica() == name).collect();
        if !by_replica.is_empty() {
            return Ok(by_replica);
        }
        let mut known: Vec<&str> = self.services.iter().map(|service| service.name()).collect();
        known.dedup();
        Err(problem(StatusCode::NOT_FOUND, &format!("no service `{name}` here; there is: {}", known.join(", "))))
    }
}

/// `state`: it is `serving`, it is `ready` to be rolled back to, or it is older and `draining`.
fn describe(generation: &Generation, state: &str) -> Value {
    json!({
        "generation": generation.number,
        "state": state,
        "digest": generation.digest().to_string(),
        "wasi_http": generation.component.wasi(),
        "age_s": age_s(generation.loaded_at),
        "retired_s": generation.retired_at().map(age_s),
        "in_flight": generation.in_flight(),
        "instances": generation.instances(),
        "probation": generation.probation().filter(|_| state == "serving").map(|progress| json!({
            "left_s": progress.left.as_secs(),
            "answers": progress.answers,
            "failures": progress.failures,
        })),
    })
}

fn age_s(since: SystemTime) -> u64 {
    since.elapsed().map_or(0, |age| age.as_secs())
}

fn swapped(service: &Service, outcome: &str, generation: u64) -> Value {
    json!({"service": service.name(), "replica": service.replica(), "outcome": outcome, "generation": generation})
}

fn superseded(service: &Service, done: &[Value]) -> Answer {
    let body = json!({
        "title": StatusCode::CONFLICT.canonical_reason(),
        "status": StatusCode::CONFLICT.as_u16(),
        "detail": format!(
            "{}: a newer component came while this one waited for its turn, and is loaded in its place",
            service.replica()
        ),
        "replica": service.replica(),
        "swapped": done,
    });
    typed(StatusCode::CONFLICT, "application/problem+json", body.to_string())
}

fn refused(refusal: &Refusal, service: &Service, done: &[Value]) -> Answer {
    let status = if refusal.transient { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = json!({
        "title": "the component was refused; the one before goes on serving",
        "status": status.as_u16(),
        "stage": refusal.stage.as_str(),
        "detail": format!("{:#}", refusal.cause),
        "replica": service.replica(),
        "swapped": done,
    });
    typed(status, "application/problem+json", body.to_string())
}

fn problem(status: StatusCode, detail: &str) -> Answer {
    let body = json!({"title": status.canonical_reason(), "status": status.as_u16(), "detail": detail});
    typed(status, "application/problem+json", body.to_string())
}

fn document(status: StatusCode, body: &Value) -> Answer {
    typed(status, "application/json", format!("{body:#}\n"))
}

/// What there is, for people with a terminal.
fn index() -> Answer {
    let mut response = text(StatusCode::OK, INDEX);
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn no_such_page() -> Answer {
    problem(StatusCode::NOT_FOUND, "no such page; GET / lists what there is")
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", body.to_owned())
}

fn typed(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
