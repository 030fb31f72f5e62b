//! The steps of the schema, in order. A step that was applied never changes.

use sdk::Migration;

/// Every step.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "epochs, feeds, what was out of the ordinary, rebuilds",
        sql: include_str!("../migrations/0001_feeds.sql"),
    },
    Migration { version: 2, name: "projections", sql: include_str!("../migrations/0002_projections.sql") },
    Migration { version: 3, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
];
