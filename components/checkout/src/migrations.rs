//! The steps of the schema, in order. A step that was applied never changes.

use sdk::Migration;

/// Every step.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "checkouts, their steps, refunds",
        sql: include_str!("../migrations/0001_checkouts.sql"),
    },
    Migration { version: 2, name: "the provider's simulator", sql: include_str!("../migrations/0002_provider.sql") },
    Migration { version: 3, name: "events", sql: sdk::outbox::MIGRATION_SQL },
];
