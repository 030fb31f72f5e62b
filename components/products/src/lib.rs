//! The service `products`: the catalogue, prices, categories, tax categories, and quotes.
//!
//! In reading order: [`domain`] has the rules that need no database, [`store`] the statements,
//! [`api`] the routes; `migrations/` has the schema, whose constraints keep what only all rows
//! together can tell.
//!
//! | route | |
//! |---|---|
//! | `GET, POST /api/v1/products` | search and page; create with the first price |
//! | `GET, PUT, PATCH, DELETE /api/v1/products/{id}` | `DELETE` archives |
//! | `POST /api/v1/products/import` | NDJSON, a result a line |
//! | `GET, POST /api/v1/products/{id}/prices`, `GET ../{price_id}` | dated, per store, regular or promo |
//! | `GET, POST /api/v1/categories`, `GET ../{code}` | a tree |
//! | `GET, POST /api/v1/tax-categories`, `GET ../{code}`, `POST ../{code}/rates` | dated rates, GST and QST apart |
//! | `POST /api/v1/price-quotes` | what a basket costs; no effect |
//! | `GET /`, `/product/{id}`, `/cart` .. | the shop, in a browser |
//! | `GET /internal/v1/events` | `product.created, .changed, .archived`: a product as it is, once for each version |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//!
//! Reads and quotes are open; writes take the role manager or hq.
//!
//! Invariants, each kept by a constraint or a lock, and tested:
//! - At any instant since it exists, a product has exactly one regular price for all stores, and so
//!   there is always one price in force: [`domain::price`] says which.
//! - On any day, each tax of a tax category has exactly one rate.
//! - Of concurrent writes with one ETag exactly one is made: [`domain::product::Revision`].
//! - Every write about a product makes a new version of it, and an event that tells of it.
//! - A SKU and a barcode belong to one product, archived ones included.
//! - A quote's lines sum to its totals, and no reading of ours disagrees with [`pricing`].

pub mod api;
pub mod domain;
pub mod migrations;
pub mod store;

sdk::service! {
    name: "products",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
