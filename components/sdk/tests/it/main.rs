//! The SDK as a service sees it: a small service, a real PostgreSQL, requests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod client;
mod conventions;
mod conversion;
mod idempotency;
mod outbox;
mod service;
mod transactions;
mod web;
