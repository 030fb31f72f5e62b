//! The service as its clients see it, on a PostgreSQL of its own for each test.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod authorization;
mod concurrency;
mod document;
mod events;
mod import;
mod listing;
mod prices;
mod problems;
mod products;
mod quotes;
mod search;
mod seeds;
mod statements;
mod support;
mod taxonomy;
