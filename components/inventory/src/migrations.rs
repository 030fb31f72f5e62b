//! The schema, step by step. A step that was applied never changes, and steps only expand.

use sdk::Migration;

/// Every step, in order.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "stock, ledger, reservations, vouchers, shipments",
        sql: include_str!("../migrations/0001_inventory.sql"),
    },
    Migration { version: 2, name: "outbox", sql: sdk::outbox::MIGRATION_SQL },
    Migration { version: 3, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration {
        version: 4,
        name: "the locations and their first stock",
        sql: include_str!("../migrations/0004_seed_stock.sql"),
    },
    Migration {
        version: 5,
        name: "the condition of what is brought back",
        sql: include_str!("../migrations/0005_conditions.sql"),
    },
];
