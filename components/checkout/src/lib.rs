//! The service `checkout`: a purchase, from the cart to the paid order; and a simulator of the payment provider.
//!
//! In reading order: [`domain`] has the rules that need no database, the table of steps first (`domain/steps.rs`)
//! and then what follows from what a step came to (`domain/decision.rs`); [`saga`] takes the steps, [`clients`] is
//! what it asks others for, [`store`] what it writes; [`api`] has the routes, [`tasks`] what goes on with what
//! somebody has left; [`simulator`] stands in for another company, behind HTTP; `migrations/` has the schema.
//!
//! | route | |
//! |---|---|
//! | `POST /api/v1/checkouts/quote` | what a cart costs, as a checkout demands it; no effect |
//! | `POST /api/v1/checkouts` | buy a cart, once for each `Idempotency-Key`; a customer's own |
//! | `GET /api/v1/checkouts` | a customer's own; for the head office all |
//! | `GET /api/v1/checkouts/{id}` | with its steps |
//! | `POST /api/v1/checkouts/{id}/cancel` | before the pivot |
//! | `POST /internal/v1/payments/{id}/void`, `PUT ../refunds/{refund_id}` | for orders |
//! | `/simulator/v1/payments/{id}` | the provider: authorize, look, capture, void, refund |
//! | `GET /internal/v1/events` | `checkout.accepted, .completed, .failed, .cancelled` |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - One checkout for an Idempotency-Key, however many clicks (11); one live checkout for a cart.
//! - A checkout takes the steps of [`domain::steps::STEPS`] in their order, or those that undo them in reverse.
//!   Before the capture is intended everything is undone by whatever goes wrong; from then on its outcome alone
//!   decides, and what was captured is ordered, or given back by orders.
//! - The intention of a step is written before it is tried. Whoever goes on after a crash tries it again, under a
//!   natural key that the other service knows it by; a payment is looked up first.
//! - Whoever was slower than the lease changes nothing: here because a write names the fence, elsewhere because
//!   what was undone is barred, whether it was known there or not.
//! - Every checkout ends within a minute once everybody answers (12): a pause is at most five seconds.
//! - No authorization is left without a capture or a void (14). The total is the same, to the cent, in the quote,
//!   the order and the capture (15).
//! - A customer sees their own checkouts and no other (29). A token is in no log line, no event and no answer; it
//!   is forgotten when the checkout has ended, and so is the address.

pub mod api;
pub mod clients;
pub mod domain;
pub mod events;
pub mod migrations;
mod patience;
pub mod saga;
pub mod simulator;
pub mod store;
pub mod tasks;

sdk::service! {
    name: "checkout",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "resume-checkouts", every_ms: 1_000, run: tasks::resume },
        Task { name: "tell-ages", every_ms: 5_000, run: tasks::tell_ages },
    ],
}
