//! The component's side of the boundary: what `service!` exports, and how requests and responses
//! cross. Every method of a resource is a call to the host, so each is made at most once.

pub mod bindings;
mod body;
pub(crate) mod headers;
mod response;

use crate::request::{RequestContext, scope};
use crate::{Context, Definition, app};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;
use std::cell::OnceCell;
use std::sync::Arc;
use tower::Service as _;
use wasip3::http::types::{self as wasi, ErrorCode};

#[doc(hidden)]
pub use wasip3;

/// A component has one thread, and many small allocations: every text crosses into one of its own.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    /// Built for the first request and kept for the life of the instance.
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
}

/// The export `wasi:http/handler.handle`.
///
/// # Errors
/// When the request cannot be understood at all.
pub async fn handle(service: &'static Definition, request: wasi::Request) -> Result<wasi::Response, ErrorCode> {
    let request = incoming(request)?;
    let mut router = ROUTER.with(|router| {
        router
            .get_or_init(|| {
                let context = Context::from_host();
                app((service.router)(context.clone()), service.name, &context)
            })
            .clone()
    });
    match router.call(request).await {
        Ok(response) => response::outgoing(response),
        Err(never) => match never {},
    }
}

/// Scheme and authority are left with the host: no service has a use for them.
fn incoming(request: wasi::Request) -> Result<Request, ErrorCode> {
    let mut http = Request::new(Body::empty());
    *http.method_mut() = headers::method_from_wasi(request.get_method())?;
    let path = request.get_path_with_query().unwrap_or_default();
    let path = PathAndQuery::try_from(path).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    *http.uri_mut() = Uri::from(path);
    *http.headers_mut() = headers::from_wasi(request.get_headers());
    if let Some(length) = body::length(http.method(), http.headers()) {
        *http.body_mut() = Body::new(body::Incoming::new(request, length));
    }
    Ok(http)
}

/// The export `comptoir:service/lifecycle.migrations`.
#[must_use]
pub fn migrations(service: &Definition) -> Vec<bindings::lifecycle::Migration> {
    let migration = |migration: &crate::Migration| bindings::lifecycle::Migration {
        version: migration.version,
        name: migration.name.to_owned(),
        sql: migration.sql.to_owned(),
    };
    service.migrations.iter().map(migration).collect()
}

/// The export `comptoir:service/background.tasks`.
#[must_use]
pub fn tasks(service: &Definition) -> Vec<bindings::background::Task> {
    let task = |task: &crate::Task| bindings::background::Task { name: task.name.to_owned(), every_ms: task.every_ms };
    service.tasks.iter().map(task).collect()
}

/// The export `comptoir:service/background.run`.
///
/// # Errors
/// What the task failed with, as a text for the host's log.
pub async fn run(service: &'static Definition, name: String) -> Result<(), String> {
    let Some(task) = service.tasks.iter().find(|task| task.name == name) else {
        return Err(format!("there is no task {name:?}"));
    };
    let work = (task.run)(Context::from_host());
    scope(Arc::new(RequestContext::background()), work).await.map_err(|err| err.to_string())
}

/// The exports of a service, each one line that leads here.
#[doc(hidden)]
#[macro_export]
macro_rules! export_service {
    ($definition:expr) => {
        #[allow(
            unsafe_code,
            missing_debug_implementations,
            reason = "the exports of a component are generated, and are functions with a fixed name"
        )]
        const _: () = {
            struct Exports;

            impl $crate::guest::wasip3::exports::http::handler::Guest for Exports {
                async fn handle(
                    request: $crate::guest::wasip3::http::types::Request,
                ) -> ::std::result::Result<
                    $crate::guest::wasip3::http::types::Response,
                    $crate::guest::wasip3::http::types::ErrorCode,
                > {
                    $crate::guest::handle(&$definition, request).await
                }
            }

            impl $crate::guest::bindings::lifecycle::Guest for Exports {
                fn migrations() -> ::std::vec::Vec<$crate::guest::bindings::lifecycle::Migration> {
                    $crate::guest::migrations(&$definition)
                }
            }

            impl $crate::guest::bindings::background::Guest for Exports {
                fn tasks() -> ::std::vec::Vec<$crate::guest::bindings::background::Task> {
                    $crate::guest::tasks(&$definition)
                }

                async fn run(name: ::std::string::String) -> ::std::result::Result<(), ::std::string::String> {
                    $crate::guest::run(&$definition, name).await
                }
            }

    $crate::guest::wasip3::http::service::export!(Exports with_types_in $crate::guest::wasip3);
    $crate::guest::bindings::export!(Exports with_types_in $crate::guest::bindings);
        };
    };
}
