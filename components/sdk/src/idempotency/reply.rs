//! An answer that can be stored, and given again.

use crate::{ETag, Problem, Value};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// On an answer that was given before: `true`.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The contract's name for [`Reply`].
pub type Stored = Reply;

/// A status, headers and a JSON body. Any status may be stored: an answer such as 402 that was
/// reached with an effect is as final as a 201.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    /// Or why it could not be written as JSON.
    body: Result<Vec<u8>, String>,
}

impl Reply {
    #[must_use]
    pub fn new(status: StatusCode, body: &(impl Serialize + ?Sized)) -> Self {
        let body = serde_json::to_vec(body).map_err(|err| err.to_string());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Reply { status, headers, body }
    }

    #[must_use]
    pub fn ok(body: &(impl Serialize + ?Sized)) -> Self {
        Reply::new(StatusCode::OK, body)
    }

    #[must_use]
    pub fn created(location: impl AsRef<str>, body: &(impl Serialize + ?Sized)) -> Self {
        Reply::new(StatusCode::CREATED, body).location(location)
    }

    /// 202: begun, and to be looked at there.
    #[must_use]
    pub fn accepted(location: impl AsRef<str>, body: &(impl Serialize + ?Sized)) -> Self {
        Reply::new(StatusCode::ACCEPTED, body).location(location)
    }

    #[must_use]
    pub fn no_content() -> Self {
        Reply { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Ok(Vec::new()) }
    }

    #[must_use]
    pub fn etag(self, etag: ETag) -> Self {
        self.header(ETAG, etag.to_header())
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A place that is no header value is left out.
    fn location(self, location: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(location.as_ref()) {
            Ok(location) => self.header(LOCATION, location),
            Err(_) => self,
        }
    }

    /// What is stored: status, headers, body.
    pub(super) fn stored(&self) -> Result<(i32, Value, Vec<u8>), Problem> {
        let body = self.body.clone().map_err(Problem::internal)?;
        let headers: Vec<(&str, &str)> =
            self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let headers = serde_json::to_string(&headers).map_err(Problem::internal)?;
        Ok((self.status.as_u16().into(), Value::Json(headers), body))
    }

    pub(super) fn restore(status: i32, headers: serde_json::Value, body: Vec<u8>) -> Result<Self, Problem> {
        let status = u16::try_from(status).map_err(Problem::internal)?;
        let status = StatusCode::from_u16(status).map_err(Problem::internal)?;
        let stored: Vec<(String, String)> = serde_json::from_value(headers).map_err(Problem::internal)?;
        let mut headers = HeaderMap::with_capacity(stored.len() + 1);
        for (name, value) in stored {
            let name: HeaderName = name.parse().map_err(Problem::internal)?;
            headers.append(name, value.parse().map_err(Problem::internal)?);
        }
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        Ok(Reply { status, headers, body: Ok(body) })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self.body {
            Ok(body) => (self.status, self.headers, body).into_response(),
            Err(err) => Problem::internal(err).into_response(),
        }
    }
}
