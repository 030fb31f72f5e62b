//! Work that no request asks for: what somebody has left, because a service was away or because they are gone.
//!
//! Replicas share it: checkouts are claimed with `for update skip locked`. Without any, a run is one look at an
//! index that has the live ones alone.

use std::time::Duration;

use futures_util::future::join_all;
use sdk::{Context, TaskError, log, metrics};

use crate::domain::steps::Step;
use crate::patience::Patience;
use crate::saga::{self, Got};
use crate::store;

/// How many checkouts go on side by side.
const BATCH: i64 = 16;

/// How many batches one run takes at most; what is left is for the next run.
const BATCHES: u32 = 8;

/// Goes on with the checkouts that are due.
pub async fn resume(context: Context) -> Result<(), TaskError> {
    for _ in 0..BATCHES {
        let now = context.clock.now();
        let claimed = store::claim(&context.db, None, now, BATCH).await?;
        let taken = claimed.len();
        let got = join_all(claimed.into_iter().map(|checkout| resume_one(&context, checkout))).await;
        let ended = got.into_iter().filter(|got| *got).count();
        // Whoever is away is away for the next batch as well.
        if taken < usize::try_from(BATCH)? || ended == 0 {
            break;
        }
    }
    Ok(())
}

/// Whether it has ended. One that waits is left until its pause is over: nobody sleeps here.
async fn resume_one(context: &Context, checkout: crate::domain::checkout::Checkout) -> bool {
    let id = checkout.id;
    let mut patience = Patience::new(context, Duration::ZERO);
    match saga::drive(context, checkout, &mut patience).await {
        Ok(Got::Ended(_)) => true,
        Ok(Got::Waits(_) | Got::Fenced) => false,
        Err(reason) => {
            log::warn!("a checkout is left until its lease ends", checkout = id, reason = reason);
            false
        }
    }
}

/// Publishes for how long the oldest checkout at each step has been under way, whoever takes care of it.
pub async fn tell_ages(context: Context) -> Result<(), TaskError> {
    let oldest = store::oldest(&context.db).await?;
    for step in Step::ALL {
        let since = oldest.iter().find(|(at, _)| at == step).map(|(_, since)| *since);
        let seconds = since.map_or(0.0, |since| context.clock.now().duration_since(since).as_secs_f64().max(0.0));
        metrics::gauge("checkout_oldest_seconds", &[("step", step.as_str())], seconds);
    }
    Ok(())
}
