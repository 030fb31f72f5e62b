//! HTTP as clients speak it, over connections that are kept or new ones.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::mpsc;

use super::in_time;

pub type Body = BoxBody<Bytes, Infallible>;
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Never sends a request twice: what a host drops, the test is to see.
#[derive(Clone)]
pub struct Client(legacy::Client<HttpConnector, Body>);

impl Client {
    /// Keeps its connections.
    pub fn keep_alive() -> Self {
        Self::with_idle_connections(usize::MAX)
    }

    /// A new connection for every request.
    pub fn fresh() -> Self {
        Self::with_idle_connections(0)
    }

    fn with_idle_connections(count: usize) -> Self {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        Self(builder.retry_canceled_requests(false).pool_max_idle_per_host(count).build_http())
    }

    /// The whole answer, or why there is none.
    pub async fn try_send(&self, request: Request<Body>) -> Result<Response, Error> {
        let what = format!("{} {}", request.method(), request.uri());
        in_time(&what, async {
            let (parts, body) = self.0.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Response { status: parts.status, headers: parts.headers, body })
        })
        .await
    }

    pub async fn send(&self, request: Request<Body>) -> Response {
        let what = format!("{} {}", request.method(), request.uri());
        self.try_send(request).await.unwrap_or_else(|error| panic!("{what}: no answer: {error:?}"))
    }

    pub async fn get(&self, url: impl AsRef<str>) -> Response {
        self.send(get(url.as_ref())).await
    }

    /// The head of the answer; its body is still to be read.
    pub async fn open(&self, request: Request<Body>) -> http::Response<Incoming> {
        let what = format!("{} {}", request.method(), request.uri());
        in_time(&what, self.0.request(request)).await.expect("a response's head")
    }
}

pub fn get(url: &str) -> Request<Body> {
    Request::get(url).body(empty()).expect("a request")
}

pub fn post(url: &str, body: impl Into<Bytes>) -> Request<Body> {
    Request::post(url).body(whole(body)).expect("a request")
}

pub fn request(method: Method, url: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(empty()).expect("a request")
}

pub fn empty() -> Body {
    whole(Bytes::new())
}

pub fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).boxed()
}

/// A body of unknown length that is sent as its parts are made.
pub fn chunked() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
    let chunks =
        futures_util::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let frames = chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
    (sender, BodyExt::boxed(StreamBody::new(frames)))
}

/// The next part of a body; none at its end.
pub async fn next_chunk(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = in_time("the next part of a body", body.frame()).await?;
        if let Ok(data) = frame.expect("a body that is whole").into_data() {
            return Some(data);
        }
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {:?}", self.body))
    }

    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// An RFC 9457 document with the status and the code, and with the request's id, whoever made it.
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status, "{problem:#}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem:#}");
        assert!(self.header("x-served-by").is_some(), "{self:?}");
        problem
    }
}
