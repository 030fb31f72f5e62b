//! Work that no request asks for: what inventory could not be told at once it is told again.
//!
//! Replicas share it: effects are claimed with `for update skip locked`, so nobody waits for the
//! other. Idempotency keys are purged by the SDK's own task.

use sdk::{Context, TaskError, log};

use crate::settling::{self, Scope};

/// How many batches one run claims at most, each of which may run into the deadline of a call; what is
/// left is for the next run.
const BATCHES: u32 = 20;

/// Carries out the effects that are due.
pub async fn settle(context: Context) -> Result<(), TaskError> {
    let mut carried_out = 0;
    for _ in 0..BATCHES {
        let batch = settling::settle(&context, Scope::Everything).await?;
        carried_out += batch.done;
        // Whoever is down is down for the next batch as well.
        if batch.done == 0 {
            break;
        }
    }
    if carried_out > 0 {
        log::info!("effects were carried out", effects = carried_out);
    }
    Ok(())
}
