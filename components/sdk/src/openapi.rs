//! `GET /openapi.json`: the document that is checked in, which a test compares with the code; and
//! [`Conventions`], what every service's document says in the same words.

mod conventions;
mod token;

pub use conventions::Conventions;
pub use token::CustomerToken;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::CONTENT_TYPE;

/// Serves the service's OpenAPI document: `.merge(sdk::openapi(include_str!("../openapi.json")))`.
pub fn openapi(document: &'static str) -> Router {
    let handler = move || async move { ([(CONTENT_TYPE, "application/json")], document).into_response() };
    Router::new().route("/openapi.json", get(handler))
}
