//! Entity tags (RFC 9110, 8.8.3): the version of a resource, as a header.

use axum::response::{IntoResponseParts, ResponseParts};
use http::HeaderValue;
use http::header::ETAG;
use std::convert::Infallible;
use std::fmt;

/// A strong entity tag; in a response as a part: `(ETag::strong(7), Json(..))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// `ETag::strong(7)` is `"7"`, with the quotes. A character that may not be in a tag is left out.
    #[must_use]
    pub fn strong(version: impl fmt::Display) -> Self {
        let mut tag = version.to_string();
        tag.retain(|c| c.is_ascii_graphic() && c != '"');
        ETag(format!("\"{tag}\""))
    }

    /// With the quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IntoResponseParts for ETag {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        response.headers_mut().insert(ETAG, self.to_header());
        Ok(response)
    }
}
