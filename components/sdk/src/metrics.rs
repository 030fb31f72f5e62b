//! Measurements of the service's own, published by its host with the label `service`. Never name a
//! label after anything that a client can choose.

use crate::backend::{Instrument, measure};

/// Adds to a counter; its name ends in `_total`.
pub fn counter(name: &str, labels: &[(&str, &str)], add: f64) {
    measure(Instrument::Counter, name, labels, add);
}

pub fn gauge(name: &str, labels: &[(&str, &str)], value: f64) {
    measure(Instrument::Gauge, name, labels, value);
}

/// Observes a value in the base unit that the name ends in (`_seconds`, `_bytes`).
pub fn histogram(name: &str, labels: &[(&str, &str)], value: f64) {
    measure(Instrument::Histogram, name, labels, value);
}
