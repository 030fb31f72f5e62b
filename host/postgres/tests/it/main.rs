//! The capability against a real PostgreSQL (`COMPTOIR_TEST_POSTGRES`, a superuser's URL), in a database of its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

mod cancellation;
mod columns;
mod deadlines;
mod errors;
mod limits;
mod prepared;
mod recovery;
mod round_trips;
mod sessions;
mod sharing;
mod speed;
mod support;
mod transactions;
mod values;
mod wire;
