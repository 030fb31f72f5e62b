//! The service `customers`: accounts, sign-in, addresses, loyalty points.
//!
//! In reading order: [`domain`] has the rules that need no database, [`hashing`] how passwords are kept,
//! [`tokens`] what a sign-in gives out, [`store`] the statements, [`guard`] the lock-out, [`api`] the
//! routes, [`tasks`] what happens without a request; `migrations/` has the schema, and says what is
//! locked in which order. The gateway verifies access tokens (`kong/kong.yml`, plugin `jwt`); here they
//! are only signed.
//!
//! | route | |
//! |---|---|
//! | `POST /api/v1/customers` | register; open |
//! | `POST /api/v1/auth/login, refresh, logout` | two tokens for a password; two for one; none; open |
//! | `GET, PATCH, DELETE /api/v1/customers/{id}` | `DELETE` erases |
//! | `PUT /api/v1/customers/{id}/password` | ends every session |
//! | `GET, POST /api/v1/customers/{id}/addresses` | one of them is the default |
//! | `GET, PUT, DELETE /api/v1/customers/{id}/addresses/{address_id}` | |
//! | `GET /api/v1/customers/{id}/loyalty`, `../loyalty/entries` | balance; ledger |
//! | `GET /api/v1/customers/{id}/export` | everything about a person |
//! | `GET /internal/v1/customers/{id}` | what a checkout needs to know |
//! | `PUT /internal/v1/loyalty/{reference}` | earn or burn, once for each reference |
//! | `GET /internal/v1/events` | `customer.registered, .changed, .erased`, `loyalty.changed` |
//! | `GET /internal/v1/audit` | rules that are broken: an empty list |
//! | `GET /health, /ready, /openapi.json, /docs` | as every service |
//!
//! `{id}` is `me` or a number. A customer may ask about themself; manager and hq about everybody.
//!
//! What holds, whatever happens (the numbers are those of the design's invariants):
//! - An e-mail address has one account, whatever the case of its letters, however many register at
//!   once (26).
//! - Of parallel changes of one version of a customer, or of an address, one is made (28).
//! - Customer A never reads B, and does not learn whether there is a B (29). The one exception is
//!   registration, which has to say that an address is taken.
//! - Passwords and refresh tokens are stored as hashes, and are in no event, no stored answer and no
//!   log line.
//! - A refresh token is good once. If it is used again, everything that descends from its sign-in is
//!   revoked. Nobody but the active has live tokens.
//! - At most ten wrong passwords of one account are answered as such within 15 minutes, however many are
//!   tried at once, and whether there is such an account or not.
//! - A balance is the sum of its ledger, and never negative; a reference counts once.
//! - Of the erased nothing personal is left here: not in stored answers, nor in events.

pub mod api;
pub mod domain;
pub mod guard;
pub mod hashing;
pub mod migrations;
pub mod store;
pub mod tasks;
pub mod tokens;

sdk::service! {
    name: "customers",
    router: api::router,
    migrations: migrations::ALL,
    tasks: [
        Task { name: "purge-refresh-tokens", every_ms: 3_600_000, run: tasks::purge_tokens },
        Task { name: "purge-login-attempts", every_ms: 300_000, run: tasks::purge_attempts },
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}
