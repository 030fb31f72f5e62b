//! The steps of the schema, in order. A step that was applied never changes.

use sdk::Migration;

/// Every step.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "carts, lines, cached products, consumptions",
        sql: include_str!("../migrations/0001_carts.sql"),
    },
    Migration { version: 2, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration { version: 3, name: "events", sql: sdk::outbox::MIGRATION_SQL },
    Migration {
        version: 4,
        name: "events of the carts that are there",
        sql: include_str!("../migrations/0004_carts_are_told.sql"),
    },
];
