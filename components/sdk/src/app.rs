//! What every service answers besides its own routes, and what every answer has.

use crate::request::{RequestContext, Scoped, scope};
use crate::{Context, Db, DbError, Executor, Json, Problem, params};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use pin_project_lite::pin_project;
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use tower::{Layer, Service};

/// For the host alone, which removes it and labels its metrics with it: the template that matched,
/// or [`UNMATCHED`].
pub const X_COMPTOIR_ROUTE: HeaderName = HeaderName::from_static("x-comptoir-route");

const UNMATCHED: HeaderValue = HeaderValue::from_static("unmatched");

/// Adds to a service's router `GET /health` and `GET /ready`, problems for what is not found and for
/// methods that are not allowed, the current request, and `x-comptoir-route`.
pub fn app(router: Router, name: &'static str, context: &Context) -> Router {
    let db = context.db.clone();
    let health = Router::new()
        .route("/health", get(move || async move { Json(json!({"status": "ok", "service": name})) }))
        .route("/ready", get(move || ready_or_not(db.clone())));
    // `with_state` turns handlers into services now, and not for every request.
    router.merge(health).layer(Conventions).with_state(())
}

async fn ready_or_not(db: Db) -> Result<Response, Problem> {
    let answer: Result<(i32,), DbError> = db.query_one("select 1", params![]).await;
    let _: (i32,) = answer?;
    Ok(Json(json!({"status": "ready"})).into_response())
}

/// One layer, and one allocation less for each request, instead of one for each convention.
#[derive(Clone, Copy, Debug)]
struct Conventions;

impl<S> Layer<S> for Conventions {
    type Service = Conventional<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Conventional { inner }
    }
}

#[derive(Clone, Debug)]
struct Conventional<S> {
    inner: S,
}

impl<S> Service<Request> for Conventional<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Scoped<Answer<S::Future>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let context = Arc::new(RequestContext::of(&request));
        let route = context.route().map_or(UNMATCHED, |route| HeaderValue::from_str(route).unwrap_or(UNMATCHED));
        scope(context, Answer { route: Some(route), inner: self.inner.call(request) })
    }
}

pin_project! {
    struct Answer<F> {
        route: Option<HeaderValue>,
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answer<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match ready!(this.inner.poll(cx)) {
            Ok(response) => explained(response),
            Err(never) => match never {},
        };
        if let Some(route) = this.route.take() {
            response.headers_mut().insert(X_COMPTOIR_ROUTE, route);
        }
        Poll::Ready(Ok(response))
    }
}

/// axum's own 404 and 405 have no body. `Allow` comes from axum, after this.
fn explained(response: Response<Body>) -> Response {
    if response.headers().contains_key(CONTENT_TYPE) {
        return response;
    }
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Problem::not_found("not-found").detail("there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
            .detail("the header Allow lists the methods of this resource"),
        _ => return response,
    };
    let mut explained = problem.into_response();
    for (name, value) in response.headers() {
        explained.headers_mut().insert(name, value.clone());
    }
    explained
}
