//! Work that no request asks for: what is over is forgotten. Idempotency keys are purged by the SDK's
//! own task.

use sdk::{Context, TaskError};

use crate::domain::session::failures_since;
use crate::store::sessions;

/// How many rows one statement deletes: short transactions, so that a row is locked for milliseconds.
pub const BATCH: i64 = 1_000;
/// How many batches of a kind one run does at most; what is left is for the next run.
pub const BATCHES: u32 = 20;

/// Forgets refresh tokens that have expired, and families of which nothing can come any more. A token
/// that was replaced is kept until then, because only so its reuse is seen.
pub async fn purge_tokens(context: Context) -> Result<(), TaskError> {
    let now = context.clock.now();
    for _ in 0..BATCHES {
        if sessions::purge_tokens(&context.db, now, BATCH).await? < BATCH.unsigned_abs() {
            break;
        }
    }
    for _ in 0..BATCHES {
        if sessions::purge_families(&context.db, now, BATCH).await? < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Forgets wrong passwords that count no longer.
pub async fn purge_attempts(context: Context) -> Result<(), TaskError> {
    let before = failures_since(context.clock.now());
    for _ in 0..BATCHES {
        if sessions::purge_attempts(&context.db, before, BATCH).await? < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(())
}
