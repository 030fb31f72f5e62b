//! WASI HTTP as any component may use it, in both versions: what reaches a component, what it may
//! answer, what it may ask of others. The two versions differ only where a test says so.

mod calls;
mod errors;
mod fields;
mod harness;
mod lengths;
pub mod requests;
mod responses;
mod trailers;

use crate::support::host::{Host, Serve};

/// Twins: the same paths, for WASI 0.3 and 0.2.
const GUESTS: [&str; 2] = ["p3-conformance", "p2-conformance"];

/// How often instances ended by a fault: nothing here but a trap may cost one.
async fn faults(host: &Host) -> f64 {
    host.metrics().await.find("component_traps_total", &[]).unwrap_or(0.0)
}

async fn start(guest: &str) -> Host {
    Serve::guest(guest).start().await
}
