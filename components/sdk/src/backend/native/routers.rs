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
use std::sync::{Arc, Mutex, PoisonError};
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

/// The services that can be called.
#[derive(Clone, Debug, Default)]
pub struct Http {
    peers: Arc<HashMap<String, Peer>>,
}

#[derive(Debug)]
struct Peer {
    router: Router,
    fault: Mutex<Option<Fault>>,
    calls: AtomicU64,
}

impl Http {
    /// There is no other service.
    pub fn from_host() -> Self {
        Http::default()
    }

    pub fn from_routers(routers: impl IntoIterator<Item = (String, Router)>) -> Self {
        let peer = |router| Peer { router, fault: Mutex::new(None), calls: AtomicU64::new(0) };
        let peers = routers.into_iter().map(|(name, router)| (name, peer(router))).collect();
        Http { peers: Arc::new(peers) }
    }

    /// False when there is no such service.
    pub fn set_fault(&self, name: &str, fault: Option<Fault>) -> bool {
        let Some(peer) = self.peers.get(name) else { return false };
        *peer.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        true
    }

    pub fn calls(&self, name: &str) -> Option<u64> {
        Some(self.peers.get(name)?.calls.load(Ordering::Relaxed))
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
        let Some(peer) = self.peers.get(&name) else {
            return Err(ClientError::Refused(format!("{name:?} is not on the list")));
        };
        peer.calls.fetch_add(1, Ordering::Relaxed);
        let fault = *peer.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => call(peer, outgoing).await,
            Some(Fault::Down) => Err(ClientError::Unavailable(format!("{name} is down"))),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::LoseAnswer) => {
                call(peer, outgoing).await?;
                Err(ClientError::Unavailable(format!("{name} closed the connection")))
            }
            Some(Fault::Status(status)) => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Ok(response)
            }
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
