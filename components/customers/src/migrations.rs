//! The steps of the schema, in order. A step that was applied never changes.

use sdk::Migration;

/// Every step.
pub const ALL: &[Migration] = &[
    Migration { version: 1, name: "customers, addresses", sql: include_str!("../migrations/0001_customers.sql") },
    Migration {
        version: 2,
        name: "families of refresh tokens, failed sign-ins",
        sql: include_str!("../migrations/0002_sessions.sql"),
    },
    Migration { version: 3, name: "loyalty points", sql: include_str!("../migrations/0003_loyalty.sql") },
    Migration { version: 4, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration { version: 5, name: "events", sql: sdk::outbox::MIGRATION_SQL },
];
