//! Inventory is told what happened at a till: after the commit at once, and by a task as often as it takes. A till
//! sells while inventory is away.
//!
//! An effect is claimed in a statement of its own, carried out with no transaction open, and its end is written.
//! A crash in between leaves the effect to the task; its natural key makes the repetition harmless.

use futures_util::future::join_all;
use sdk::{ClientError, Context, Result, log, metrics};

use crate::clients::inventory;
use crate::domain::SaleId;
use crate::store::effects::{self, Claimed};

/// How many effects are carried out side by side: all of them within the lease, also when each runs
/// into its deadline.
const BATCH: i64 = 8;

/// What a sale takes comes before what it gives back, and of a return what is sold again before what is not.
const ROUNDS: u32 = 3;

/// Which effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    Sale(SaleId),
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub done: usize,
    /// To be tried again.
    pub failed: usize,
}

/// After something was committed: its client normally sees it carried out. What cannot be is left to the task.
pub async fn settle_now(context: &Context, sale: SaleId) {
    for _ in 0..ROUNDS {
        match settle(context, Scope::Sale(sale)).await {
            Ok(Batch { done: 1.., .. }) => {}
            Ok(_) => return,
            Err(reason) => {
                log::warn!("effects were left to the task", sale = sale, reason = reason);
                return;
            }
        }
    }
}

/// Carries out a batch of the effects that are due.
///
/// # Errors
/// When the database fails; whatever was claimed is due again when its lease ends.
pub async fn settle(context: &Context, scope: Scope) -> Result<Batch> {
    let now = context.clock.now();
    let claimed = effects::claim(&context.db, scope, now, BATCH).await?;
    let outcomes = join_all(claimed.iter().map(|effect| carry_out(context, effect))).await;
    let mut batch = Batch { done: 0, failed: 0 };
    for outcome in outcomes {
        match outcome? {
            true => batch.done += 1,
            false => batch.failed += 1,
        }
    }
    Ok(batch)
}

/// Whether it is done.
async fn carry_out(context: &Context, claimed: &Claimed) -> Result<bool> {
    let answer = inventory::tell(&context.http, &claimed.effect).await;
    let now = context.clock.now();
    let outcome = if answer.is_ok() { "done" } else { "failed" };
    metrics::counter("sale_effects_total", &[("kind", claimed.effect.kind()), ("outcome", outcome)], 1.0);
    match answer {
        Ok(()) => {
            effects::done(&context.db, claimed.id, now).await?;
            Ok(true)
        }
        Err(reason) => {
            failed(claimed, &reason);
            effects::failed(&context.db, claimed, &reason.to_string(), now).await?;
            Ok(false)
        }
    }
}

/// Who is away comes back; whoever says no has another opinion of what there is to do.
fn failed(claimed: &Claimed, reason: &ClientError) {
    let (kind, sale, attempts) = (claimed.effect.kind(), claimed.sale_id, claimed.attempts);
    match reason {
        ClientError::Unavailable(_) | ClientError::Timeout => {
            log::warn!("an effect waits", kind = kind, sale = sale, attempts = attempts, reason = reason);
        }
        ClientError::Refused(_) | ClientError::Protocol(_) => {
            log::error!("an effect was refused", kind = kind, sale = sale, attempts = attempts, reason = reason);
        }
    }
}
