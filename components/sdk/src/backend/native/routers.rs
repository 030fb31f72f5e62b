//! Other services in this process, by name, and what can go wrong with them.

use crate::ClientError;
use crate::backend::Outgoing;
use crate::client::RESPONSE_BYTES_MAX;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// What happens to calls to a service instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens.
    Down,
    /// The service never answers.
    Hang,
    /// The service does what it is asked for, and the answer is lost.
    LoseAnswer,
    /// The service answers with this status and nothing else.
    Status(u16),
}

/// At which moment of a call a trap catches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The service has not heard of it.
    Before,
    /// The service has done it, and the caller does not know.
    After,
}

/// How far a trap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Set,
    Sprung,
    Open,
}

/// Catches one call. Whoever made it waits until it is let go, or its deadline passes.
#[derive(Clone, Debug)]
pub struct Trap(watch::Sender<Stage>);

impl Trap {
    fn new() -> Self {
        Trap(watch::Sender::new(Stage::Set))
    }

    /// Returns once a call is caught.
    pub async fn sprung(&self) {
        self.reaches(|stage| stage != Stage::Set).await;
    }

    /// The call goes on.
    pub fn let_go(&self) {
        self.0.send_replace(Stage::Open);
    }

    async fn hold(&self) {
        self.0.send_replace(Stage::Sprung);
        self.reaches(|stage| stage == Stage::Open).await;
    }

    async fn reaches(&self, reached: impl Fn(Stage) -> bool) {
        // The sender is this very handle, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|stage| reached(*stage)).await;
    }
}

/// What happens to one call.
#[derive(Clone, Debug)]
enum Incident {
    Fault(Fault),
    Trap(Moment, Trap),
}

/// The services that can be called.
#[derive(Clone, Debug, Default)]
pub struct Http {
    peers: Arc<RwLock<HashMap<String, Arc<Peer>>>>,
}

#[derive(Debug)]
struct Peer {
    router: Router,
    fault: Mutex<Option<Fault>>,
    /// Each for the next call whose path has that in it.
    incidents: Mutex<Vec<(String, Incident)>>,
    calls: AtomicU64,
}

impl Peer {
    fn new(router: Router) -> Arc<Self> {
        Arc::new(Peer { router, fault: Mutex::default(), incidents: Mutex::default(), calls: AtomicU64::new(0) })
    }

    /// What happens to this call, which then has happened.
    fn incident(&self, path: &str) -> Option<Incident> {
        let mut incidents = lock(&self.incidents);
        let found = incidents.iter().position(|(part, _)| path.contains(part.as_str()));
        match found {
            Some(place) => Some(incidents.remove(place).1),
            None => lock(&self.fault).map(Incident::Fault),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Http {
    /// There is no other service.
    pub fn from_host() -> Self {
        Http::default()
    }

    pub fn from_routers(routers: impl IntoIterator<Item = (String, Router)>) -> Self {
        let http = Http::default();
        routers.into_iter().for_each(|(name, router)| http.connect(name, router));
        http
    }

    pub fn connect(&self, name: String, router: Router) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        peers.insert(name, Peer::new(router));
    }

    fn peer(&self, name: &str) -> Option<Arc<Peer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// False when there is no such service.
    pub fn set_fault(&self, name: &str, fault: Option<Fault>) -> bool {
        let Some(peer) = self.peer(name) else { return false };
        *lock(&peer.fault) = fault;
        true
    }

    /// False when there is no such service.
    pub fn set_fault_once(&self, name: &str, part: &str, fault: Fault) -> bool {
        let Some(peer) = self.peer(name) else { return false };
        lock(&peer.incidents).push((part.to_owned(), Incident::Fault(fault)));
        true
    }

    /// None when there is no such service.
    pub fn set_trap(&self, name: &str, part: &str, moment: Moment) -> Option<Trap> {
        let (peer, trap) = (self.peer(name)?, Trap::new());
        lock(&peer.incidents).push((part.to_owned(), Incident::Trap(moment, trap.clone())));
        Some(trap)
    }

    pub fn calls(&self, name: &str) -> Option<u64> {
        Some(self.peer(name)?.calls.load(Ordering::Relaxed))
    }

    pub async fn send(&self, outgoing: Outgoing) -> Result<Response<Bytes>, ClientError> {
        let deadline = outgoing.deadline;
        match tokio::time::timeout(deadline, self.exchange(outgoing)).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Timeout),
        }
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Response<Bytes>, ClientError> {
        let name = outgoing.uri.authority().map(|authority| authority.host().to_owned());
        let name = name.unwrap_or_default();
        let Some(peer) = self.peer(&name) else {
            return Err(ClientError::Refused(format!("{name:?} is not on the list")));
        };
        peer.calls.fetch_add(1, Ordering::Relaxed);
        match peer.incident(outgoing.uri.path()) {
            None => call(&peer, outgoing).await,
            Some(Incident::Trap(Moment::Before, trap)) => {
                trap.hold().await;
                call(&peer, outgoing).await
            }
            Some(Incident::Trap(Moment::After, trap)) => {
                let answer = call(&peer, outgoing).await;
                trap.hold().await;
                answer
            }
            Some(Incident::Fault(fault)) => fail(&peer, &name, outgoing, fault).await,
        }
    }
}

async fn fail(peer: &Peer, name: &str, outgoing: Outgoing, fault: Fault) -> Result<Response<Bytes>, ClientError> {
    match fault {
        Fault::Down => Err(ClientError::Unavailable(format!("{name} is down"))),
        Fault::Hang => std::future::pending().await,
        Fault::LoseAnswer => {
            call(peer, outgoing).await?;
            Err(ClientError::Unavailable(format!("{name} closed the connection")))
        }
        Fault::Status(status) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(response)
        }
    }
}

/// As the host does it: path and query alone, and who is calling.
async fn call(peer: &Peer, outgoing: Outgoing) -> Result<Response<Bytes>, ClientError> {
    let protocol = |err: String| ClientError::Protocol(err);
    let path = outgoing.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(outgoing.method)
        .uri(path)
        .body(Body::from(outgoing.body))
        .map_err(|err| protocol(err.to_string()))?;
    *request.headers_mut() = outgoing.headers;
    let service = HeaderValue::from_static("test");
    request.headers_mut().entry("x-service-name").or_insert(service);
    let response = match peer.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, RESPONSE_BYTES_MAX).await.map_err(|err| protocol(err.to_string()))?;
    Ok(Response::from_parts(parts, body))
}
