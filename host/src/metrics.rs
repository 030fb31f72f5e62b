//! Every metric family of the host, built once and declared at zero for each service.
//! Names follow OpenTelemetry's semantic conventions in Prometheus spelling. No label ever takes a
//! value that a client chooses: `http_route` is a template that the component matched.

use std::time::Duration;

use prometheus::{Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::component::Stage;

mod guest;
mod info;
mod traffic;

pub use guest::{GuestMetrics, Kind};
pub use info::{Info, InfoSeries};
pub use traffic::Traffic;

/// From 100 microseconds to 10 seconds.
const LATENCY_BUCKETS: &[f64] =
    &[0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From 10 microseconds: instantiation.
const FINE_BUCKETS: &[f64] =
    &[0.000_01, 0.000_025, 0.000_05, 0.0001, 0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0];
/// From 10 milliseconds to 2 minutes: swaps, which compile.
const SLOW_BUCKETS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// Why an instance ended before its time; the values of the label `reason`.
pub const TRAP_REASONS: &[&str] = &["trap", "timeout", "memory"];

/// What an outbound call can lead to; the values of the label `outcome`.
pub const CALL_OUTCOMES: [&str; 6] = ["ok", "4xx", "5xx", "timeout", "unreachable", "limit"];

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub http_duration: HistogramVec,
    pub http_active: IntGaugeVec,
    pub http_refused: IntCounterVec,
    pub http_broken: IntCounterVec,
    pub db_operation: HistogramVec,
    pub db_connections: IntGaugeVec,
    pub db_wait: HistogramVec,
    pub info: Info,
    pub instances: IntGaugeVec,
    pub instantiation: HistogramVec,
    pub traps: IntCounterVec,
    pub swaps: IntCounterVec,
    pub swap_duration: HistogramVec,
    pub switch_duration: HistogramVec,
    pub memory: IntGaugeVec,
    pub background_runs: IntCounterVec,
    pub log_lines_dropped: IntCounterVec,
    pub client_duration: HistogramVec,
    pub guest: GuestMetrics,
}

impl Metrics {
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let r = &registry;
        Ok(Self {
            http_duration: histogram(
                r,
                "http_server_request_duration_seconds",
                "Time from a request's head to the end of its response's head",
                &["service", "http_request_method", "http_route", "http_response_status_code"],
                LATENCY_BUCKETS,
            )?,
            http_active: gauge(r, "http_server_active_requests", "Requests in flight, bodies included", &["service"])?,
            http_refused: counter(
                r,
                "http_server_refused_requests_total",
                "Requests that the host answered itself because a limit was reached",
                &["service", "limit"],
            )?,
            http_broken: counter(
                r,
                "http_server_broken_responses_total",
                "Responses that broke off after their head: at the deadline of a stream, or by the component",
                &["service", "reason"],
            )?,
            db_operation: histogram(
                r,
                "db_client_operation_duration_seconds",
                "Time of a database operation, the wait for a connection included",
                &["service", "operation", "outcome"],
                LATENCY_BUCKETS,
            )?,
            db_connections: gauge(
                r,
                "db_client_connections",
                "Connections to Postgres by state: idle, used; and transactions that are open",
                &["service", "state"],
            )?,
            db_wait: histogram(
                r,
                "db_client_connection_wait_seconds",
                "Time that an operation waited for a connection",
                &["service"],
                LATENCY_BUCKETS,
            )?,
            info: Info::new(gauge(
                r,
                "component_info",
                "Loaded generations, 1 each",
                &["service", "digest", "generation"],
            )?),
            instances: gauge(r, "component_instances", "Live instances: current, draining", &["service", "state"])?,
            instantiation: histogram(
                r,
                "component_instantiation_duration_seconds",
                "Time to make an instance ready for its first request",
                &["service"],
                FINE_BUCKETS,
            )?,
            traps: counter(r, "component_traps_total", "Instances that ended by a fault", &["service", "reason"])?,
            swaps: counter(
                r,
                "component_swaps_total",
                "Attempts to load a component, by outcome and by the stage that refused it",
                &["service", "outcome", "stage"],
            )?,
            swap_duration: histogram(
                r,
                "component_swap_duration_seconds",
                "Time from the bytes of a component to the switch",
                &["service"],
                SLOW_BUCKETS,
            )?,
            switch_duration: histogram(
                r,
                "component_switch_duration_seconds",
                "Time in which requests begin to go to another generation",
                &["service"],
                FINE_BUCKETS,
            )?,
            memory: gauge(r, "component_memory_bytes", "Linear memory of live instances", &["service"])?,
            background_runs: counter(
                r,
                "component_background_runs_total",
                "Runs of background tasks",
                &["service", "task", "outcome"],
            )?,
            log_lines_dropped: counter(
                r,
                "component_log_lines_dropped_total",
                "Log lines of components that went over the limit",
                &["service"],
            )?,
            client_duration: histogram(
                r,
                "http_client_request_duration_seconds",
                "Time of an outbound call until its response's head",
                &["service", "peer", "outcome"],
                LATENCY_BUCKETS,
            )?,
            guest: GuestMetrics::new(registry.clone()),
            registry,
        })
    }

    /// Makes a service's series exist at zero, so that a rate over the first event is right.
    pub fn declare(&self, service: &str, peers: impl Iterator<Item = impl AsRef<str>>) {
        self.http_active.with_label_values(&[service]);
        for limit in ["requests", "body", "not-ready", "instances"] {
            self.http_refused.with_label_values(&[service, limit]);
        }
        for reason in ["deadline", "component"] {
            self.http_broken.with_label_values(&[service, reason]);
        }
        for operation in ["query", "execute", "begin", "commit", "rollback"] {
            self.db_operation.with_label_values(&[service, operation, "ok"]);
        }
        for state in ["idle", "used", "transaction"] {
            self.db_connections.with_label_values(&[service, state]);
        }
        self.db_wait.with_label_values(&[service]);
        for state in ["current", "draining"] {
            self.instances.with_label_values(&[service, state]);
        }
        self.instantiation.with_label_values(&[service]);
        for reason in TRAP_REASONS {
            self.traps.with_label_values(&[service, reason]);
        }
        // What the first request will have is not known; a series without a value is never wrong.
        self.http_duration.with_label_values(&[service, "GET", "unmatched", "200"]);
        self.swaps.with_label_values(&[service, "switched", ""]);
        self.swaps.with_label_values(&[service, "rolled-back", ""]);
        for stage in Stage::ALL {
            self.swaps.with_label_values(&[service, "refused", stage.as_str()]);
        }
        self.swap_duration.with_label_values(&[service]);
        self.switch_duration.with_label_values(&[service]);
        self.memory.with_label_values(&[service]);
        self.log_lines_dropped.with_label_values(&[service]);
        for peer in peers {
            for outcome in CALL_OUTCOMES {
                self.client_duration.with_label_values(&[service, peer.as_ref(), outcome]);
            }
        }
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The text exposition format.
    pub fn encode(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::with_capacity(64 << 10);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    pub fn http_request(&self, service: &str, method: &str, route: &str, status: &str, time: Duration) {
        self.http_duration.with_label_values(&[service, method, route, status]).observe(time.as_secs_f64());
    }
}

fn histogram(
    r: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, prometheus::Error> {
    let family = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
    r.register(Box::new(family.clone()))?;
    Ok(family)
}

fn counter(r: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    let family = IntCounterVec::new(Opts::new(name, help), labels)?;
    r.register(Box::new(family.clone()))?;
    Ok(family)
}

fn gauge(r: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    let family = IntGaugeVec::new(Opts::new(name, help), labels)?;
    r.register(Box::new(family.clone()))?;
    Ok(family)
}
