//! Work that no request asks for: reservations that nobody pinned end at their expiry.
//!
//! Every replica runs this; reservations are claimed with `for no key update skip locked`, so that
//! replicas share them and never wait for one that is being pinned at this moment. Idempotency keys
//! are purged by the SDK's own task.

use sdk::{Context, TaskError, log, metrics};

use crate::reserving;

/// How many reservations one transaction ends: it holds the rows of their stock for milliseconds.
pub const BATCH: i64 = 100;
/// How many batches one run does at most; what is left is for the next run.
pub const BATCHES: u32 = 50;

/// Ends active reservations that are past their expiry.
pub async fn expire_reservations(context: Context) -> Result<(), TaskError> {
    let mut expired = 0;
    for _ in 0..BATCHES {
        let context = &context;
        let batch = context.db.transaction(|tx| async move { reserving::expire(context, &tx, BATCH).await });
        let batch = batch.await?;
        expired += batch;
        if batch < BATCH.unsigned_abs() as usize {
            break;
        }
    }
    if expired > 0 {
        log::info!("reservations have expired", reservations = expired);
        metrics::counter("reservations_expired_total", &[], expired as f64);
    }
    Ok(())
}
