//! The service as a whole, natively, on a real PostgreSQL: one database for each test, and in the same process the
//! real products and the real inventory, which can be faulty.

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
mod document;
mod events;
mod listing;
mod offline;
mod online;
mod printing;
mod problems;
mod races;
mod registers;
mod returns;
mod selling;
mod sessions;
mod stock;
mod story;
mod support;
mod voids;
