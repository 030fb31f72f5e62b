//! Answers that succeed, in the shapes that our interfaces use.

use crate::{ETag, Json};
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// 201 with the place of what was created: `Created("/api/v1/products/7", body)`.
#[derive(Clone, Debug)]
pub struct Created<L, T>(pub L, pub T);

impl<L: AsRef<str>, T: Serialize> IntoResponse for Created<L, T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.1)).into_response();
        // A place that is no header value is left out: the resource was created all the same.
        if let Ok(location) = HeaderValue::from_str(self.0.as_ref()) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// Any answer, with the version of what it shows.
#[derive(Clone, Debug)]
pub struct WithETag<T>(pub ETag, pub T);

impl<T: IntoResponse> IntoResponse for WithETag<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.headers_mut().insert(ETAG, self.0.to_header());
        response
    }
}

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 304: what the client has is what there is. See [`crate::IfNoneMatch`].
#[derive(Clone, Debug)]
pub struct NotModified(pub ETag);

impl IntoResponse for NotModified {
    fn into_response(self) -> Response {
        (StatusCode::NOT_MODIFIED, self.0, ()).into_response()
    }
}
