//! What a Comptoir service is written with. A service reads like a small axum application; this
//! crate alone knows that it becomes a WebAssembly component, and what WIT is.
//!
//! In reading order: [`service!`] names what a service is made of, [`Context`] is what its handlers
//! are given, [`app`] is what every service answers besides its own routes. [`db`], [`client`],
//! [`Clock`], [`log`] and [`metrics`] are the capabilities; [`problem`], [`extract`], [`respond`],
//! [`identity`], [`idempotency`] and [`page`] are the conventions of our HTTP interfaces; [`outbox`]
//! and [`audit`] are what a service tells the others; [`fulfilment`] is what two of them say alike;
//! [`web`] is what a service shows in a browser.
//!
//! One instance of a component serves many requests at once, on one thread, and each request is a
//! task of its own. A lock that is held across an `await` must not be shared between requests: to
//! wake one task from another is beyond the runtime that wit-bindgen gives us, and panics. A
//! `RefCell` or a `Mutex` that is let go before the next `await` is fine.
//!
//! `backend` holds the two worlds below: a host's imports on WebAssembly, and natively, with the
//! feature `testing`, PostgreSQL through the host's own crate and other services in process.

mod app;
pub mod audit;
mod backend;
pub mod client;
mod clock;
mod context;
pub mod db;
pub mod etag;
pub mod extract;
pub mod fulfilment;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
pub mod idempotency;
pub mod identity;
mod ids;
pub mod log;
pub mod metrics;
mod money;
pub mod openapi;
pub mod outbox;
pub mod page;
pub mod problem;
mod random;
pub mod request;
pub mod respond;
mod secrets;
mod service;
mod sleep;
#[cfg(all(feature = "testing", not(target_family = "wasm")))]
pub mod testing;
mod text_enum;
pub mod web;

pub use app::app;
pub use client::{Client, ClientError};
pub use clock::Clock;
pub use context::Context;
pub use db::{
    Db, DbError, Executor, FromRow, FromValue, Isolation, Numeric, OnConstraint, RetryClass, Row, Rows, ToValue, Tx,
    Value,
};
pub use etag::ETag;
pub use extract::{IfMatch, IfNoneMatch, Json, Lines, NoQuery, Path, Query};
pub use idempotency::{Idempotency, Reply, Stored};
pub use identity::{OfService, Principal, Role};
pub use ids::new_uuid_v7;
pub use money::{Money, MoneyError};
pub use openapi::openapi;
pub use page::{Cursor, Page, PageParams};
pub use pricing;
pub use problem::{Problem, Result};
pub use random::random_bytes;
pub use respond::{Created, NoContent, NotModified, WithETag};
pub use secrets::Secrets;
pub use service::{Definition, Migration, Task, TaskError};
pub use sleep::sleep;

/// What the macros of this crate name; no part of its interface.
#[doc(hidden)]
pub mod private {
    pub use {serde, utoipa, uuid};
}
