//! The service `inventory`: what every location has of every product, what of it is promised, and how
//! it moves.
//!
//! In reading order: [`domain`] has the rules that need no database, [`store`] the statements,
//! [`ledger`] the one way in which stock changes, [`reserving`], [`vouching`] and [`shipping`] what
//! changes it, [`api`] the routes, [`tasks`] what nobody asks for; `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `GET /api/v1/locations` | stores and warehouses; open |
//! | `GET /api/v1/stock/availability/{product}` | what can be had, per location and in total; open |
//! | `GET /api/v1/stock`, `GET ../{location}/{product}` | by location, product, level |
//! | `PUT /api/v1/stock/{location}/{product}` | a count, with `If-Match` |
//! | `POST /api/v1/adjustments` | several lines, all or nothing |
//! | `GET /api/v1/movements` | the ledger, newest first |
//! | `GET /api/v1/alerts`, `GET /api/v1/discrepancies` | out, low, over; units that nobody can account for |
//! | `GET, POST /api/v1/restock-requests`, `GET ../{id}`, `POST ../{id}/approve, reject, ship, receive, cancel` | warehouse to store |
//! | `GET, POST /api/v1/transfers`, and the same below it | between any two locations |
//! | `PUT, GET /internal/v1/reservations/{id}`, `POST ../pin, commit, release` | for checkouts |
//! | `PUT /internal/v1/issues/{ref}, receipts/{ref}` | store sales and returns |
//! | `GET /internal/v1/events, /internal/v1/audit` | the feed; rules that are broken: an empty list |
//!
//! | event | subject, and what its payload says |
//! |---|---|
//! | `stock.changed` | `stock/{location}/{product}`: `location_id, product_id, kind, delta, on_hand, reserved, in_transit, level, reference`; the first of each row is what it opens with |
//! | `reservation.made, pinned, committed, released, expired` | `reservation/{id}`: `status, expires_at, lines, reference` |
//! | `restock.requested, approved, rejected, shipped, partially_received, received, cancelled` | `restock/{id}`: `number, status, source_id, destination_id, lines, reference` |
//! | `transfer.*` | `transfer/{id}`: the same |
//! | `discrepancy.recorded` | `discrepancy/{id}`: `kind, location_id, product_id, quantity, reference` |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - `0 <= reserved <= on_hand` (1): a constraint, a guard in the one statement that changes stock,
//!   and rows that are locked before they are looked at.
//! - `reserved` is the sum of the lines of active and pinned reservations (2), `on_hand` that of the
//!   movements (3), of which a line of a reference has one at most (4): however often a verb is
//!   repeated, it has its effect once.
//! - What leaves a location is under way to another until it arrives or is recorded as lost (5).
//! - A reservation that nobody pinned ends at its expiry (6), one that is pinned never does by itself. One
//!   that was released before it was made is never made: a late request promises nothing.
//! - Of more buyers than units, as many as there are units get one (7): nobody is promised what
//!   somebody else was. Of counts that are meant for one version, one is made (28).
//! - Rows are locked in the order of (location, product), whatever the order of the lines: two that
//!   want the same rows wait for each other, and never both.
//! - Every change of stock is an event of the transaction that made it, with the row's next version.

pub mod api;
pub mod domain;
pub mod ledger;
pub mod migrations;
pub mod reserving;
pub mod shipping;
pub mod store;
pub mod tasks;
pub mod vouching;

sdk::service! {
    name: "inventory",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "expire-reservations", every_ms: 1_000, run: tasks::expire_reservations },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
