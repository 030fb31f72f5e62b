//! The host's promises, kept by the real program: every test starts `comptoir serve` as a child
//! process, gives it guests of `components/fixtures`, and speaks HTTP to it.
//!
//! Needs the guests (`make fixtures`) and a Postgres in `COMPTOIR_TEST_POSTGRES` (`make test`
//! starts one). A test waits for conditions, with a deadline, and never for time to pass.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod admin;
mod background;
mod browser;
mod cache;
mod carts;
mod command_line;
mod compile;
mod compose;
mod conformance;
mod dashboards;
mod database;
mod day;
mod disconnects;
mod fixtures;
mod fuzz;
mod gateway;
mod hostile;
mod identity;
mod isolation;
mod journey;
mod k6;
mod kills;
mod kong_schema;
mod lifecycle;
mod limits;
mod logs;
mod memory;
mod migrations;
mod outages;
mod outbound;
mod platform;
mod probation;
mod readme;
mod refusals;
mod serving;
mod soak;
mod spans;
mod support;
mod swap;
mod swap_load;
mod telemetry;
