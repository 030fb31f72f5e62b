//! Log lines say whose they are and which request they are about, and no component forges or floods them.

use serde_json::Value;

use crate::support::client::{self, Client};
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{eventually, guest};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn hello(format: &str) -> (Host, Database) {
    let database = Database::new().await;
    let serve = Serve::guest("sdk-hello").admin_token().database(&database);
    (serve.arg("--log-format", format).start().await, database)
}

/// The ids of a request, and the headers that give it them.
struct Named {
    id: &'static str,
    traceparent: String,
}

impl Named {
    fn new(id: &'static str) -> Self {
        Self { id, traceparent: format!("00-{TRACE}-00f067aa0ba902b7-01") }
    }

    async fn send(&self, host: &Host, method: http::Method, path: &str) -> client::Response {
        let headers = [("x-request-id", self.id), ("traceparent", self.traceparent.as_str())];
        Client::fresh().send(client::request(method, &host.url(path), &headers)).await
    }

    fn is_told_by(&self, record: &Value) -> bool {
        record["request_id"] == self.id && record["trace_id"] == TRACE
    }
}

#[tokio::test]
async fn a_line_of_a_component_names_its_request() {
    let (host, _database) = hello("json").await;
    let (one, another) = (Named::new("one"), Named::new("another"));
    let measure = |named: &'static str| {
        let host = &host;
        async move { Named::new(named).send(host, http::Method::POST, "/measure").await.expect_status(200) }
    };
    tokio::join!(measure("one"), measure("another"));
    let greeted = |generation: u64, named: &Named| {
        let is_told = |record: &Value| {
            record["message"] == "greeted"
                && record["service"] == "sdk-hello"
                && record["generation"] == generation
                && record["fields"] == r#"{"language":"fr"}"#
                && named.is_told_by(record)
        };
        host.log.records().iter().filter(|record| is_told(record)).count()
    };
    eventually("each line names its request", async || greeted(1, &one) == 1 && greeted(1, &another) == 1).await;
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    measure("one").await;
    eventually("the line names its generation", async || greeted(2, &one) == 1).await;
}

#[tokio::test]
async fn a_failed_request_is_told_with_its_ids() {
    let host = Serve::guest("faults").start().await;
    for (id, path) in [("failing", "/error"), ("trapping", "/trap")] {
        let named = Named::new(id);
        named.send(&host, http::Method::GET, path).await.expect_status(500);
        let told = |record: &Value| {
            record["message"] == "a request failed"
                && record["service"] == "faults"
                && record["generation"] == 1
                && named.is_told_by(record)
        };
        host.log.tells("of the request", told).await;
    }
    let told = |record: &Value| record["message"] == "an instance ended by a fault" && record["generation"] == 1;
    host.log.tells("of the instance", told).await;
}

#[tokio::test]
async fn a_refused_call_is_told_with_the_ids_that_the_component_hands_on() {
    let host = Serve::guest("outbound").start().await;
    let headers = [
        ("x-target", "http://elsewhere/"),
        ("forward-x-request-id", "calling"),
        ("forward-traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01")),
    ];
    host.get_with("/", &headers).await.expect_status(200);
    let told = |record: &Value| {
        record["authority"] == "elsewhere" && record["generation"] == 1 && Named::new("calling").is_told_by(record)
    };
    host.log.tells("of the call", told).await;
}

#[tokio::test]
async fn what_a_component_prints_is_text_in_the_log() {
    let host = Serve::guest("faults").start().await;
    host.get("/print").await.expect_status(200);
    eventually("the log has all lines", async || {
        let records = host.log.records();
        let is_ours = |record: &Value| record["service"] == "faults" && record["generation"] == 1;
        let has = |line: &str| records.iter().any(|record| is_ours(record) && record["line"] == line);
        has("first line") && has("{\"level\":\"ERROR\",\"message\":\"forged\"}") && has("a complaint")
    })
    .await;
    assert!(!host.log.has("forged"));
}

/// In neither format does a message or a field leave its line, or give orders to a terminal.
#[tokio::test]
async fn a_component_forges_no_line() {
    for format in ["json", "text"] {
        let (host, _database) = hello(format).await;
        host.post("/forge", "").await.expect_status(200);
        let forged = |line: &&String| line.contains("forged");
        eventually("the line is told", async || host.log.lines().iter().any(|line| forged(&line))).await;
        // What was written after it: nothing of the line is still to come.
        host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
        eventually("the switch is told", async || host.log.lines().iter().any(|line| line.contains("drained"))).await;
        let lines = host.log.lines();
        let told: Vec<_> = lines.iter().filter(forged).collect();
        assert_eq!(told.len(), 1, "{format}: {told:#?}");
        assert!(told[0].contains("ERROR") && told[0].contains("true"), "{format}: {told:#?}");
        let hazard = |char: char| char.is_control() || char == '\u{2028}';
        assert!(!lines.iter().any(|line| line.contains(hazard)), "{format}: {lines:#?}");
    }
}

/// Nor is a line made of a statement, which is the component's text as well; those that share a connection are sent by
/// another library than the others.
#[tokio::test]
async fn no_statement_is_told() {
    let database = Database::new().await;
    let serve = Serve::guest("database").database(&database).one_shard();
    let host = serve.arg("--database-connections", "4").arg("--log", "trace").start().await;
    eventually("a connection is shared", async || {
        host.get("/star").await.expect_status(200);
        host.metrics().await.value("db_client_connections", &[("state", "idle")]) >= 2.0
    })
    .await;
    host.get("/star").await.expect_status(200);
    let lines = host.log.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("from entries")).collect();
    assert!(told.is_empty() && lines.iter().any(|line| line.contains("TRACE")), "{told:#?}");
}

#[tokio::test]
async fn a_component_that_babbles_is_cut_short_and_the_log_says_so() {
    const LINES: u64 = 5000;
    let host = Serve::guest("faults").arg("--max-log-lines-per-second", "10").start().await;
    host.get(&format!("/babble?lines={LINES}")).await.expect_status(200);
    let written = || host.log.records().iter().filter(|record| record["message"] == "guest wrote").count() as u64;
    let told = || {
        let records = host.log.records();
        let is_told = |record: &&Value| {
            let says = |message: &str| message.starts_with("dropped log lines");
            record["service"] == "faults" && record["message"].as_str().is_some_and(says)
        };
        records.iter().filter(is_told).map(|record| record["lines"].as_u64().expect("a number")).collect::<Vec<_>>()
    };
    eventually("every line is written or told", async || written() + told().iter().sum::<u64>() == LINES).await;
    assert!(written() < LINES / 2, "{} lines were written", written());
    assert!(told().len() < 20, "one line a second: {:?}", told());
    let counted = host.metrics().await.value("component_log_lines_dropped_total", &[("service", "faults")]);
    assert_eq!(counted, told().iter().sum::<u64>() as f64);
}
