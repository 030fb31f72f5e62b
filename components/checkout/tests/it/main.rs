//! The service as a whole, natively, on a real PostgreSQL: with the cart, the catalogue, the inventory, the
//! customers and the orders as they are, each on a database of its own, in one process in which calls get lost.

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
mod events;
mod fencing;
mod idempotency;
mod kills;
mod outages;
mod paying;
mod provider;
mod purchase;
mod races;
mod refusals;
mod support;
