//! Attempts on a host leave it as large as it was.

use std::time::Instant;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::support::database::Database;
use crate::support::host::Host;
use crate::support::hostile::{self, Attempts};

/// After these, everything has been there that is kept: pages of the allocator and of slots of
/// instances, connections, buffers.
const WARM_UP: usize = 1_000;
const ATTEMPTS: usize = 10_000;
const AT_ONCE: usize = 32;

/// A kilobyte and a half for each attempt: less than anything that one of them makes.
const MAX_GROWTH_BYTES: f64 = 16e6;

async fn resident(host: &Host) -> f64 {
    host.metrics().await.value("process_resident_memory_bytes", &[])
}

#[tokio::test]
async fn ten_thousand_attempts_leave_the_memory_flat() {
    let database = Database::new().await;
    let host = hostile::serve(&database).arg("--request-timeout-ms", "200").start().await;
    let seed = rand::random::<u64>();
    let mut random = StdRng::seed_from_u64(seed);
    Attempts::new().make(&host, &mut random, WARM_UP, AT_ONCE).await;
    let before = resident(&host).await;
    let (started, mut attempts) = (Instant::now(), Attempts::new());
    attempts.make(&host, &mut random, ATTEMPTS, AT_ONCE).await;
    let (after, took) = (resident(&host).await, started.elapsed());
    println!(
        "seed {seed}: {:.0} attempts/s, {before} bytes before and {after} after, {:#?}",
        ATTEMPTS as f64 / took.as_secs_f64(),
        attempts.led_to
    );
    assert!(after - before < MAX_GROWTH_BYTES, "{} bytes more after {ATTEMPTS} attempts", after - before);
    for kind in ["component-trapped", "deadline-exceeded", "component-error", "refused"] {
        assert!(attempts.led_to.contains_key(kind), "none led to {kind}: {:?}", attempts.led_to);
    }
    let metrics = host.metrics().await;
    for reason in ["trap", "memory", "timeout"] {
        assert!(metrics.value("component_traps_total", &[("reason", reason)]) > 0.0, "{reason}");
    }
    host.get("/hello").await.expect_status(200);
}
