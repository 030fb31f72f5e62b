//! How long somebody waits.

use std::time::Duration;

use jiff::Timestamp;
use sdk::{Context, sleep};

/// What the call after a pause may take, until its deadline.
const CALL: Duration = sdk::client::DEADLINE_DEFAULT;

/// A time to be spent: by the clock, or in pauses, whichever is more.
#[derive(Debug)]
pub struct Patience {
    began_at: Timestamp,
    budget: Duration,
    paused: Duration,
}

impl Patience {
    pub fn new(context: &Context, budget: Duration) -> Patience {
        Patience { began_at: context.clock.now(), budget, paused: Duration::ZERO }
    }

    /// Whether a pause, and a call that runs into its deadline after it, end in time.
    pub fn allows(&self, context: &Context, pause: Duration) -> bool {
        let passed = context.clock.now().duration_since(self.began_at).unsigned_abs();
        passed.max(self.paused) + pause + CALL <= self.budget
    }

    pub async fn spend(&mut self, pause: Duration) {
        self.paused += pause;
        sleep(pause).await;
    }
}
