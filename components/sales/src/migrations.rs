//! The steps of the schema, in order. A step that was applied never changes.

use sdk::Migration;

/// Every step.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "stores, registers, sessions, sales, returns, effects",
        sql: include_str!("../migrations/0001_sales.sql"),
    },
    Migration { version: 2, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration { version: 3, name: "events", sql: sdk::outbox::MIGRATION_SQL },
    Migration {
        version: 4,
        name: "the stores and their registers",
        sql: include_str!("../migrations/0004_seed_registers.sql"),
    },
];
