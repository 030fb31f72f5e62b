//! Other services are told what was decided: after the commit of the decision at once, and by a task as
//! often as it takes.
//!
//! An effect is claimed in a statement of its own, carried out with no transaction open, and its end is
//! written in a transaction with whatever follows from the answer. A crash in between leaves the effect
//! to the task; its natural key makes the repetition harmless.

use futures_util::future::join_all;
use jiff::Timestamp;
use sdk::{ClientError, Context, Problem, Result, Tx, log, metrics, new_uuid_v7};

use crate::clients::{self, Answer};
use crate::domain::decision::Decision;
use crate::domain::effect::Effect;
use crate::domain::{OrderId, Refusal};
use crate::store::effects::{self, Claimed};
use crate::store::{self, refunds};

/// How many effects are carried out side by side: all of them within the lease, also when each runs
/// into its deadline.
const BATCH: i64 = 8;

/// A void may be followed by a refund, a release by a receipt; nothing follows those.
const ROUNDS: u32 = 2;

/// Who signs what follows from another service's answer.
const ACTOR: &str = "service:orders";

/// Which effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    Order(OrderId),
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub done: usize,
    /// To be tried again.
    pub failed: usize,
}

/// After a decision was committed: its client normally sees it carried out. What cannot be is left to
/// the task.
pub async fn settle_now(context: &Context, order: OrderId) {
    for _ in 0..ROUNDS {
        match settle(context, Scope::Order(order)).await {
            Ok(Batch { done: 1.., .. }) => {}
            Ok(_) => return,
            Err(reason) => {
                log::warn!("effects were left to the task", order = order, reason = reason);
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
    let answer = clients::tell(&context.http, &claimed.effect).await;
    let now = context.clock.now();
    let outcome = if answer.is_ok() { "done" } else { "failed" };
    metrics::counter("order_effects_total", &[("kind", claimed.effect.kind()), ("outcome", outcome)], 1.0);
    match answer {
        Ok(answer) => {
            context.db.transaction(|tx| async move { done(context, &tx, claimed, answer, now).await }).await?;
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
    let (kind, order, attempts) = (claimed.effect.kind(), claimed.order_id, claimed.attempts);
    match reason {
        ClientError::Unavailable(_) | ClientError::Timeout => {
            log::warn!("an effect waits", kind = kind, order = order, attempts = attempts, reason = reason);
        }
        ClientError::Refused(_) | ClientError::Protocol(_) => {
            log::error!("an effect was refused", kind = kind, order = order, attempts = attempts, reason = reason);
        }
    }
}

/// Writes that it is done, and what follows. The order is locked first, as by everybody.
async fn done(context: &Context, tx: &Tx, claimed: &Claimed, answer: Answer, now: Timestamp) -> Result<()> {
    let dossier = store::lock(tx, claimed.order_id).await?;
    let dossier = dossier.ok_or_else(|| Problem::internal("an effect of an order that is not there"))?;
    if !effects::done(tx, claimed.id, now).await? {
        return Ok(());
    }
    let refund_id = new_uuid_v7(&context.clock).into();
    let mut decision = Decision::on(dossier, ACTOR.to_owned(), now, refund_id);
    match (&claimed.effect, answer) {
        (Effect::Release { .. }, Answer::TooLate) => decision.committed_too_late(),
        (Effect::Void { .. }, Answer::Done) => decision.voided(),
        (Effect::Void { .. }, Answer::TooLate) => decision.captured_already().map_err(bug)?,
        (Effect::Refund { refund, .. }, _) => {
            refunds::settle(tx, claimed.order_id, *refund, now).await?;
        }
        (Effect::Release { .. } | Effect::Void { .. }, _) | (Effect::Restock { .. }, _) => {}
    }
    store::save(tx, context, &decision).await
}

fn bug(refusal: Refusal) -> Problem {
    Problem::internal(format!("{refusal:?}"))
}
