//! What the gateway counts, under the names that Kong gives it, so that one dashboard fits both.
//! Labels are names from `kong.yml` and status codes, never anything that a client sends.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::balance::{Pool, Target};

/// Milliseconds. Kong's buckets.
const BUCKETS_MS: &[f64] = &[
    1.0, 2.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 750.0, 1000.0, 3000.0, 6000.0,
    10_000.0, 30_000.0, 60_000.0,
];

#[derive(Debug)]
pub struct Metrics {
    requests: IntCounterVec,
    request_latency: HistogramVec,
    upstream_latency: HistogramVec,
    target_health: IntGaugeVec,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let latency = |name, help| HistogramOpts::new(name, help).buckets(BUCKETS_MS.to_vec());
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "kong_http_requests_total",
                    "Requests; source tells who answered: service, exit (a plugin) or error",
                ),
                &["service", "route", "code", "source"],
            )?,
            request_latency: HistogramVec::new(
                latency(
                    "kong_request_latency_ms",
                    "From the request's head to the response's, as far as a small body is collected with it",
                ),
                &["service", "route"],
            )?,
            upstream_latency: HistogramVec::new(
                latency("kong_upstream_latency_ms", "From sending a request to the head of its response"),
                &["service", "route"],
            )?,
            target_health: IntGaugeVec::new(
                Opts::new("kong_upstream_target_health", "1 for the state that a target is in"),
                &["upstream", "target", "address", "state"],
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.request_latency.clone()))?;
        registry.register(Box::new(metrics.upstream_latency.clone()))?;
        registry.register(Box::new(metrics.target_health.clone()))?;
        Ok(metrics)
    }

    pub fn count(&self, service: &str, route: &str, code: &str, source: &str) {
        self.requests.with_label_values(&[service, route, code, source]).inc();
    }

    pub fn request_took(&self, service: &str, route: &str, time: Duration) {
        self.request_latency.with_label_values(&[service, route]).observe(time.as_secs_f64() * 1e3);
    }

    pub fn upstream_took(&self, service: &str, route: &str, time: Duration) {
        self.upstream_latency.with_label_values(&[service, route]).observe(time.as_secs_f64() * 1e3);
    }

    pub fn target_is(&self, pool: &Pool, target: &Target, healthy: bool) {
        let address = target.authority.as_str();
        let gauge =
            |state| self.target_health.with_label_values(&[pool.name.as_str(), target.name.as_str(), address, state]);
        if pool.checks.is_none() {
            gauge("healthchecks_off").set(1);
            return;
        }
        gauge("healthy").set(i64::from(healthy));
        gauge("unhealthy").set(i64::from(!healthy));
    }
}
