//! Problems (RFC 9457): every answer that is no success. What a client sees and what the log says
//! are two texts; the cause of a 500 is in the log alone, once.

mod body;

pub use body::{FieldError, ProblemBody};

use crate::{DbError, log, request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;

pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// How long to wait before asking again when the database is busy or away.
const DATABASE_RETRY_AFTER_S: u32 = 1;

/// An answer that is no success. Built by chaining, returned with `?`.
///
/// ```
/// use sdk::Problem;
/// let problem = Problem::conflict("sku-taken").detail("another product has the SKU COKE-355");
/// # assert_eq!(problem.status(), 409);
/// ```
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: Option<String>,
    detail: Option<String>,
    errors: Vec<FieldError>,
    extensions: Map<String, Value>,
    headers: HeaderMap,
    /// For the log only.
    cause: Option<String>,
    /// The name of the database constraint that was violated.
    violated: Option<String>,
    retryable: bool,
}

impl Problem {
    /// `code` is what a client branches on: lower-case words and hyphens, part of the interface.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Problem(Box::new(Parts {
            status,
            code,
            title: None,
            detail: None,
            errors: Vec::new(),
            extensions: Map::new(),
            headers: HeaderMap::new(),
            cause: None,
            violated: None,
            retryable: false,
        }))
    }

    #[must_use]
    pub fn bad_request(code: &'static str) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, code)
    }

    /// 401, with the `WWW-Authenticate` that RFC 9110 demands.
    #[must_use]
    pub fn unauthorized(code: &'static str) -> Self {
        let challenge = HeaderValue::from_static("Key realm=\"comptoir\"");
        Problem::new(StatusCode::UNAUTHORIZED, code).header(WWW_AUTHENTICATE, challenge)
    }

    #[must_use]
    pub fn forbidden(code: &'static str) -> Self {
        Problem::new(StatusCode::FORBIDDEN, code)
    }

    #[must_use]
    pub fn not_found(code: &'static str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, code)
    }

    #[must_use]
    pub fn conflict(code: &'static str) -> Self {
        Problem::new(StatusCode::CONFLICT, code)
    }

    #[must_use]
    pub fn precondition_failed(code: &'static str) -> Self {
        Problem::new(StatusCode::PRECONDITION_FAILED, code)
    }

    #[must_use]
    pub fn precondition_required(code: &'static str) -> Self {
        Problem::new(StatusCode::PRECONDITION_REQUIRED, code)
    }

    /// 422: valid JSON with invalid content; mostly with [`Problem::field`]s.
    #[must_use]
    pub fn unprocessable(code: &'static str) -> Self {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
    }

    /// 503: something this service depends on is down; [`Problem::code`] says what.
    #[must_use]
    pub fn unavailable(retry_after_s: u32) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(retry_after_s)
    }

    /// 500: a bug of ours. The cause goes to the log, and nowhere else.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").cause(cause)
    }

    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// One sentence, the same for every problem of this code; made from the code if it is not given.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.0.title = Some(title.into());
        self
    }

    /// What went wrong this time, for a human.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// One more thing that is wrong with the body, at a JSON pointer (RFC 6901).
    #[must_use]
    pub fn field(self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        self.error(FieldError::at_pointer(pointer, code, detail))
    }

    /// One more thing that is wrong with a query parameter.
    #[must_use]
    pub fn parameter(self, name: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        self.error(FieldError::in_parameter(name, code, detail))
    }

    #[must_use]
    pub fn error(mut self, error: FieldError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// An extension member; none of RFC 9457's own, nor of ours.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.into(), value.into());
        self
    }

    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// For the log only; a client never sees it.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    #[must_use]
    pub fn get_code(&self) -> &'static str {
        self.0.code
    }

    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    pub(crate) fn retryable(&self) -> bool {
        self.0.retryable
    }

    pub(crate) fn violated(&self) -> Option<&str> {
        self.0.violated.as_deref()
    }

    fn log(&self) {
        let cause = self.0.cause.as_deref().unwrap_or("not given");
        if self.0.status == StatusCode::INTERNAL_SERVER_ERROR {
            log::error!("a request failed by a bug", cause = cause);
        } else if self.0.status.is_server_error() {
            log::warn!("a request failed by a dependency", code = self.0.code, cause = cause);
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.code)?;
        for text in [&self.0.detail, &self.0.cause].into_iter().flatten() {
            write!(f, ": {text}")?;
        }
        for error in &self.0.errors {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let request = request::current();
        let Parts { status, code, title, detail, errors, extensions, mut headers, .. } = *self.0;
        let plain = ProblemBody::new(status.as_u16(), code);
        let body = ProblemBody {
            title: title.unwrap_or(plain.title),
            detail,
            instance: request.as_deref().map(|request| request.uri().path().to_owned()),
            request_id: request.as_deref().map(|request| request.request_id().to_owned()),
            errors,
            extensions,
            ..plain
        };
        // A map with keys that are texts cannot fail to be written.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        (status, headers, json).into_response()
    }
}

/// A database that is away or busy is a 503; anything else that nobody foresaw is a bug. A result
/// that is too large is the statement's fault and fails again however often it is tried: a bug.
impl From<DbError> for Problem {
    fn from(err: DbError) -> Self {
        use crate::RetryClass;
        let retryable = err.is_retryable();
        let mut problem = match &err {
            // Still so after every attempt: contention, which passes.
            _ if retryable => Problem::unavailable(DATABASE_RETRY_AFTER_S).code("database-busy"),
            DbError::Unavailable(_) | DbError::Timeout => {
                Problem::unavailable(DATABASE_RETRY_AFTER_S).code("database-unavailable")
            }
            _ => Problem::internal(""),
        };
        problem.0.cause = Some(match &err {
            DbError::Database { detail: Some(detail), .. } => format!("{err}: {detail}"),
            _ => err.to_string(),
        });
        problem.0.retryable = retryable;
        problem.0.violated = err.constraint().map(str::to_owned);
        problem
    }
}

/// Out of the range of money within limits that were checked: a bug.
impl From<crate::MoneyError> for Problem {
    fn from(err: crate::MoneyError) -> Self {
        Problem::internal(err)
    }
}

#[cfg(test)]
mod tests;
