//! The service as a whole, natively, on a real PostgreSQL: one database for each test, and in the same
//! process an inventory and a checkout that can be faulty.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod audit;
mod authorization;
mod cancelling;
mod document;
mod effects;
mod events;
mod listing;
mod making;
mod model;
mod payments;
mod pickup;
mod problems;
mod refunds;
mod splits;
mod steps;
mod support;
