//! A collector is told of requests and of the calls within them, as spans of one trace.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::host::{Host, Serve};
use crate::support::peer::{Peer, TRACES};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Ends a host, which sends the last of its spans.
async fn end(mut host: Host) {
    host.send(Signal::TERM);
    let started = Instant::now();
    assert_eq!(host.ended().await.code(), Some(0));
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
}

/// What the collector was told, with the service of each.
fn spans(collector: &Peer) -> Vec<(String, Value)> {
    let calls = collector.calls().into_iter().filter(|call| call.target == TRACES);
    let told = calls.flat_map(|call| {
        let told: Value = serde_json::from_slice(&call.body).expect("JSON");
        told["resourceSpans"].as_array().expect("a list").clone()
    });
    told.flat_map(|resource| {
        let service = attribute(&resource["resource"], "service.name")["stringValue"].clone();
        let service = service.as_str().expect("a name").to_owned();
        let scopes = resource["scopeSpans"].as_array().expect("a list").clone();
        let spans = scopes.into_iter().flat_map(|scope| scope["spans"].as_array().expect("a list").clone());
        spans.map(move |span| (service.clone(), span)).collect::<Vec<_>>()
    })
    .collect()
}

fn attribute(holder: &Value, name: &str) -> Value {
    let attributes = holder["attributes"].as_array().expect("a list");
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {holder:#}"))["value"].clone()
}

#[tokio::test]
async fn a_request_and_what_it_calls_are_one_trace() {
    let collector = Peer::start().await;
    let endpoint = format!("http://{}", collector.address);
    let serve = |guest, name| Serve::guest(guest).arg("--name", name).arg("--otlp-endpoint", &endpoint);
    let products = serve("echo", "products").start().await;
    let cart = serve("outbound", "cart").peer("products", products.address).start().await;
    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let headers =
        [("traceparent", traceparent.as_str()), ("x-request-id", "r1"), ("x-target", "http://products/a?b=c")];
    cart.get_with("/", &headers).await.expect_status(200);
    // Not sampled by its caller, so not by anybody.
    let unsampled = traceparent.replace("-01", "-00");
    cart.get_with("/", &[("traceparent", unsampled.as_str()), ("x-target", "http://products/")])
        .await
        .expect_status(200);
    end(cart).await;
    end(products).await;

    let spans = spans(&collector);
    let find = |service: &str, kind: u64| {
        let found: Vec<_> =
            spans.iter().filter(|(of, span)| of == service && span["kind"] == kind).map(|(_, span)| span).collect();
        assert_eq!(found.len(), 1, "{service} {kind}: {spans:#?}");
        found[0].clone()
    };
    let (server, client) = (2, 3);
    let (first, call, second) = (find("cart", server), find("cart", client), find("products", server));
    for (span, parent) in [(&first, &Value::from(CALLER)), (&call, &first["spanId"]), (&second, &call["spanId"])] {
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&Value::from(TRACE), parent), "{spans:#?}");
    }
    assert_eq!(attribute(&first, "comptoir.request_id")["stringValue"], "r1");
    assert_eq!(attribute(&first, "http.route")["stringValue"], "unmatched");
    assert_eq!(
        (&call["name"], &attribute(&call, "server.address")["stringValue"]),
        (&"GET products".into(), &"products".into())
    );
    assert_eq!(attribute(&second, "url.path")["stringValue"], "/a");
}

#[tokio::test]
async fn a_request_without_a_trace_begins_one() {
    let collector = Peer::start().await;
    let serve = || Serve::guest("echo").arg("--otlp-endpoint", format!("http://{}", collector.address));
    let host = serve().start().await;
    let answer = host.get("/").await.expect_status(200);
    let seen = answer.header("seen-traceparent").expect("the guest has a trace").to_owned();
    end(host).await;
    let told = spans(&collector);
    let [(_, span)] = told.as_slice() else { panic!("{told:#?}") };
    assert!(span["parentSpanId"].as_str().is_none_or(str::is_empty), "{span:#}");
    let of_span = |key: &str| span[key].as_str().expect("an id").to_owned();
    assert_eq!(seen, format!("00-{}-{}-01", of_span("traceId"), of_span("spanId")));

    let host = serve().arg("--trace-percent", "0").start().await;
    host.get("/").await.expect_status(200);
    end(host).await;
    assert_eq!(spans(&collector).len(), 1);
}

/// A failure is one for the collector too; and a collector that is away is nobody's problem.
#[tokio::test]
async fn a_collector_that_is_away_costs_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let host = Serve::guest("faults").arg("--otlp-endpoint", format!("http://{nobody}")).start().await;
    for _ in 0..20 {
        host.get("/").await.expect_status(200);
    }
    host.get("/trap").await.expect_status(500);
    end(host).await;
}
