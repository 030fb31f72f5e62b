//! Spans of requests and of outbound calls, for a collector that an operator names: OTLP over HTTP,
//! in batches, from a thread of its own. What a request costs does not depend on the collector;
//! spans that it does not take in time are dropped.

use std::fmt;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor as _};

use crate::ids::{Ids, TRACEPARENT};

/// Where a collector takes spans, below its address.
const PATH: &str = "/v1/traces";

/// What is exported of all requests, and where to.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Traces")]
pub struct SpanArgs {
    /// Send spans of requests and outbound calls to this collector, as OTLP over HTTP:
    /// http://127.0.0.1:4318
    #[arg(long, env = "COMPTOIR_OTLP_ENDPOINT", value_parser = endpoint)]
    pub otlp_endpoint: Option<String>,

    /// Of the traces that begin here, how many are exported; a caller decides about its own
    #[arg(long, env = "COMPTOIR_TRACE_PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub trace_percent: u8,
}

/// TLS is for the network in between to provide.
fn endpoint(text: &str) -> Result<String, &'static str> {
    let is_address = text.parse().is_ok_and(|uri: http::Uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    if is_address { Ok(text.trim_end_matches('/').to_owned()) } else { Err("expected http://HOST:PORT") }
}

/// Exports the spans of one service.
pub struct Spans {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    percent: u8,
}

/// A span under way.
#[derive(Debug)]
pub struct Span {
    context: SpanContext,
    parent: SpanId,
    started: SystemTime,
}

impl Spans {
    /// None: nobody wants them.
    pub fn start(args: &SpanArgs, service: &str, replica: &str) -> Result<Option<Self>> {
        let Some(endpoint) = &args.otlp_endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{endpoint}{PATH}"))
            .build()
            .context("cannot export spans")?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(
            &Resource::builder()
                .with_service_name(service.to_owned())
                .with_attribute(KeyValue::new("service.instance.id", replica.to_owned()))
                .build(),
        );
        let scope = InstrumentationScope::builder("comptoir").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Some(Self { processor, scope, percent: args.trace_percent }))
    }

    /// Begins a span below the one that the headers name, and takes its place there, so that what
    /// lies further on is below this one. None: this trace is not sampled.
    pub fn begin(&self, headers: &mut HeaderMap, ids: &Ids) -> Option<Span> {
        let (trace, parent, sampled) = ids.trace()?;
        let sampled = if ids.begins_trace { rand::random_range(0..100) < self.percent } else { sampled };
        let parent = if ids.begins_trace { SpanId::INVALID } else { SpanId::from(parent) };
        let (trace, own) = (TraceId::from(trace), SpanId::from(rand::random::<u64>() | 1));
        let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let traceparent = format!("00-{trace}-{own}-{:02x}", flags.to_u8());
        headers.insert(TRACEPARENT, HeaderValue::try_from(traceparent).ok()?);
        let context = SpanContext::new(trace, own, flags, false, TraceState::NONE);
        sampled.then(|| Span { context, parent, started: SystemTime::now() })
    }

    /// `failed`: a short word for what went wrong.
    pub fn end(&self, span: Span, kind: SpanKind, name: String, attributes: Vec<KeyValue>, failed: Option<String>) {
        let Span { context, parent, started } = span;
        self.processor.on_end(SpanData {
            parent_span_is_remote: kind == SpanKind::Server && parent != SpanId::INVALID,
            span_context: context,
            parent_span_id: parent,
            span_kind: kind,
            name: name.into(),
            start_time: started,
            end_time: SystemTime::now(),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: failed.map_or(Status::Unset, Status::error),
            instrumentation_scope: self.scope.clone(),
        });
    }

    /// Sends what is left. Blocks until the collector has it, or has not taken it for some seconds.
    pub fn finish(&self) -> Result<()> {
        self.processor.shutdown().context("the collector did not take the last spans")
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address() {
        assert_eq!(endpoint("http://127.0.0.1:4318/").unwrap(), "http://127.0.0.1:4318");
        for wrong in ["127.0.0.1:4318", "https://collector", "http://", "grpc://collector:4317", ""] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
