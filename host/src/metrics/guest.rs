//! Families that components declare by using them (`comptoir:service/metrics`). Bounded: a name, a
//! label or a value beyond the limits is dropped and counted, so that no guest can grow the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounter, Opts, Registry};

/// Families that one service may add.
const MAX_FAMILIES: usize = 50;
/// Series of one service, all its families together: each is in the host's memory and in every scrape,
/// where one of a histogram has 8 kB. The bounds are a service's own, so that none takes another's room.
const MAX_SERIES: usize = 500;
const MAX_LABELS: usize = 6;
const MAX_NAME_BYTES: usize = 100;
const MAX_VALUE_BYTES: usize = 64;

/// Names of the host's own families start so: a component may not speak for the host.
const RESERVED: &[&str] = &["http_", "db_", "component_", "process_", "kong_", "comptoir_"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
enum Family {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

#[derive(Debug)]
struct Entry {
    family: Family,
    labels: Vec<String>,
    series: BTreeSet<Vec<String>>,
}

#[derive(Debug)]
pub struct GuestMetrics {
    registry: Registry,
    dropped: IntCounter,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    families: BTreeMap<String, Entry>,
    /// By service.
    usage: BTreeMap<String, Usage>,
}

/// What a service has added.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    families: usize,
    series: usize,
}

impl GuestMetrics {
    pub(super) fn new(registry: Registry) -> Self {
        let dropped = IntCounter::new(
            "comptoir_guest_metrics_dropped_total",
            "Measurements of components that went over a limit or did not fit their family",
        )
        .and_then(|counter| registry.register(Box::new(counter.clone())).map(|()| counter));
        #[expect(clippy::expect_used, reason = "the name is a constant and registered once")]
        let dropped = dropped.expect("valid constant name");
        Self { registry, dropped, known: Mutex::default() }
    }

    /// Records one value under `name{service, labels..}`; what does not fit is counted and dropped.
    pub fn record(&self, service: &str, kind: Kind, name: &str, labels: &[(String, String)], value: f64) {
        if self.try_record(service, kind, name, labels, value).is_none() {
            self.dropped.inc();
        }
    }

    fn try_record(&self, service: &str, kind: Kind, name: &str, labels: &[(String, String)], value: f64) -> Option<()> {
        let fits = value.is_finite()
            && (kind != Kind::Counter || value >= 0.0)
            && name.len() <= MAX_NAME_BYTES
            && !RESERVED.iter().any(|prefix| name.starts_with(prefix))
            && labels.len() <= MAX_LABELS
            && labels.iter().all(|(name, value)| {
                name != "service" && name.len() <= MAX_NAME_BYTES && value.len() <= MAX_VALUE_BYTES
            });
        if !fits {
            return None;
        }
        let mut labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        labels.push(("service", service));
        labels.sort_unstable();
        let (names, values): (Vec<&str>, Vec<&str>) = labels.into_iter().unzip();

        let mut known = self.known.lock().ok()?;
        let Known { families, usage } = &mut *known;
        let usage = usage.entry(service.to_owned()).or_default();
        if !families.contains_key(name) {
            if usage.families >= MAX_FAMILIES || usage.series >= MAX_SERIES {
                return None;
            }
            let family = self.register(kind, name, &names)?;
            let labels = names.iter().map(ToString::to_string).collect();
            families.insert(name.to_owned(), Entry { family, labels, series: BTreeSet::new() });
            usage.families += 1;
        }
        let entry = families.get_mut(name)?;
        if entry.labels != names {
            return None;
        }
        let series: Vec<String> = values.iter().map(ToString::to_string).collect();
        if !entry.series.contains(&series) {
            if usage.series >= MAX_SERIES {
                return None;
            }
            entry.series.insert(series);
            usage.series += 1;
        }
        match (&entry.family, kind) {
            (Family::Counter(family), Kind::Counter) => family.with_label_values(&values).inc_by(value),
            (Family::Gauge(family), Kind::Gauge) => family.with_label_values(&values).set(value),
            (Family::Histogram(family), Kind::Histogram) => family.with_label_values(&values).observe(value),
            _ => return None,
        }
        Some(())
    }

    fn register(&self, kind: Kind, name: &str, labels: &[&str]) -> Option<Family> {
        let help = "A measurement of a component";
        let family = match kind {
            Kind::Counter => {
                let family = CounterVec::new(Opts::new(name, help), labels).ok()?;
                self.registry.register(Box::new(family.clone())).ok()?;
                Family::Counter(family)
            }
            Kind::Gauge => {
                let family = GaugeVec::new(Opts::new(name, help), labels).ok()?;
                self.registry.register(Box::new(family.clone())).ok()?;
                Family::Gauge(family)
            }
            Kind::Histogram => {
                let opts = HistogramOpts::new(name, help).buckets(super::LATENCY_BUCKETS.to_vec());
                let family = HistogramVec::new(opts, labels).ok()?;
                self.registry.register(Box::new(family.clone())).ok()?;
                Family::Histogram(family)
            }
        };
        Some(family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn bounds_families_series_labels_and_values() {
        let metrics = GuestMetrics::new(Registry::new());
        let ok = |name: &str, pairs: &[(&str, &str)], value| {
            metrics.try_record("cart", Kind::Counter, name, &labels(pairs), value).is_some()
        };
        assert!(ok("carts_merged_total", &[("channel", "web")], 1.0));
        assert!(!ok("carts_merged_total", &[("other", "web")], 1.0), "labels of a family are fixed");
        assert!(!ok("carts_merged_total", &[("channel", "web")], -1.0));
        assert!(!ok("carts_merged_total", &[("channel", "web")], f64::NAN));
        assert!(!ok("http_requests_total", &[], 1.0), "reserved");
        assert!(!ok("x_total", &[("service", "products")], 1.0), "cannot speak for another service");
        assert!(!ok("x_total", &[("a", &"v".repeat(65))], 1.0));
        for n in 1..MAX_SERIES {
            assert!(ok("many_total", &[("n", &n.to_string())], 1.0));
        }
        assert!(!ok("many_total", &[("n", "one more")], 1.0));
        assert!(!ok("another_total", &[], 1.0), "the bound is one for all families");
        assert!(ok("many_total", &[("n", "7")], 1.0), "known series go on");
        let other = |n: &str| metrics.try_record("orders", Kind::Counter, "many_total", &labels(&[("n", n)]), 1.0);
        assert!(other("one more").is_some(), "another service has room of its own");
    }

    #[test]
    fn bounds_families() {
        let metrics = GuestMetrics::new(Registry::new());
        let add = |service: &str, name: &str| metrics.try_record(service, Kind::Gauge, name, &[], 1.0).is_some();
        for n in 0..MAX_FAMILIES {
            assert!(add("cart", &format!("queue_{n}_length")));
        }
        assert!(!add("cart", "one_more"));
        assert!(add("orders", "one_more"), "another service has room of its own");
        assert!(add("cart", "one_more"), "a family that is there can be shared");
    }

    #[test]
    fn two_services_share_a_family() {
        let registry = Registry::new();
        let metrics = GuestMetrics::new(registry.clone());
        metrics.record("cart", Kind::Gauge, "queue_length", &[], 3.0);
        metrics.record("orders", Kind::Gauge, "queue_length", &[], 4.0);
        assert_eq!(metrics.dropped.get(), 0);
        let families = registry.gather();
        let family = families.iter().find(|family| family.name() == "queue_length").unwrap();
        assert_eq!(family.get_metric().len(), 2);
    }
}
