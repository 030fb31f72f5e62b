//! Work that no request asks for: carts that nobody uses expire, closed ones are forgotten.
//!
//! Every replica runs these; carts are claimed with `for update skip locked`, so replicas share the
//! work and never wait for a cart in use. Idempotency keys are purged by the SDK's own task.

use sdk::{Context, TaskError, log, metrics};

use crate::store;

/// How many carts one statement closes or deletes: short transactions, so that a cart is claimed
/// for milliseconds.
pub const BATCH: i64 = 500;
/// How many batches one run does at most; what is left is for the next run.
pub const BATCHES: u32 = 20;

/// Expires open carts that were not used for long: see [`crate::domain::Expiry`].
pub async fn expire(context: Context) -> Result<(), TaskError> {
    let mut expired = 0;
    for _ in 0..BATCHES {
        let batch = store::expire(&context.db, context.clock.now(), BATCH).await?;
        expired += batch;
        if batch < BATCH as u64 {
            break;
        }
    }
    if expired > 0 {
        log::info!("carts have expired", carts = expired);
        metrics::counter("carts_expired_total", &[], expired as f64);
    }
    Ok(())
}

/// Deletes carts that were merged or expired long ago: see [`crate::domain::CLOSED_KEPT`].
pub async fn forget(context: Context) -> Result<(), TaskError> {
    for _ in 0..BATCHES {
        let batch = store::forget(&context.db, context.clock.now(), BATCH).await?;
        if batch < BATCH as u64 {
            break;
        }
    }
    Ok(())
}
