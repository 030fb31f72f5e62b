//! A host at rest: what its gauges say while nothing is asked of it, and that they say so again.

use std::collections::{BTreeMap, BTreeSet};

use super::host::Host;
use super::metrics::Metrics;
use super::{eventually, nothing_amiss};

/// What a host keeps for the next request, and how much more of it there may be than before. Every
/// other gauge has to be back at the very number.
const KEPT: &[(&str, f64)] = &[
    // Connections to Postgres that are open and free, `--database-connections` of them at most.
    ("db_client_connections{state=idle}", 16.0),
    // A descriptor for each of those, and for the connections that a test keeps.
    ("process_open_fds", 24.0),
    // The runtime's, for files; they end when they have been idle.
    ("process_threads", 8.0),
    // Pages of the allocator, and of the slots that instances were in. `memory.rs` looks closer.
    ("process_resident_memory_bytes", 96e6),
    ("process_virtual_memory_bytes", 1e9),
];

/// Gauges, by series. A host that has swapped has as many generations as before, under other numbers.
#[derive(Debug)]
pub struct Rest(BTreeMap<String, f64>);

impl Rest {
    /// Waits until nothing runs and no instance is warm: the host needs a short `--instance-idle-ms`.
    pub async fn of(host: &Host) -> Self {
        eventually("no request is active and no instance is left", async || {
            let metrics = host.metrics().await;
            let busy = ["http_server_active_requests", "component_instances"];
            busy.iter().all(|name| metrics.value(name, &[]) == 0.0)
        })
        .await;
        Self(gauges(&host.metrics().await))
    }

    /// Waits until every gauge is back.
    pub async fn returns(&self, host: &Host) {
        nothing_amiss("the gauges", async || self.differences(&gauges(&host.metrics().await))).await;
    }

    fn differences(&self, now: &BTreeMap<String, f64>) -> Vec<String> {
        let series: BTreeSet<&String> = self.0.keys().chain(now.keys()).collect();
        let differ = |series: &String| {
            // What is not there is nothing.
            let [before, after] = [&self.0, now].map(|gauges| gauges.get(series).copied().unwrap_or(0.0));
            let kept = KEPT.iter().find(|(name, _)| name == series);
            let back = kept.map_or(after == before, |(_, more)| after <= before + more);
            (!back).then(|| format!("{series}: {before} before, {after} now"))
        };
        series.into_iter().filter_map(differ).collect()
    }
}

fn gauges(metrics: &Metrics) -> BTreeMap<String, f64> {
    metrics.gauges(&["service", "digest", "generation"])
}
