//! The answers that the host gives itself, as RFC 9457 problem documents. What went wrong inside
//! is for the log; what the client reads is here.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

/// A failure of the host or of the component, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No generation is loaded: the component or its database is not there yet.
    NotReady,
    /// More requests in flight than the limit.
    Overloaded,
    BodyTooLarge,
    /// The request does not say for which one host it is.
    BadHost,
    /// No response within the deadline.
    TimedOut,
    /// The instance trapped.
    Trapped,
    /// The component answered with an error instead of a response.
    ComponentError,
}

impl Problem {
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotReady | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadHost => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Trapped | Self::ComponentError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::NotReady => "service-not-ready",
            Self::Overloaded => "service-overloaded",
            Self::BodyTooLarge => "body-too-large",
            Self::BadHost => "bad-host",
            Self::TimedOut => "deadline-exceeded",
            Self::Trapped => "component-trapped",
            Self::ComponentError => "component-error",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::NotReady => "the service is starting or its database is away; try again shortly",
            Self::Overloaded => "too many requests are in flight; try again shortly",
            Self::BodyTooLarge => "the request's body is larger than this service accepts",
            Self::BadHost => "the request has to name one host, in one header `Host`",
            Self::TimedOut => "the service did not answer in time",
            Self::Trapped => "the service failed while it handled this request; the failure was recorded",
            Self::ComponentError => "the service failed to make a response; the failure was recorded",
        }
    }

    /// `request_id` lets a person find the log lines.
    pub fn response<B: From<Bytes>>(self, path: &str, request_id: &str) -> Response<B> {
        let status = self.status();
        let body = serde_json::json!({
            "type": format!("urn:comptoir:problem:{}", self.code()),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "instance": path,
            "code": self.code(),
            "request_id": request_id,
        });
        let mut response = Response::new(B::from(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
