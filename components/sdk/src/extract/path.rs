//! Parameters of the path.

use crate::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// What the template's parameters stand for. Something that cannot be an identifier identifies
/// nothing: 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Path(value)),
            // The handler does not fit the template.
            Err(err) if err.status().is_server_error() => Err(Problem::internal(err.body_text())),
            Err(_) => Err(Problem::not_found("not-found").detail("there is nothing at this path")),
        }
    }
}
