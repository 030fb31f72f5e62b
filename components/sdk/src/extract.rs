//! What handlers take from a request. Every refusal is a [`Problem`] that says what is wrong and
//! where; nothing is guessed, and nothing unknown is passed over.

mod body;
mod json;
mod lines;
mod path;
mod precondition;
mod query;
mod serde_error;

pub use json::{JSON_BYTES_MAX, Json};
pub use lines::{LINE_BYTES_MAX, Line, Lines};
pub use path::Path;
pub use precondition::{IfMatch, IfNoneMatch};
pub use query::{NoQuery, Query};

pub use crate::idempotency::Idempotency;
pub use crate::identity::Principal;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The media type of a body, in lower case and without its parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    (!media_type.is_empty()).then(|| media_type.to_ascii_lowercase())
}
