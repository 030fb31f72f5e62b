//! For a service's own tests, natively: a real PostgreSQL database of its own for each test, other
//! services in the same process, a clock that stands still, and faults.
//!
//! Everything here panics where a test is to fail.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "called from tests alone, where a panic is a test that fails, with its reason"
)]

mod app;
mod client;
mod database;
mod openapi;

pub use crate::backend::{Fault, Moment, Trap};
pub use app::{TestApp, TestAppBuilder, TestRequest, TestResponse};
pub use database::TestDatabase;
pub use openapi::assert_openapi;
