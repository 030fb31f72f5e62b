//! Guests that go for a limit, one for each: what is asked of them fails and is told, what is asked
//! of them besides goes well. How a guest that computes, traps or waits ends is in `limits`.

use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::support::client::{self, Client};
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::metrics::Metrics;
use crate::support::{DEADLINE, eventually, guest};

/// Says what it is for itself.
const GROWS: &str = include_str!("hostile/grows.wat");

/// Of the log: a message, and fields of which a part is escaped.
const MAX_LINE_BYTES: usize = 20_000;

async fn hostile(arguments: &[(&str, &str)]) -> (Host, Database) {
    let database = Database::new().await;
    let serve = Serve::guest("hostile").database(&database).one_shard();
    let serve = arguments.iter().fold(serve, |serve, (flag, value)| serve.arg(flag, value));
    (serve.start().await, database)
}

fn traps(metrics: &Metrics, reason: &str) -> f64 {
    metrics.value("component_traps_total", &[("reason", reason)])
}

fn all_traps(metrics: &Metrics) -> f64 {
    metrics.value("component_traps_total", &[])
}

/// It ends its instance, is counted under that reason, and the next request has another instance.
async fn ends_alone(host: &Host, path: &str, reason: &str) {
    let before = host.metrics().await;
    host.get(path).await.expect_problem(500, "component-trapped");
    host.get("/hello").await.expect_status(200);
    let after = host.metrics().await;
    assert_eq!(traps(&after, reason), traps(&before, reason) + 1.0, "{path}");
    assert_eq!(all_traps(&after), all_traps(&before) + 1.0, "{path}");
}

async fn grows(text: &str, flag: &str, value: &str) -> Host {
    let serve = Serve::guest("p2-hello").one_shard().arg(flag, value);
    std::fs::write(serve.component(), guest::text(text)).expect("the component");
    serve.start().await
}

/// A limit on each of several memories or tables would be a limit on none.
#[tokio::test]
async fn memories_and_tables_are_bounded_together() {
    for (path, flag, enough, not_enough) in
        [("/memories", "--max-memory-bytes", "6000000", "4000000"), ("/tables", "--max-table-elements", "1300", "1000")]
    {
        grows(GROWS, flag, enough).await.get(path).await.expect_status(200);
        let host = grows(GROWS, flag, not_enough).await;
        host.get(path).await.expect_status(500);
        host.get("/other").await.expect_status(200);
        assert_eq!(traps(&host.metrics().await, "memory"), 1.0, "{path}");
        let told = |record: &Value| {
            let names = |text: &str| text.contains(&format!("`{flag}` ({not_enough})"));
            record["message"] == "an instance ended by a fault" && record["error"].as_str().is_some_and(names)
        };
        host.log.tells("of the limit", told).await;
    }
}

/// The names of functions are a component's own, and in every backtrace.
#[tokio::test]
async fn what_is_told_of_a_trap_is_bounded() {
    let long = GROWS.replace("$tables", &format!("${}", "x".repeat(90_000)));
    let host = grows(&long, "--max-table-elements", "1000").await;
    host.get("/tables").await.expect_status(500);
    host.log.says("an instance ended by a fault").await;
    host.log.says("a request failed").await;
    let longest = host.log.lines().iter().map(String::len).max().expect("a line");
    assert!(longest < MAX_LINE_BYTES, "a line of {longest} bytes");
}

#[tokio::test]
async fn what_an_instance_keeps_is_bounded_over_all_its_requests() {
    let (host, _database) = hostile(&[("--max-memory-bytes", "16000000")]).await;
    let mut kept = 0;
    while host.get("/keep?bytes=4000000").await.status == 200 {
        kept += 1;
        let memory = host.metrics().await.value("component_memory_bytes", &[]);
        assert!(memory < 16_000_000.0, "{memory} bytes");
    }
    assert!((2..4).contains(&kept), "{kept} times 4 MB of 16");
    host.get("/keep?bytes=4000000").await.expect_status(200);
    assert_eq!(traps(&host.metrics().await, "memory"), 1.0);
}

#[tokio::test]
async fn resources_that_a_guest_holds_are_bounded() {
    let (host, _database) = hostile(&[("--max-handles", "500")]).await;
    ends_alone(&host, "/handles", "trap").await;
}

#[tokio::test]
async fn what_one_call_hands_to_the_host_is_bounded() {
    let (host, _database) = hostile(&[("--max-call-bytes", "100000")]).await;
    for path in ["/parameters?count=1&bytes=200000", "/lines?count=1&bytes=200000", "/headers?bytes=200000"] {
        ends_alone(&host, path, "trap").await;
    }
}

#[tokio::test]
pub async fn what_a_statement_may_be_and_bring_is_bounded() {
    let limits = [("--max-rows", "100"), ("--max-result-bytes", "100000"), ("--statement-timeout-ms", "200")];
    let (host, database) = hostile(&limits).await;
    let count = async |outcome: &str| {
        let name = "db_client_operation_duration_seconds_count";
        host.metrics().await.find(name, &[("outcome", outcome)]).unwrap_or(0.0)
    };
    for (path, error, outcome) in [
        ("/statement?bytes=70000", "Limit", "limit"),
        ("/parameters?count=2&bytes=1", "InvalidParameter", "invalid-parameter"),
        // More than the protocol can count.
        ("/parameters?count=70000&bytes=1", "InvalidParameter", "invalid-parameter"),
        ("/rows?count=101&bytes=1", "Limit", "limit"),
        ("/rows?count=2&bytes=90000", "Limit", "limit"),
        ("/rows?count=1000000&bytes=10000", "Limit", "limit"),
        ("/sleep?ms=30000", "Timeout", "timeout"),
    ] {
        let before = count(outcome).await;
        let told = host.get(path).await.expect_status(200).json();
        assert!(told["error"].as_str().is_some_and(|text| text.starts_with(error)), "{path}: {told:#}");
        assert_eq!(host.get("/rows?count=1&bytes=1").await.expect_status(200).json()["rows"], 1, "after {path}");
        assert_eq!(count(outcome).await, before + 1.0, "{path}");
    }
    database.at_rest().await;
    assert_eq!(host.metrics().await.value("db_client_connections", &[("state", "used")]), 0.0);
}

/// What a guest measures is in the host's memory, and in every scrape.
#[tokio::test]
async fn what_a_guest_measures_is_bounded() {
    const MAX_SCRAPE_BYTES: usize = 6_000_000;
    let (host, _database) = hostile(&[]).await;
    for path in ["/series?families=1&series=400", "/series?families=300&series=1", "/series?families=300&series=100"] {
        host.get(path).await.expect_status(200);
    }
    host.get("/hello").await.expect_status(200);
    let full = host.metrics().await;
    let series = full.text.lines().filter(|line| line.starts_with("hostile_") && line.contains("_seconds_count{"));
    assert_eq!(series.count(), 500);
    let families = full.families(&[]).into_iter().filter(|family| family.starts_with("histogram hostile_"));
    assert_eq!(families.count(), 50);
    assert!(full.text.len() < MAX_SCRAPE_BYTES, "a scrape of {} bytes", full.text.len());
    assert!(full.value("comptoir_guest_metrics_dropped_total", &[]) > 29_000.0);
    // What is there goes on.
    let count = "hostile_0_seconds_count";
    host.get("/series?families=1&series=1").await.expect_status(200);
    assert_eq!(host.metrics().await.value(count, &[]), full.value(count, &[]) + 1.0);
}

/// Of those that a component says have matched.
#[tokio::test]
async fn routes_are_bounded_together_with_their_statuses() {
    let host = Serve::guest("faults").start().await;
    let statuses = [200, 201, 202, 203, 204, 205, 400, 401, 402, 403, 404, 405, 406, 408];
    for number in 0..100 {
        for code in statuses {
            host.get(&format!("/route?number={number}&code={code}")).await.expect_status(code);
        }
    }
    let metrics = host.metrics().await;
    let name = "http_server_request_duration_seconds_count{";
    let series = metrics.text.lines().filter(|line| line.starts_with(name)).count();
    assert!(series <= 1000 + 2 * statuses.len(), "{series} series");
    let requests = metrics.value(name.trim_end_matches('{'), &[]);
    assert!(requests >= 1400.0, "{requests} requests were counted");
}

#[tokio::test]
async fn lines_are_bounded_in_number_and_length() {
    const LINES: usize = 300;
    let (host, _database) = hostile(&[("--max-log-lines-per-second", "20")]).await;
    host.get(&format!("/lines?count={LINES}&bytes=100000")).await.expect_status(200);
    host.get("/hello").await.expect_status(200);
    let dropped = host.metrics().await.value("component_log_lines_dropped_total", &[]);
    let lines = || host.log.lines().into_iter().filter(|line| line.contains("hostile xxx")).collect::<Vec<_>>();
    eventually("every line is written or counted", async || lines().len() as f64 + dropped == LINES as f64).await;
    assert!(dropped > 0.0);
    let longest = lines().iter().map(String::len).max().expect("a line");
    assert!(longest < MAX_LINE_BYTES, "a line of {longest} bytes");
}

#[tokio::test]
async fn headers_of_a_response_are_bounded() {
    let (host, _database) = hostile(&[]).await;
    host.get("/headers?bytes=50000").await.expect_status(200);
    host.get("/headers?bytes=200000").await.expect_problem(500, "component-error");
    host.get("/hello").await.expect_status(200);
    let answered = [("http_route", "host"), ("http_response_status_code", "500")];
    assert_eq!(host.metrics().await.value("http_server_request_duration_seconds_count", &answered), 1.0);
    let told = |record: &Value| {
        record["code"] == "component-error"
            && record["error"].as_str().is_some_and(|error| error.contains("SizeExceeded"))
    };
    host.log.tells("of the headers", told).await;
}

/// To a client that reads as fast as it can.
#[tokio::test]
async fn a_stream_without_an_end_is_cut_off() {
    let (host, _database) = hostile(&[("--stream-timeout-ms", "500")]).await;
    let started = Instant::now();
    let mut body = Client::fresh().open(client::get(&host.url("/endless"))).await.into_body();
    let mut bytes = 0;
    let end = loop {
        match body.frame().await.expect("no good end") {
            Ok(frame) => bytes += frame.into_data().map_or(0, |data| data.len()),
            Err(error) => break error,
        }
        assert!(started.elapsed() < DEADLINE / 3, "{bytes} bytes");
    };
    assert!(started.elapsed() >= Duration::from_millis(500) && bytes > 0, "{bytes} bytes: {end}");
    host.get("/hello").await.expect_status(200);
    eventually("its place is free", async || host.metrics().await.value("http_server_active_requests", &[]) == 0.0)
        .await;
}
