//! The service `cart`: what customers mean to buy. Three replicas run over one database.
//!
//! In reading order: [`domain`] has the rules that need no database, [`store`] the statements,
//! [`clients`] products and the cache that stands in for it, [`api`] the routes, [`tasks`] what
//! nobody asks for; `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `POST /api/v1/carts` | an empty cart, anonymous or a customer's |
//! | `GET /api/v1/carts/{id}` | with names and prices; `stale` while products is down |
//! | `POST /api/v1/carts/{id}/items` | adds: concurrent additions sum up |
//! | `PATCH, PUT, DELETE /api/v1/carts/{id}/items/{product_id}` | by a delta; absolutely, with `If-Match` |
//! | `POST /api/v1/carts/{id}/merge` | another cart into this one, once |
//! | `GET /api/v1/carts/{id}/estimate` | the total as products quotes it, or by cached prices |
//! | `GET /internal/v1/carts/{id}/snapshot` | what a checkout is about |
//! | `POST /internal/v1/carts/{id}/consume` | takes what was bought, once for each checkout |
//! | `GET /internal/v1/events` | `cart.created, .changed, .merged, .consumed, .expired` |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - The acknowledged deltas of a line sum to its quantity, over all replicas (20). Every change first
//!   locks the row of its cart; sums are made by PostgreSQL; nothing is read here and written back.
//! - A checkout takes what it bought and nothing else, once (21). A merge twice is a merge once, also
//!   both ways at the same time (22).
//! - Of parallel changes that are meant for one version of a cart, one wins (28); a repetition of the
//!   winner is no loser.
//! - An estimate is a quote of products, or computed by the same crate, and says which (15).
//! - Every change of a cart is an event of the statement that made it, with the cart's next version (24).
//! - No call to another service is made while a transaction is open.
//! - A cart is 1 to 200 lines of 1 to 999 units. It expires 30 days after its last change (a
//!   customer's after 180 days, an empty one after one day), answers 410 for 90 days, then 404.

pub mod api;
pub mod clients;
pub mod domain;
pub mod migrations;
pub mod store;
pub mod tasks;

sdk::service! {
    name: "cart",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "expire-carts", every_ms: 60_000, run: tasks::expire },
        Task { name: "forget-carts", every_ms: 3_600_000, run: tasks::forget },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
