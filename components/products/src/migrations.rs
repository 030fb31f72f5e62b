//! The schema, step by step. A step that was applied never changes, and steps only expand.

use sdk::Migration;

/// Every step, in order.
pub const ALL: &[Migration] = &[
    Migration { version: 1, name: "the catalogue", sql: include_str!("../migrations/0001_catalogue.sql") },
    Migration {
        version: 2,
        name: "the first categories and tax categories",
        sql: include_str!("../migrations/0002_seed_categories.sql"),
    },
    Migration { version: 3, name: "the first products", sql: include_str!("../migrations/0003_seed_products.sql") },
    Migration { version: 4, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration { version: 5, name: "events", sql: sdk::outbox::MIGRATION_SQL },
    Migration {
        version: 6,
        name: "events of the first products",
        sql: include_str!("../migrations/0006_opening_events.sql"),
    },
];
