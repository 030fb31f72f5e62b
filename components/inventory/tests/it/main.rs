//! The service as a whole, natively, on a real PostgreSQL: one database for each test, and the books
//! looked through at its end.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod adjustments;
mod audit;
mod contention;
mod counts;
mod document;
mod events;
mod expiry;
mod model;
mod pages;
mod problems;
mod reservations;
mod roles;
mod shipments;
mod stock;
mod support;
mod vouchers;
