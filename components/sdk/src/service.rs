//! What a service is made of, and [`service!`], which turns it into a component's exports.

use crate::Context;
use futures_util::future::BoxFuture;
use std::error::Error;
use std::fmt;

/// One service: what [`crate::service!`] defines as `SERVICE` in the service's crate.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    pub router: fn(Context) -> axum::Router,
    pub migrations: &'static [Migration],
    pub tasks: &'static [Task],
}

/// One step of the service's schema. A step that was applied must never change, and only expands:
/// the previous version of the service keeps running on it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Counts up from 1 without a gap.
    pub version: u32,
    pub name: &'static str,
    /// One or more statements, run in one transaction.
    pub sql: &'static str,
}

/// Work that no request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// 1 to 40 lower-case letters, digits and hyphens.
    pub name: &'static str,
    /// The pause between the end of one run and the start of the next.
    pub every_ms: u32,
    pub run: fn(Context) -> BoxFuture<'static, Result<(), TaskError>>,
}

/// Why a task gave up; any error becomes one with `?`. It ends in the host's log.
pub struct TaskError(Box<dyn Error + Send + Sync>);

impl TaskError {
    pub fn msg(text: impl Into<String>) -> Self {
        TaskError(text.into().into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for TaskError {
    fn from(err: E) -> Self {
        TaskError(Box::new(err))
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The error and, once each, what caused it.
impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(err) = source {
            write!(f, ": {err}")?;
            source = err.source();
        }
        Ok(())
    }
}

/// Defines `SERVICE` and, on WebAssembly, exports it: `wasi:http/handler`, `comptoir:service/lifecycle`
/// and `comptoir:service/background`. Once in a service's `lib.rs`.
///
/// ```
/// # mod api { pub fn router(_: sdk::Context) -> axum::Router { axum::Router::new() } }
/// # mod tasks { pub async fn expire(_: sdk::Context) -> Result<(), sdk::TaskError> { Ok(()) } }
/// # mod migrations { pub const ALL: &[sdk::Migration] = &[]; }
/// sdk::service! {
///     name: "cart",
///     router: api::router,
///     migrations: migrations::ALL,
///     tasks: [Task { name: "expire-carts", every_ms: 60_000, run: tasks::expire }],
/// }
/// # fn main() { assert_eq!(SERVICE.tasks[0].name, "expire-carts"); }
/// ```
#[macro_export]
macro_rules! service {
    (
        name: $name:expr,
        router: $router:expr,
        migrations: $migrations:expr
        $(, tasks: [$(Task { name: $task:expr, every_ms: $every_ms:expr, run: $run:expr $(,)? }),* $(,)?])?
        $(,)?
    ) => {
        /// What this crate is, for the host and for tests.
        pub static SERVICE: $crate::Definition = $crate::Definition {
            name: $name,
            router: $router,
            migrations: $migrations,
            tasks: &[$($($crate::Task {
                name: $task,
                every_ms: $every_ms,
                run: |context| ::std::boxed::Box::pin($run(context)),
            }),*)?],
        };

        $crate::export_service!(SERVICE);
    };
}

/// Nothing to export natively.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_service {
    ($definition:expr) => {};
}
