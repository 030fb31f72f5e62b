//! `component_info`: which versions are loaded. Replicas of a service in one process load one version
//! under the same labels: its series is there until the last of them has let go of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::IntGaugeVec;

/// The labels `service`, `digest`, `generation`.
type Labels = [String; 3];

#[derive(Clone, Debug)]
pub struct Info(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    family: IntGaugeVec,
    holders: Mutex<BTreeMap<Labels, usize>>,
}

/// One loaded version; its series may go when this is dropped.
#[derive(Debug)]
pub struct InfoSeries {
    info: Info,
    labels: Labels,
}

impl Info {
    pub(super) fn new(family: IntGaugeVec) -> Self {
        Self(Arc::new(Inner { family, holders: Mutex::default() }))
    }

    pub fn hold(&self, service: &str, digest: &str, generation: u64) -> InfoSeries {
        let labels = [service.to_owned(), digest.to_owned(), generation.to_string()];
        *self.holders().entry(labels.clone()).or_default() += 1;
        self.0.family.with_label_values(&labels).set(1);
        InfoSeries { info: self.clone(), labels }
    }

    fn holders(&self) -> MutexGuard<'_, BTreeMap<Labels, usize>> {
        self.0.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InfoSeries {
    fn drop(&mut self) {
        let mut holders = self.info.holders();
        let Some(count) = holders.get_mut(&self.labels) else { return };
        *count -= 1;
        if *count == 0 {
            holders.remove(&self.labels);
            if let Err(error) = self.info.0.family.remove_label_values(&self.labels) {
                tracing::debug!(%error, "a version had no series");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Opts;

    use super::*;

    #[test]
    fn a_series_stays_while_a_replica_has_the_version() {
        let family = IntGaugeVec::new(Opts::new("component_info", "x"), &["service", "digest", "generation"]).unwrap();
        let info = Info::new(family.clone());
        let series = || -> Vec<f64> {
            use prometheus::core::Collector as _;
            family.collect()[0].get_metric().iter().map(|metric| metric.get_gauge().get_value()).collect()
        };
        let replicas = [info.hold("cart", "abc", 1), info.hold("cart", "abc", 1)];
        let other = info.hold("cart", "def", 2);
        assert_eq!(series(), [1.0, 1.0], "one a version, however many have it");
        let [first, second] = replicas;
        drop(first);
        assert_eq!(series(), [1.0, 1.0]);
        drop(second);
        assert_eq!(series(), [1.0]);
        drop(other);
        assert_eq!(series(), [0.0; 0]);
    }
}
