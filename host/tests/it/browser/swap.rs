//! A component that is replaced after a browser has got a page, and before it has got what the page loads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, ETAG, HOST};
use tokio::net::TcpListener;

use crate::support::client::{Client, whole};

/// The gateway, but the first page is one of the version before, whose files are gone.
pub struct Replaced {
    pub address: SocketAddr,
    pages: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Behind {
    gateway: String,
    client: Client,
    pages: Arc<AtomicUsize>,
}

impl Replaced {
    pub async fn start(gateway: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let pages = Arc::new(AtomicUsize::new(0));
        let behind = Behind { gateway, client: Client::keep_alive(), pages: pages.clone() };
        let router = Router::new().fallback(hand_on).with_state(behind);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, pages }
    }

    /// How often the page was asked for.
    pub fn pages(&self) -> usize {
        self.pages.load(Ordering::Relaxed)
    }
}

async fn hand_on(State(behind): State<Behind>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_page = parts.uri.path() == "/";
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    parts.uri = format!("{}{target}", behind.gateway).parse().expect("a URL");
    parts.headers.remove(HOST);
    parts.headers.remove(ACCEPT_ENCODING);
    let body = to_bytes(body, usize::MAX).await.expect("a whole body");
    let mut answer = behind.client.send(http::Request::from_parts(parts, whole(body))).await;
    if is_page && behind.pages.fetch_add(1, Ordering::Relaxed) == 0 {
        let page = answer.text();
        let digest = page.split("/assets/products/").nth(1).and_then(|rest| rest.split('/').next()).expect("a digest");
        answer.body = page.replace(digest, "0123456789abcdef0123456789abcdef").into();
        answer.headers.remove(CONTENT_LENGTH);
        // Another version has another tag: with the one of now, the browser would be told that what it has is right.
        answer.headers.remove(ETAG);
    }
    (answer.status, answer.headers, Body::from(answer.body)).into_response()
}
