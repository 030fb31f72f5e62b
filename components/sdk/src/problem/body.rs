//! The JSON of a problem: `application/problem+json`.

use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use utoipa::ToSchema;

/// What a problem's `type` starts with; its code follows.
const TYPE_PREFIX: &str = "urn:comptoir:problem:";

/// RFC 9457's members, and ours: `code`, `request_id`, `errors`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What a client branches on.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(flatten)]
    #[schema(ignore)]
    pub extensions: Map<String, Value>,
}

impl ProblemBody {
    /// What follows from the status and the code alone.
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        ProblemBody {
            r#type: format!("{TYPE_PREFIX}{code}"),
            title: title_of(&code),
            status,
            detail: None,
            instance: None,
            code,
            request_id: None,
            errors: Vec::new(),
            extensions: Map::new(),
        }
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where in the body (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Which parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    pub detail: String,
}

impl FieldError {
    #[must_use]
    pub fn at_pointer(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let pointer = Some(pointer.into());
        FieldError { pointer, parameter: None, code: code.into(), detail: detail.into() }
    }

    #[must_use]
    pub fn in_parameter(name: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let parameter = Some(name.into());
        FieldError { pointer: None, parameter, code: code.into(), detail: detail.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pointer.as_ref().or(self.parameter.as_ref());
        write!(f, "{} {}: {}", place.map_or("", |place| place), self.code, self.detail)
    }
}

/// `product-not-found` as a sentence: "Product not found".
fn title_of(code: &str) -> String {
    let mut title = code.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}
