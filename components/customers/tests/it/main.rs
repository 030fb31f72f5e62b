//! The service as a whole, natively, on a real PostgreSQL: one database for each test, and a clock that
//! stands still.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod addresses;
mod audit;
mod authorization;
mod customers;
mod document;
mod erasure;
mod events;
mod export;
mod lockout;
mod loyalty;
mod password;
mod problems;
mod refresh;
mod registration;
mod sign_in;
mod support;
mod tasks;
