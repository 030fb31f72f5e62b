//! The service `orders`: what was bought, from the checkout to the customer's hands, and back.
//!
//! In reading order: [`domain`] has the rules that need no database, the table of steps first; what a
//! decision changes, tells and asks of other services is in `domain/decision.rs`. [`store`] has the
//! statements, [`settling`] carries out what other services are to be told, [`clients`] how they are
//! told, [`events`] what reports read, [`api`] the routes, [`tasks`] what nobody asks for;
//! `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `GET /api/v1/orders` | a customer's own; for staff all; by status, customer, store, time |
//! | `GET /api/v1/orders/{id}` | with lines, taxes, what was captured and refunded |
//! | `GET /api/v1/orders/{id}/timeline` | what happened, by whom |
//! | `POST /api/v1/orders/{id}/transitions` | staff; the next step, with `If-Match` |
//! | `POST /api/v1/orders/{id}/cancel` | customer or staff; before payment and after |
//! | `GET, POST /api/v1/orders/{id}/refunds` | manager, head office: some units, or all of them |
//! | `POST /api/v1/orders/{id}/pickup` | staff, with the customer's code |
//! | `PUT, GET /internal/v1/orders/{id}` | made pending, by a checkout, once |
//! | `POST /internal/v1/orders/{id}/confirm, cancel` | captured; compensated |
//! | `POST /internal/v1/payment-events` | once each, in any order |
//! | `GET /internal/v1/events` | for reports |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - An order takes the steps of [`domain::STEPS`] and no other (13). Each is written to the timeline,
//!   which is only appended to, in the transaction of the step.
//! - One order for a checkout, a reservation and a payment (11). An order that was called off before it was
//!   made is never made.
//! - Of a cancelled order nothing captured is kept (9), and no authorization is left open (14). Who
//!   cancels while the payment is captured finds out from the answer to the void, from the payment's
//!   event or from the checkout's confirmation, whichever comes first, and the money goes back.
//! - The sum of the refunds is at most what was captured, and the units returned are at most those sold
//!   (10). A full return, in however many steps, refunds exactly what was paid (17): `pricing` computes
//!   both, under the lock of the order.
//! - Totals and taxes are recomputed from the lines when an order is made, and can be ever after (15, 16).
//! - What other services are to be told is written in the transaction of the decision and carried out
//!   after it until it is done, with a natural key: a crash, a lost answer and a repetition have one
//!   effect. No call to another service is made while a transaction is open.
//! - Of parallel changes that are meant for one version of an order, one wins (28). A customer never
//!   sees another's order (29).

pub mod api;
pub mod clients;
pub mod domain;
pub mod events;
pub mod migrations;
pub mod settling;
pub mod store;
pub mod tasks;

sdk::service! {
    name: "orders",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "settle-effects", every_ms: 1_000, run: tasks::settle },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
