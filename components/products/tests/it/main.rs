//! The service as its clients see it, on a PostgreSQL of its own for each test.

mod authorization;
mod concurrency;
mod document;
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
