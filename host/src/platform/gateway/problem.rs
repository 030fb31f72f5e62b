//! The answers that the gateway gives itself, as RFC 9457 problem documents. Kong's own have another
//! body; the statuses are the same, but for a target that refuses connections: 503 with `Retry-After`
//! here, since that is a dependency that is down, and 502 in Kong.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::body::Reply;
use super::plugins::{Allowance, KeyError, TokenError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    NoRoute,
    Key(KeyError),
    Token(TokenError),
    Forbidden,
    RateLimited(Allowance),
    TooLarge,
    /// The client stopped sending.
    ClientTooSlow,
    /// The client's request could not be read to its end.
    Unreadable,
    /// No target counts as healthy.
    NoTarget,
    /// No target took the request.
    Unreached,
    /// The target broke off in the middle.
    Broken,
    TimedOut,
}

impl Problem {
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Key(_) | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ClientTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::NoTarget | Self::Unreached => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::NoRoute => "route-not-found",
            Self::Key(KeyError::Missing) | Self::Token(TokenError::Missing) => "authentication-required",
            Self::Key(KeyError::Duplicate | KeyError::Unknown) => "key-invalid",
            Self::Token(TokenError::Duplicate | TokenError::Invalid) => "token-invalid",
            Self::Token(TokenError::Expired) => "token-expired",
            Self::Forbidden => "forbidden",
            Self::RateLimited(_) => "rate-limited",
            Self::TooLarge => "content-too-large",
            Self::ClientTooSlow => "request-timeout",
            Self::Unreadable => "request-unreadable",
            Self::NoTarget | Self::Unreached => "service-unavailable",
            Self::Broken => "service-failed",
            Self::TimedOut => "service-timeout",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::NoRoute => "no Route matched with those values",
            Self::Key(KeyError::Missing) => "no API key in the request; send one in X-API-Key",
            Self::Key(KeyError::Duplicate) => "more than one API key in the request",
            Self::Key(KeyError::Unknown) => "nobody has this API key",
            Self::Token(TokenError::Missing) => "no token in the request; send `Authorization: Bearer <token>`",
            Self::Token(TokenError::Duplicate) => "more than one token in the request",
            Self::Token(TokenError::Invalid) => "the token is none that was given out here",
            Self::Token(TokenError::Expired) => "the token has expired; refresh it",
            Self::Forbidden => "the key or the token is good, but not for this",
            Self::RateLimited(_) => "too many requests from this address; `Retry-After` says for how long",
            Self::TooLarge => "the request's body is larger than this route accepts",
            Self::ClientTooSlow => "the request's body did not arrive in time",
            Self::Unreadable => "the request's body ended before its time",
            Self::NoTarget => "no replica of the service is healthy; try again shortly",
            Self::Unreached => "the service takes no connections; try again shortly",
            Self::Broken => "the service broke off its answer",
            Self::TimedOut => "the service did not answer in time",
        }
    }

    /// Kong's label `source`: the gateway's own decision, or something that went wrong.
    pub fn source(self) -> &'static str {
        match self {
            Self::Key(_) | Self::Token(_) | Self::Forbidden | Self::RateLimited(_) | Self::TooLarge => "exit",
            _ => "error",
        }
    }

    pub fn response(self, path: &str, request_id: Option<&HeaderValue>) -> Response<Reply> {
        let status = self.status();
        let body = serde_json::json!({
            "type": format!("urn:comptoir:problem:{}", self.code()),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "instance": path,
            "code": self.code(),
            "request_id": request_id.and_then(|id| id.to_str().ok()),
        });
        let mut response = Response::new(Reply::full(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let challenge = match self {
            Self::Key(_) => Some("Key realm=\"comptoir\""),
            Self::Token(TokenError::Missing) => Some("Bearer realm=\"comptoir\""),
            Self::Token(_) => Some("Bearer realm=\"comptoir\", error=\"invalid_token\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Self::RateLimited(allowance) = self {
            allowance.tell(headers);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
