//! What tests are made of: hosts, clients, databases, peers, and waiting for conditions.

pub mod books;
pub mod browser;
pub mod client;
pub mod command;
pub mod database;
pub mod gate;
pub mod guest;
pub mod host;
pub mod hostile;
pub mod json_schema;
pub mod load;
pub mod metrics;
pub mod peer;
pub mod platform;
pub mod prometheus;
pub mod proxy;
pub mod raw;
pub mod rest;
pub mod shop;
pub mod storm;

use std::time::{Duration, Instant};

/// How long anything may take that should happen at all. Generous: the machine may be busy.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; fails when it does not within the deadline.
pub async fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) {
    eventually_within(DEADLINE, what, condition).await;
}

/// The same for what may take long.
pub async fn eventually_within(deadline: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < deadline, "never happened: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The same for a condition of many parts: waits until `look` finds nothing, and fails with what it found.
pub async fn nothing_amiss(what: &str, mut look: impl AsyncFnMut() -> Vec<String>) {
    let start = Instant::now();
    loop {
        let found = look().await;
        if found.is_empty() {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "something is amiss with {what}: {found:#?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Fails when `work` does not end within the deadline.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(DEADLINE, work).await;
    result.unwrap_or_else(|_| panic!("did not end within {DEADLINE:?}: {what}"))
}
