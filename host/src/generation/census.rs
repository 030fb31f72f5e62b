//! Counts live instances of one generation, and keeps the process-wide gauges.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::metrics::Metrics;

pub struct Census {
    /// How many there are, and whether they drain.
    state: Mutex<(usize, bool)>,
    /// Woken whenever one is gone.
    pub died_one: Notify,
    current: prometheus::IntGauge,
    draining: prometheus::IntGauge,
}

impl Census {
    pub fn new(service: &str, metrics: &Metrics) -> Self {
        Self {
            state: Mutex::default(),
            died_one: Notify::new(),
            current: metrics.instances.with_label_values(&[service, "current"]),
            draining: metrics.instances.with_label_values(&[service, "draining"]),
        }
    }

    pub fn count(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub fn born(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        self.gauge(state.1).inc();
    }

    pub fn died(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.saturating_sub(1);
        self.gauge(state.1).dec();
        self.died_one.notify_waiters();
    }

    pub fn set_draining(&self, draining: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1 != draining {
            let count = i64::try_from(state.0).unwrap_or(i64::MAX);
            self.gauge(state.1).sub(count);
            state.1 = draining;
            self.gauge(draining).add(count);
        }
    }

    fn gauge(&self, draining: bool) -> &prometheus::IntGauge {
        if draining { &self.draining } else { &self.current }
    }
}
