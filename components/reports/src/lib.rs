//! The service `reports`: what the others tell, put together; and whether their books agree.
//!
//! In reading order: [`domain`] has the rules that need no database: what an event becomes is in
//! `domain/projection.rs`, which versions were told in `domain/versions.rs`. [`consuming`] reads the feeds,
//! [`clients`] is how they are asked for, [`freshness`] how much of them a report knows, [`rebuilding`] has everything
//! built again, [`reconciling`] compares the books; [`store`] has the statements, [`api`] the routes, [`tasks`] what
//! nobody asks for; `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `GET /api/v1/reports/consolidated` | everything about some days: revenue, taxes, stores, products, stock |
//! | `GET /api/v1/reports/dashboard` | each store against the mean, trends, alerts |
//! | `GET /api/v1/reports/sales` | by hour, day, store, product, cashier, method or channel; JSON or CSV |
//! | `GET /api/v1/reports/top-products` | by units or by revenue |
//! | `GET /api/v1/reports/taxes` | GST and QST of a month, by rate |
//! | `GET /api/v1/reports/freshness` | how far each feed was read |
//! | `GET /api/v1/reports/reconciliation` | what does not agree: an empty list is good |
//! | `POST /api/v1/reports/rebuilds`, `GET ../{id}` | head office: everything again, from the beginning of the feeds |
//! | `GET /office`, `/office/sales`, `/office/stock` .. | the head office, in a browser |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! It reads the feeds of products, inventory, customers, orders, cart, checkout and sales, and publishes none. What an
//! event becomes:
//!
//! | event | |
//! |---|---|
//! | `sale.completed` | revenue of the day of `sold_at`, at a till or online |
//! | `sale.voided` | takes it back, on the same day |
//! | `sale.returned` | takes some of it back, on the day of `returned_at`, where it was brought back |
//! | `order.refunded` | the same of an order, on the day of the event; of one that was never confirmed, no revenue |
//! | `order.*`, `checkout.*`, `reservation.*` | their state, to be compared |
//! | `stock.changed` | a movement, and what there is |
//! | `product.*` | what it is called |
//! | `session.*` | a store where there is a till |
//! | `customer.*`, `loyalty.*`, `cart.*`, `restock.*`, `transfer.*`, `discrepancy.*` | counted |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - Every event of a feed is written once (24), by however many replicas and through every kill: the cursor is
//!   compared and set in the transaction of what the page says. A version that is missing, or told twice, is recorded
//!   and told, and stops nothing; so is an event that cannot be read.
//! - Revenue is sales less voids, returns and refunds, to the cent, per store, channel and tax (23): all of them are
//!   rows of one table, signed, and a report is a sum over them. Nothing is aggregated beforehand.
//! - A report is of one snapshot. It says how much it knows, and `complete` is no lie: as of when each feed was read to
//!   its end is stored with what it said.
//! - A rebuild gives the same tables, row for row (25): it is written by the same code, compared in one snapshot in
//!   which both are at the same place of every feed, and switched to in one transaction.
//! - A rule that joins services (8, 9, 14, 15) is about what was over a minute before the end of what all of them have
//!   told; what could not be looked at is named.
//! - No call to another service is made while a transaction is open.

pub mod api;
pub mod clients;
pub mod consuming;
pub mod domain;
pub mod freshness;
pub mod migrations;
pub mod rebuilding;
pub mod reconciling;
pub mod store;
pub mod tasks;

sdk::service! {
    name: "reports",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "consume-feeds", every_ms: 1_000, run: tasks::consume },
        Task { name: "advance-rebuilds", every_ms: 1_000, run: tasks::rebuild },
        Task { name: "reconcile", every_ms: 60_000, run: tasks::reconcile },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
