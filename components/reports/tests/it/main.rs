//! The service as a whole, natively, on a real PostgreSQL: one database for each test, and in the same process seven
//! feeds that can be faulty.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod business;
mod days;
mod document;
mod feeds;
mod kills;
mod model;
mod outbox;
mod poison;
mod rebuilds;
mod reconciliation;
mod roles;
mod shelves;
mod shop;
mod spreadsheet;
mod staleness;
mod support;
