//! Work that no request asks for. Replicas share it: of two who have read the same page one writes it, and whoever
//! takes a step of a rebuild that was taken before changes nothing.

use jiff::SignedDuration;
use sdk::{Context, TaskError, metrics};

use crate::consuming::{self, Until};
use crate::domain::Source;
use crate::freshness::lag_ms;
use crate::store::feeds::Which;
use crate::store::{self, feeds};
use crate::{rebuilding, reconciling};

/// How long one run reads; below the 60 s that a task has.
const READS: SignedDuration = SignedDuration::from_secs(20);

/// Reads every feed to its end.
pub async fn consume(context: Context) -> Result<(), TaskError> {
    consuming::follow_all(&context, Source::ALL, Which::Live, Until::of(&context, READS)).await?;
    let epoch = store::live(&context.db).await?;
    for view in feeds::views(&context.db, epoch).await? {
        if let Some(as_of) = view.as_of {
            let lag_s = lag_ms(as_of, context.clock.now()) as f64 / 1_000.0;
            metrics::gauge("feed_lag_seconds", &[("source", view.source.as_str())], lag_s);
        }
    }
    Ok(())
}

/// Goes on with a rebuild, if there is one.
pub async fn rebuild(context: Context) -> Result<(), TaskError> {
    Ok(rebuilding::advance(&context).await?)
}

/// Compares the books of all services, and publishes how often each rule is broken.
pub async fn reconcile(context: Context) -> Result<(), TaskError> {
    let findings = reconciling::reconcile(&context).await?;
    for (invariant, violations) in findings.counts() {
        metrics::gauge("reconciliation_violations", &[("invariant", invariant)], violations as f64);
    }
    Ok(())
}
