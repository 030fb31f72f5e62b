//! Waiting by the host's clock.

use crate::backend;
use std::time::Duration;

/// Waits at least that long; the other requests of the instance go on. Since no task can wake another,
/// this is how one waits for what another does: it looks, and looks again.
pub async fn sleep(duration: Duration) {
    backend::sleep(duration).await;
}
