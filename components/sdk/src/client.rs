//! Calls to other services by their logical names, `http://products/...`. The host knows the
//! addresses, adds who is calling, and refuses every name that is not on its list. Request id and
//! trace are passed on; every call has a deadline.

use crate::backend::{Http, Outgoing};
use crate::{Problem, request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// For the whole exchange, unless the call says otherwise.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(2);

/// What a response may be long.
pub const RESPONSE_BYTES_MAX: usize = 8 << 20;

/// How long to wait before asking again when a dependency is away.
const RETRY_AFTER_S: u32 = 1;

/// Why there is no response. Any status, 500 too, is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no connection. The request was not processed, or nobody knows.
    #[error("the service is unavailable: {0}")]
    Unavailable(String),
    /// The deadline passed. Whether the request was processed is not known.
    #[error("the service did not answer in time")]
    Timeout,
    /// The host does not let the request through: this service may not call that name.
    #[error("the request was refused: {0}")]
    Refused(String),
    /// What came back is no response, or not the one that was expected.
    #[error("the answer is not as expected: {0}")]
    Protocol(String),
}

/// A dependency that is away is a 503; a call that cannot work is a bug.
impl From<ClientError> for Problem {
    fn from(err: ClientError) -> Self {
        match &err {
            ClientError::Unavailable(_) | ClientError::Timeout | ClientError::Protocol(_) => {
                Problem::unavailable(RETRY_AFTER_S).code("dependency-unavailable").cause(err)
            }
            ClientError::Refused(_) => Problem::internal(err),
        }
    }
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(pub(crate) Http);

impl Client {
    pub(crate) fn from_host() -> Self {
        Client(Http::from_host())
    }

    #[must_use]
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    #[must_use]
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    #[must_use]
    pub fn put(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    #[must_use]
    pub fn delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    #[must_use]
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        let url = url.as_ref();
        let uri = match url.parse::<Uri>() {
            Ok(uri) if uri.authority().is_some() => Ok(uri),
            Ok(_) => Err(format!("{url:?} names no service")),
            Err(err) => Err(format!("{url:?} is no URL: {err}")),
        };
        RequestBuilder {
            http: self.0.clone(),
            method,
            uri,
            headers: HeaderMap::new(),
            body: Ok(Bytes::new()),
            deadline: DEADLINE_DEFAULT,
        }
    }
}

/// A call that is being put together; what is wrong with it comes out when it is sent.
#[derive(Debug)]
pub struct RequestBuilder {
    http: Http,
    method: Method,
    uri: Result<Uri, String>,
    headers: HeaderMap,
    body: Result<Bytes, String>,
    deadline: Duration,
}

impl RequestBuilder {
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What makes a POST safe to send again.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl std::fmt::Display) -> Self {
        match HeaderValue::from_str(&key.to_string()) {
            Ok(key) => self.header(HeaderName::from_static("idempotency-key"), key),
            Err(err) => {
                self.body = Err(format!("the idempotency key is no header value: {err}"));
                self
            }
        }
    }

    #[must_use]
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = serde_json::to_vec(body).map(Bytes::from).map_err(|err| err.to_string());
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// # Errors
    /// When there is no response; any status is one.
    pub async fn send(self) -> Result<Response, ClientError> {
        let RequestBuilder { http, method, uri, mut headers, body, deadline } = self;
        if let Some(request) = request::current() {
            request.propagate(&mut headers);
        }
        let uri = uri.map_err(ClientError::Refused)?;
        let body = body.map_err(ClientError::Refused)?;
        let response = http.send(Outgoing { method, uri, headers, body, deadline }).await?;
        let (parts, body) = response.into_parts();
        Ok(Response { status: parts.status, headers: parts.headers, body })
    }
}

/// Another service's answer, whole.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// # Errors
    /// [`ClientError::Protocol`] when the body is not such a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|err| ClientError::Protocol(format!("status {}, body: {err}", self.status.as_u16())))
    }

    /// The response itself when its status is a success.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`] for 502, 503 and 504, [`ClientError::Protocol`] for any other.
    pub fn success(self) -> Result<Self, ClientError> {
        let text = || format!("status {}", self.status.as_u16());
        match self.status.as_u16() {
            200..=299 => Ok(self),
            502..=504 => Err(ClientError::Unavailable(text())),
            _ => Err(ClientError::Protocol(text())),
        }
    }
}
