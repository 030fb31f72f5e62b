//! What each service has answered so far, all of its routes together: sums over the series of
//! `http_server_request_duration_seconds`. Who asks twice has rates, shares and quantiles of the time between.

use std::collections::BTreeMap;

use prometheus::core::Collector as _;
use prometheus::proto::Metric;

use super::{LATENCY_BUCKETS, Metrics};

/// Since the host's start; replicas of a service in one process are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    /// Those of them that were answered with a 5xx.
    pub errors: u64,
    /// How many took at most as long as each of the bounds, and longer than the one before it; the rest took longer
    /// than all of them.
    pub by_duration: Vec<u64>,
}

impl Metrics {
    /// The bounds of `Traffic::by_duration`.
    pub fn traffic_bounds_s(&self) -> &'static [f64] {
        LATENCY_BUCKETS
    }

    /// By service.
    pub fn traffic(&self) -> BTreeMap<String, Traffic> {
        let mut services = BTreeMap::<String, Traffic>::new();
        for family in self.http_duration.collect() {
            for series in family.get_metric() {
                services.entry(label(series, "service").to_owned()).or_default().add(series);
            }
        }
        services
    }
}

impl Traffic {
    fn add(&mut self, series: &Metric) {
        let histogram = series.get_histogram();
        self.requests += histogram.get_sample_count();
        if label(series, "http_response_status_code").starts_with('5') {
            self.errors += histogram.get_sample_count();
        }
        self.by_duration.resize(LATENCY_BUCKETS.len(), 0);
        // Each bucket of Prometheus has what the ones before it have.
        let mut before = 0;
        for (count, bucket) in self.by_duration.iter_mut().zip(histogram.get_bucket()) {
            *count += bucket.cumulative_count().saturating_sub(before);
            before = bucket.cumulative_count();
        }
    }
}

fn label<'a>(series: &'a Metric, name: &str) -> &'a str {
    series.get_label().iter().find(|label| label.name() == name).map_or("", |label| label.value())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn sums_what_routes_and_statuses_have() {
        let metrics = Metrics::new().unwrap();
        metrics.declare("quiet", std::iter::empty::<&str>());
        for (route, status, ms) in
            [("/a", "200", 3), ("/a", "200", 7), ("/b", "404", 3), ("/b", "503", 70), ("host", "500", 20_000)]
        {
            metrics.http_request("busy", "GET", route, status, Duration::from_millis(ms));
        }
        let traffic = metrics.traffic();
        let busy = &traffic["busy"];
        assert_eq!((busy.requests, busy.errors), (5, 2));
        let taken = |bound: f64| {
            let index = metrics.traffic_bounds_s().iter().position(|known| (known - bound).abs() < 1e-9).unwrap();
            busy.by_duration[index]
        };
        assert_eq!([0.0025, 0.005, 0.01, 0.1, 10.0].map(taken), [0, 2, 1, 1, 0]);
        assert_eq!(busy.by_duration.iter().sum::<u64>(), 4, "one took longer than all bounds");
        assert_eq!((traffic["quiet"].requests, traffic["quiet"].errors), (0, 0));
    }
}
