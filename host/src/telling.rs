//! `comptoir:service/metrics` and `logging`: what a component tells about itself.

use wasmtime::component::HasData;

use crate::bindings::comptoir::service::{logging, metrics};
use crate::metrics::Kind;
use crate::state::State;

/// Longer messages and field values are cut.
const MAX_TEXT_BYTES: usize = 8 << 10;
const MAX_FIELDS: usize = 32;

/// Marks whose data the generated bindings get: the whole state of the instance.
#[derive(Debug)]
pub struct Telling;

impl HasData for Telling {
    type Data<'a> = &'a mut State;
}

impl metrics::Host for State {
    fn counter_add(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> wasmtime::Result<()> {
        self.record(Kind::Counter, &name, &labels, value)
    }

    fn gauge_set(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> wasmtime::Result<()> {
        self.record(Kind::Gauge, &name, &labels, value)
    }

    fn histogram_observe(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> wasmtime::Result<()> {
        self.record(Kind::Histogram, &name, &labels, value)
    }
}

impl State {
    #[expect(clippy::unnecessary_wraps, reason = "the shape that the bindings ask for")]
    fn record(&self, kind: Kind, name: &str, labels: &[(String, String)], value: f64) -> wasmtime::Result<()> {
        self.capabilities.metrics.guest.record(&self.capabilities.service, kind, name, labels, value);
        Ok(())
    }
}

impl logging::Host for State {
    fn log(&mut self, level: logging::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let service = &*self.capabilities.service;
        let message = cut(&message);
        let fields = fields
            .iter()
            .take(MAX_FIELDS)
            .map(|(name, value)| (cut(name), cut(value)))
            .collect::<std::collections::BTreeMap<_, _>>();
        let fields = serde_json::to_string(&fields)?;
        match level {
            logging::Level::Debug => tracing::debug!(target: "guest", service, fields, "{message}"),
            logging::Level::Info => tracing::info!(target: "guest", service, fields, "{message}"),
            logging::Level::Warn => tracing::warn!(target: "guest", service, fields, "{message}"),
            logging::Level::Error => tracing::error!(target: "guest", service, fields, "{message}"),
        }
        Ok(())
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text)
}
