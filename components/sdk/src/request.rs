//! The request that the current task works for: its id and trace, which go into problems, log lines
//! and calls to other services without being handed through every function.
//!
//! One instance serves many requests at once, so this is no thread-local that a request sets and
//! unsets: [`Scoped`] puts it in place for the duration of each poll, as `tokio::task_local!` does.

use crate::backend;
use axum::extract::MatchedPath;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use pin_project_lite::pin_project;
use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Given by the gateway or the host; echoed by the host.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

thread_local! {
    static CURRENT: RefCell<Option<Arc<RequestContext>>> = const { RefCell::new(None) };
}

/// What is known about a request beyond its handler's arguments.
#[derive(Debug)]
pub struct RequestContext {
    request_id: HeaderValue,
    traceparent: HeaderValue,
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
}

impl RequestContext {
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        let headers = request.headers();
        RequestContext {
            request_id: header(headers, &X_REQUEST_ID).unwrap_or_else(new_request_id),
            traceparent: header(headers, &TRACEPARENT).unwrap_or_else(new_traceparent),
            method: request.method().clone(),
            uri: request.uri().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    /// For work that no request asked for.
    #[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "tasks run in a host"))]
    pub(crate) fn background() -> Self {
        RequestContext {
            request_id: new_request_id(),
            traceparent: new_traceparent(),
            method: Method::GET,
            uri: Uri::default(),
            route: None,
        }
    }

    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    #[must_use]
    pub fn traceparent(&self) -> &str {
        self.traceparent.to_str().unwrap_or_default()
    }

    /// What all hosts and services on the way of a request have in common.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.traceparent().split('-').nth(1).unwrap_or_default()
    }

    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// As the client wrote it.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The template that matched: `/api/v1/products/{id}`.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_ref().map(MatchedPath::as_str)
    }

    /// What a call to another service carries on.
    pub(crate) fn propagate(&self, headers: &mut HeaderMap) {
        headers.entry(X_REQUEST_ID).or_insert_with(|| self.request_id.clone());
        headers.entry(TRACEPARENT).or_insert_with(|| self.traceparent.clone());
    }
}

/// The request that the current task works for, if any.
#[must_use]
pub fn current() -> Option<Arc<RequestContext>> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Printable, and short enough to be an identifier; anything else is replaced.
fn header(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    headers.get(name).filter(|value| value.len() <= 128 && value.to_str().is_ok()).cloned()
}

fn new_request_id() -> HeaderValue {
    hex(&format!("{:016x}{:016x}", backend::random_u64(), backend::random_u64()))
}

/// Version 00, not sampled. Neither id may be zero.
fn new_traceparent() -> HeaderValue {
    let high = backend::random_u64();
    let (low, parent) = (backend::random_u64() | 1, backend::random_u64() | 1);
    hex(&format!("00-{high:016x}{low:016x}-{parent:016x}-00"))
}

fn hex(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

pin_project! {
    /// A future that has its own [`current`] request.
    #[derive(Debug)]
    pub struct Scoped<F> {
        request: Option<Arc<RequestContext>>,
        #[pin]
        future: F,
    }
}

/// Runs `future` for that request.
pub(crate) fn scope<F: Future>(request: Arc<RequestContext>, future: F) -> Scoped<F> {
    Scoped { request: Some(request), future }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Puts things back also when a poll panics.
        struct Restore<'a>(&'a mut Option<Arc<RequestContext>>);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                CURRENT.with(|current| std::mem::swap(&mut *current.borrow_mut(), self.0));
            }
        }

        let this = self.project();
        CURRENT.with(|current| std::mem::swap(&mut *current.borrow_mut(), this.request));
        let _restore = Restore(this.request);
        this.future.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn request(id: &'static str) -> Arc<RequestContext> {
        let mut request = http::Request::new(());
        request.headers_mut().insert(X_REQUEST_ID, HeaderValue::from_static(id));
        Arc::new(RequestContext::of(&request))
    }

    fn current_id() -> Option<String> {
        current().map(|request| request.request_id().to_owned())
    }

    #[test]
    fn each_of_two_interleaved_futures_sees_its_own_request() {
        async fn ids() -> [Option<String>; 2] {
            let before = current_id();
            let mut waited = false;
            std::future::poll_fn(
                |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending },
            )
            .await;
            [before, current_id()]
        }
        let mut a = Box::pin(scope(request("a"), ids()));
        let mut b = Box::pin(scope(request("b"), ids()));
        assert_eq!((&mut a).now_or_never(), None);
        assert_eq!((&mut b).now_or_never(), None);
        assert_eq!(current_id(), None);
        let both = |id: &str| Some([Some(id.to_owned()), Some(id.to_owned())]);
        assert_eq!((&mut a).now_or_never(), both("a"));
        assert_eq!((&mut b).now_or_never(), both("b"));
        assert_eq!(current_id(), None);
    }

    #[test]
    fn an_inner_scope_ends_where_it_ends() {
        let future = scope(request("outer"), async {
            let inner = scope(request("inner"), async { current_id() }).await;
            (inner, current_id())
        });
        let seen = future.now_or_never();
        assert_eq!(seen, Some((Some("inner".to_owned()), Some("outer".to_owned()))));
    }

    #[test]
    fn a_request_without_ids_is_given_some() {
        let context = RequestContext::of(&http::Request::new(()));
        assert_eq!(context.request_id().len(), 32);
        assert_eq!(context.traceparent().len(), 55);
        assert!(context.traceparent().starts_with("00-"));
        assert_eq!(context.trace_id().len(), 32);
    }
}
