//! The service as a whole, natively, on a real PostgreSQL: one database for each test, as many
//! replicas over it as the test is about, and products in the same process.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod carts;
mod consume;
mod document;
mod end_to_end;
mod events;
mod expiry;
mod items;
mod merge;
mod model;
mod outage;
mod problems;
mod replicas;
mod support;
