//! The service `sales`: points of sale, and the fiscal record of every sale.
//!
//! In reading order: [`domain`] has the rules that need no database: how a sale is paid for (`domain/tender.rs`),
//! what a return is worth and how that is paid back (`domain/returning.rs`), what a drawer should hold
//! (`domain/report.rs`). [`quoting`] is how a sale is priced, [`selling`] how it is recorded, [`store`] has the
//! statements, [`settling`] tells inventory, [`clients`] is whom this service asks, [`events`] what reports read,
//! [`printing`] what is printed, [`api`] the routes, [`tasks`] what nobody asks for; `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `GET, POST /api/v1/registers`, `GET ../{id}` | tills; a manager and the head office set them up |
//! | `GET, POST /api/v1/registers/{id}/sessions`, `GET /api/v1/sessions/{id}` | one open drawer at each till |
//! | `GET, POST /api/v1/sessions/{id}/cash-movements` | cash without a sale |
//! | `GET /api/v1/sessions/{id}/x-report, z-report`, `POST ../close` | what it came to: JSON, text; French, English |
//! | `PUT /api/v1/sales/{id}` | a sale under the till's own id: as often as it takes |
//! | `GET, POST /api/v1/sales`, `GET ../{id}` | with an `Idempotency-Key`; by store, register, session, time .. |
//! | `GET /api/v1/sales/{id}/receipt` | text, HTML; French, English |
//! | `POST /api/v1/sales/{id}/void` | in the session that made it |
//! | `GET, POST /api/v1/sales/{id}/returns` | within thirty days, at any till |
//! | `PUT, GET /internal/v1/sales/{order_id}` | what a checkout has sold, once |
//! | `GET /internal/v1/events` | for reports |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! | event | subject |
//! |---|---|
//! | `sale.completed, .returned, .voided` | `sale/{id}` |
//! | `session.opened, .cash_moved, .closed` | `session/{id}` |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - A sale never changes: a trigger refuses it. What becomes of it afterwards, that it is called off or what came
//!   back of it, is written beside what was sold and paid.
//! - Receipts, returns and Z reports have numbers without a gap at each register (27): the counter is in the
//!   register's row, and is counted in the transaction of what gets the number.
//! - `payments - change = payable = total + rounding` (18), and what a drawer should hold is computed from its rows.
//!   Totals and taxes recompute from the lines (15, 16).
//! - Units that come back are at most those sold (10), and a full return pays back exactly what was paid, cash
//!   rounding included, in however many steps (17): but for cents that no coin is made of, where what was paid by
//!   card goes back in cash.
//! - One sale for an id, a key or an order (8), however often it is sent and by how many at once.
//! - A till sells while inventory is away: what it is to be told is written in the transaction of the sale and
//!   carried out after it until it is done. No call to another service is made while a transaction is open.
//! - What was sold offline was paid, and is never lost. It is recorded as it was charged, at the rates of its day;
//!   where the catalogue has another price the line says both. If its drawer was counted meanwhile, or no drawer is
//!   open, it is booked in a session of its own, of kind `late`, one at a time at each till: a drawer that was counted
//!   stays as it was counted, and no other drawer has that cash. A manager closes it like any other.
//! - A session that is closed changes no more.

pub mod api;
pub mod clients;
pub mod domain;
pub mod events;
pub mod migrations;
pub mod printing;
pub mod quoting;
pub mod selling;
pub mod settling;
pub mod store;
pub mod tasks;

sdk::service! {
    name: "sales",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "settle-effects", every_ms: 1_000, run: tasks::settle },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
