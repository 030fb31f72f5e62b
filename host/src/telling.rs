//! `comptoir:service/metrics` and `logging`: what a component tells about itself; and `secrets`, what
//! it is told that nobody else is.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use wasmtime::component::HasData;

use crate::bindings::comptoir::service::{logging, metrics, secrets};
use crate::guest_log::guest_line;
use crate::ids::{is_request_id, is_trace_id};
use crate::metrics::Kind;
use crate::state::State;
use crate::telemetry::{cut, printable};

/// Fields of one log line; more are left out.
const MAX_FIELDS: usize = 32;
const MAX_FIELD_NAME_BYTES: usize = 64;
/// The values of all fields of one line; what is beyond is cut.
const MAX_FIELDS_BYTES: usize = 8 << 10;

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

impl secrets::Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let secret = self.capabilities.secrets.get(&name);
        Ok(secret.map(|secret| secret.reveal().to_owned()))
    }
}

impl logging::Host for State {
    fn log(&mut self, level: logging::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let author = &self.author;
        let line = LazyCell::new(|| Line::new(&fields));
        macro_rules! tell {
            ($level:ident) => {
                guest_line!(
                    author,
                    $level,
                    request_id = line.request_id,
                    trace_id = line.trace_id,
                    fields = line.others,
                    "{}",
                    printable(&message)
                )
            };
        }
        match level {
            logging::Level::Debug => tell!(DEBUG),
            logging::Level::Info => tell!(INFO),
            logging::Level::Warn => tell!(WARN),
            logging::Level::Error => tell!(ERROR),
        }
        Ok(())
    }
}

/// The fields of a log line. Which request it is about is told where the host's own lines tell it;
/// an instance serves many requests at once, so that only the guest can know.
#[derive(Debug)]
struct Line<'a> {
    request_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    /// As JSON: names that the guest chooses stay apart from those of the host.
    others: String,
}

impl<'a> Line<'a> {
    fn new(fields: &'a [(String, String)]) -> Self {
        let (mut request_id, mut trace_id, mut others) = (None, None, BTreeMap::new());
        let mut left = MAX_FIELDS_BYTES;
        for (name, value) in fields.iter().take(MAX_FIELDS) {
            match name.as_str() {
                "request_id" if is_request_id(value.as_bytes()) => request_id = Some(value.as_str()),
                "trace_id" if is_trace_id(value.as_bytes()) => trace_id = Some(value.as_str()),
                name => {
                    let value = cut(value, left);
                    left -= value.len();
                    others.insert(printable(cut(name, MAX_FIELD_NAME_BYTES)), printable(value));
                }
            }
        }
        // Texts have a JSON form, always.
        let others = serde_json::to_string(&others).unwrap_or_default();
        Self { request_id, trace_id, others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn ids_are_told_apart_and_must_be_ids() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let given = fields(&[("lines", "3"), ("request_id", "abc"), ("trace_id", trace)]);
        let line = Line::new(&given);
        assert_eq!((line.request_id, line.trace_id), (Some("abc"), Some(trace)));
        assert_eq!(line.others, r#"{"lines":"3"}"#);

        let given = fields(&[("request_id", "a\nb"), ("trace_id", "abc")]);
        let line = Line::new(&given);
        assert_eq!((line.request_id, line.trace_id), (None, None));
        assert_eq!(line.others, r#"{"request_id":"a\\nb","trace_id":"abc"}"#);
    }

    #[test]
    fn fields_are_bounded_together() {
        let long = "x".repeat(MAX_FIELDS_BYTES - 1);
        let many: Vec<_> = (0..2 * MAX_FIELDS).map(|n| (format!("{n:02}{long}"), long.clone())).collect();
        let line = Line::new(&many);
        assert!(
            line.others.len() < MAX_FIELDS_BYTES + MAX_FIELDS * (MAX_FIELD_NAME_BYTES + 8),
            "{}",
            line.others.len()
        );
        let told: BTreeMap<String, String> = serde_json::from_str(&line.others).unwrap();
        assert_eq!(told.len(), MAX_FIELDS);
    }
}
