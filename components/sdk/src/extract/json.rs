//! JSON bodies, in and out.

use super::serde_error::{Finding, finding, pointer};
use super::{body, media_type};
use crate::Problem;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// What a JSON body may be long.
pub const JSON_BYTES_MAX: usize = 1 << 20;

/// A JSON body. Extracting it refuses with 415 another media type, with 413 what is longer than
/// [`JSON_BYTES_MAX`], with 400 what is no JSON, and with 422 what is JSON but not a `T`, with a
/// pointer to the place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let media_type = media_type(&parts.headers);
        if !media_type.as_deref().is_some_and(is_json) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
                .detail("the body must be application/json"));
        }
        let bytes = body::read(&parts.headers, body, JSON_BYTES_MAX).await?;
        parse(&bytes).map(Json)
    }
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// One JSON text as a `T`.
///
/// # Errors
/// As [`Json`].
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|err| match err.classify() {
        Category::Data => explain::<T>(bytes),
        Category::Io | Category::Syntax | Category::Eof => {
            Problem::bad_request("json-malformed").detail(err.to_string())
        }
    })
}

/// Parses once more, now with an eye on the way: that is too slow for bodies that are right.
fn explain<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let problem = Problem::unprocessable("validation-failed");
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => problem,
        Err(err) => {
            let Finding { code, detail, member } = finding(&err.inner().to_string());
            problem.field(pointer(err.path(), member.as_deref()), code, detail)
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let media_type = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, media_type)], body).into_response()
            }
            Err(err) => Problem::internal(err).into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
