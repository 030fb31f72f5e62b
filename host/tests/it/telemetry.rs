//! Metrics exist before anything happens, and nothing that a client chooses becomes a label.

use std::path::Path;

use http::Method;
use serde_json::Value;

use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{client, eventually};

/// The families of `ARCHITECTURE.md`, each with the name of one of its samples.
const FAMILIES: &[(&str, &str)] = &[
    ("http_server_request_duration_seconds", "_count"),
    ("http_server_active_requests", ""),
    ("db_client_operation_duration_seconds", "_count"),
    ("db_client_connections", ""),
    ("db_client_connection_wait_seconds", "_count"),
    ("component_info", ""),
    ("component_instances", ""),
    ("component_instantiation_duration_seconds", "_count"),
    ("component_traps_total", ""),
    ("component_swaps_total", ""),
    ("component_swap_duration_seconds", "_count"),
    ("component_memory_bytes", ""),
    ("component_background_runs_total", ""),
    ("http_client_request_duration_seconds", "_count"),
];

async fn hello() -> (Host, Database) {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").database(&database).start().await;
    (host, database)
}

#[tokio::test]
async fn every_family_is_there_before_the_first_request() {
    let database = Database::new().await;
    let peer = "127.0.0.1:1".parse().expect("an address");
    let host = Serve::guest("background").database(&database).peer("peer", peer).start().await;
    let metrics = host.metrics().await;
    let missing: Vec<&str> = FAMILIES
        .iter()
        .filter(|(family, suffix)| metrics.find(&format!("{family}{suffix}"), &[("service", "background")]).is_none())
        .map(|(family, _)| *family)
        .collect();
    assert!(missing.is_empty(), "no series of {missing:?} in\n{}", metrics.text);
    assert!(metrics.find("process_resident_memory_bytes", &[]).is_some_and(|bytes| bytes > 0.0));
}

/// Labels whose values depend on what is served; those of all others are a closed set.
const OPEN_LABELS: &[&str] =
    &["service", "digest", "generation", "peer", "task", "http_route", "http_response_status_code"];

/// Dashboards and alerts are written against these names.
#[tokio::test]
async fn families_and_their_labels_are_those_that_are_written_down() {
    let database = Database::new().await;
    let peer = "127.0.0.1:1".parse().expect("an address");
    let host = Serve::guest("background").database(&database).peer("peer", peer).start().await;
    host.get("/items/4711").await.expect_status(200);
    host.get("/no/such/place").await.expect_status(404);
    host.post("/measure", "").await.expect_status(200);
    let invented = Method::from_bytes(b"INVENTED").expect("a method");
    client::Client::fresh().send(client::request(invented, &host.url("/hello"), &[])).await;

    let there: Vec<String> = host.metrics().await.families(OPEN_LABELS);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/telemetry/families.txt");
    let written = std::fs::read_to_string(&file).expect("the list");
    let written: Vec<&str> = written.lines().collect();
    let new: Vec<_> = there.iter().filter(|family| !written.contains(&family.as_str())).collect();
    let gone: Vec<_> = written.iter().filter(|family| !there.contains(&(**family).to_owned())).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "The metrics have changed.\nNot written down: {new:#?}\nNo longer there: {gone:#?}\n\
         A label must take few values, and none that a client or a component can choose without a bound.\n\
         If it is meant, look for the old names in dashboards and alerts, and put this into {}:\n{}",
        file.display(),
        there.join("\n")
    );
}

#[tokio::test]
async fn a_status_that_is_not_registered_is_one_label() {
    let host = Serve::guest("faults").start().await;
    for code in [418, 299, 499, 599] {
        host.get(&format!("/status?code={code}")).await.expect_status(code);
    }
    let metrics = host.metrics().await;
    let count = |status| {
        let labels = [("http_response_status_code", status)];
        metrics.find("http_server_request_duration_seconds_count", &labels)
    };
    assert_eq!([count("418"), count("_OTHER")], [Some(1.0), Some(3.0)]);
    assert_eq!([count("299"), count("499"), count("599")], [None; 3]);
}

/// Nobody who asks first waits for a login.
#[tokio::test]
async fn connections_are_open_before_the_first_request() {
    let (host, _database) = hello().await;
    let idle = async || host.metrics().await.value("db_client_connections", &[("state", "idle")]);
    eventually("a connection is open", async || idle().await >= 1.0).await;
}

#[tokio::test]
async fn counters_start_at_zero() {
    let (host, _database) = hello().await;
    // A version that comes into service has a connection tried, which nobody waits for.
    let used = async || host.metrics().await.value("db_client_connections", &[("state", "used")]);
    eventually("no connection is in use", async || used().await == 0.0).await;
    let metrics = host.metrics().await;
    for (name, label, value) in [
        ("http_server_active_requests", "service", "sdk-hello"),
        ("http_server_refused_requests_total", "limit", "requests"),
        ("http_server_refused_requests_total", "limit", "body"),
        ("db_client_operation_duration_seconds_count", "operation", "query"),
        ("db_client_operation_duration_seconds_count", "operation", "commit"),
        ("db_client_connections", "state", "transaction"),
        ("component_traps_total", "reason", "trap"),
        ("component_traps_total", "reason", "timeout"),
        ("component_traps_total", "reason", "memory"),
        ("component_swaps_total", "outcome", "refused"),
    ] {
        assert_eq!(metrics.value(name, &[(label, value)]), 0.0, "{name} {label} {value}");
    }
    assert_eq!(metrics.value("component_swaps_total", &[("outcome", "switched")]), 1.0);
}

#[tokio::test]
async fn a_route_is_a_template_and_stays_inside() {
    let (host, _database) = hello().await;
    for path in ["/items/4711?token=hunter2", "/items/secret-id", "/no/such/place-9999"] {
        let answer = host.get(path).await;
        let private: Vec<_> = answer.headers.keys().filter(|name| name.as_str().contains("comptoir")).collect();
        assert!(private.is_empty(), "{path}: {private:?}");
    }
    host.get("/hello").await.expect_status(200);
    let invented = Method::from_bytes(b"INVENTED").expect("a method");
    client::Client::fresh().send(client::request(invented, &host.url("/hello"), &[])).await;

    let metrics = host.metrics().await;
    let count = |route, status| {
        let labels = [("service", "sdk-hello"), ("http_route", route), ("http_response_status_code", status)];
        metrics.value("http_server_request_duration_seconds_count", &labels)
    };
    assert_eq!(count("/items/{id}", "200"), 2.0);
    assert_eq!(count("/hello", "200"), 1.0);
    assert_eq!(count("unmatched", "404"), 1.0);
    for raw in ["4711", "hunter2", "secret-id", "place-9999", "INVENTED", "/no/such"] {
        assert!(!metrics.text.contains(raw), "{raw} is in\n{}", metrics.text);
    }
    let methods = metrics.label_values("http_request_method");
    assert!(methods.contains(&"_OTHER"), "{methods:?}");
}

#[tokio::test]
async fn a_plain_component_has_one_route() {
    let host = Serve::guest("echo").start().await;
    for path in ["/a", "/b", "/c"] {
        host.get(path).await.expect_status(200);
    }
    let metrics = host.metrics().await;
    let mut routes = metrics.label_values("http_route");
    routes.dedup();
    assert_eq!(routes, ["unmatched"]);
}

#[tokio::test]
async fn what_the_host_answers_is_counted_as_its_own() {
    let host = Serve::guest("faults").start().await;
    host.get("/trap").await.expect_status(500);
    let metrics = host.metrics().await;
    let labels = [("http_route", "host"), ("http_response_status_code", "500")];
    assert_eq!(metrics.value("http_server_request_duration_seconds_count", &labels), 1.0);
    assert_eq!(metrics.value("component_traps_total", &[("service", "faults"), ("reason", "trap")]), 1.0);
}

#[tokio::test]
async fn database_operations_are_counted() {
    let database = Database::new().await;
    let host = Serve::guest("database").database(&database).start().await;
    let before = host.metrics().await;
    host.post("/insert", "").await.expect_status(200);
    host.post("/rollback", "").await.expect_status(200);
    let after = host.metrics().await;
    for (operation, count) in [("execute", 2.0), ("begin", 1.0), ("rollback", 1.0), ("commit", 0.0)] {
        let labels = [("operation", operation), ("outcome", "ok")];
        let name = "db_client_operation_duration_seconds_count";
        assert_eq!(after.value(name, &labels) - before.value(name, &labels), count, "{operation}");
    }
    assert!(after.value("db_client_connections", &[("state", "idle")]) >= 1.0);
}

#[tokio::test]
async fn a_service_measures_and_logs_in_its_own_name() {
    let (host, _database) = hello().await;
    host.post("/measure", "").await.expect_status(200);
    let metrics = host.metrics().await;
    let labels = [("service", "sdk-hello"), ("language", "fr")];
    assert_eq!(metrics.value("greetings_total", &labels), 2.0);
    // Families that begin like the host's are the host's.
    assert_eq!(metrics.find("http_forged_total", &[]), None);
    assert_eq!(metrics.value("comptoir_guest_metrics_dropped_total", &[]), 1.0);
    let logged = |record: &Value| record["message"] == "greeted" && record["service"] == "sdk-hello";
    host.log.tells("of the greeting", logged).await;
}

#[tokio::test]
async fn the_admin_port_tells_what_there_is() {
    let (host, _database) = hello().await;
    assert!(host.admin("/").await.expect_status(200).text().contains("/metrics"));
    host.admin("/live").await.expect_status(200);
    assert_eq!(host.admin("/ready").await.expect_status(200).json()["ready"], true);
    host.admin("/nonsense").await.expect_status(404);
    let component = host.component().await;
    assert_eq!(component["service"], "sdk-hello");
    assert_eq!(component["address"], host.address.to_string());
    assert_eq!(component["current"]["generation"], 1);
    assert_eq!(component["current"]["digest"].as_str().map(str::len), Some(64));
    assert!(component["previous"].is_null() && component["last_refusal"].is_null(), "{component:#}");
}
