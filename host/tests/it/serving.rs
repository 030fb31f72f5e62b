//! Components of every kind are served, bodies stream, and every answer says who gave it.

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::client::{self, Client, next_chunk};
use crate::support::database::Database;
use crate::support::host::Serve;
use crate::support::{guest, in_time};

#[tokio::test]
pub async fn a_plain_component_is_served() {
    let host = Serve::guest("echo").start().await;
    let answer = host.post("/any/path?query", "the body").await.expect_status(200);
    assert_eq!(answer.text(), "the body");
    assert_eq!(host.component().await["current"]["wasi_http"], "0.3");
}

#[tokio::test]
pub async fn a_component_of_wasi_0_2_is_served() {
    let host = Serve::guest("p2-hello").start().await;
    let answer = host.post("/", "the body").await.expect_status(200);
    assert_eq!(answer.text(), "hello from 0.2\nthe body");
    assert_eq!(host.component().await["current"]["wasi_http"], "0.2");
}

#[tokio::test]
pub async fn a_service_of_the_sdk_is_served() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").database(&database).start().await;
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
    assert_eq!(host.get("/health").await.expect_status(200).json()["service"], "sdk-hello");
    host.get("/ready").await.expect_status(200);
    let missing = host.get("/nowhere").await;
    assert_eq!(missing.expect_problem(404, "not-found")["instance"], "/nowhere");
    host.post("/hello", "").await.expect_problem(405, "method-not-allowed");
}

/// Outside harnesses start a host so, and read the first line that it writes.
#[tokio::test]
async fn a_host_that_is_told_next_to_nothing_says_first_where_it_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let component = folder.path().join("An.Odd name.wasm");
    std::fs::write(&component, guest::bytes("echo")).expect("a component");
    for _ in 0..2 {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_comptoir"))
            .arg("serve")
            .arg(&component)
            .args(["--listen", "127.0.0.1:0"])
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a host");
        let mut first = String::new();
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        // The first that is no record of the log: a component that is new is compiled before.
        while first.is_empty() || first.starts_with('{') {
            first.clear();
            in_time("a line", lines.read_line(&mut first)).await.expect("a line");
        }
        let url = first.trim().strip_prefix("Serving HTTP on ").unwrap_or_else(|| panic!("{first}"));
        let answer = Client::fresh().get(format!("{url}x")).await.expect_status(200);
        assert_eq!(answer.header("x-served-by"), Some("an-odd-name"));
        let pid = Pid::from_raw(child.id().expect("a running process").cast_signed()).expect("a process");
        kill_process(pid, Signal::INT).expect("a running process");
        assert_eq!(in_time("its end", child.wait()).await.expect("an end").code(), Some(0));
    }
}

#[tokio::test]
async fn every_answer_says_who_gave_it() {
    let host = Serve::guest("echo").arg("--served-by", "echo-2").start().await;
    // The component claims to be somebody else.
    let answer = host.get("/").await.expect_status(200);
    assert_eq!(answer.header("x-served-by"), Some("echo-2"));
    assert_eq!(answer.headers.get_all("x-served-by").iter().count(), 1);
    assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);

    let host = Serve::guest("faults").arg("--request-timeout-ms", "300").start().await;
    let answers = [
        host.get("/").await.expect_status(200),
        host.get("/trap").await.expect_status(500),
        host.get("/error").await.expect_status(500),
        host.get("/slow?ms=10000").await.expect_status(504),
    ];
    for answer in answers {
        assert_eq!(answer.header("x-served-by"), Some("faults"), "{answer:?}");
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 32), "{answer:?}");
    }
}

#[tokio::test]
async fn a_good_request_id_is_kept_and_a_bad_one_replaced() {
    let host = Serve::guest("echo").start().await;
    let long = "x".repeat(129);
    for (given, kept) in [("a-b_c.1", true), (&long[..128], true), (&long, false), ("a b", false), ("", false)] {
        let answer = host.get_with("/", &[("x-request-id", given)]).await.expect_status(200);
        let id = answer.header("x-request-id").expect("an id");
        assert_eq!(id == given, kept, "{given:?} became {id:?}");
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
        assert_eq!(answer.header("seen-x-request-id"), Some(id), "what the component sees");
    }
    let first = host.get("/").await;
    assert_ne!(first.header("x-request-id"), host.get("/").await.header("x-request-id"));
}

#[tokio::test]
async fn a_trace_context_is_kept_or_made() {
    let host = Serve::guest("echo").start().await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = host.get_with("/", &[("traceparent", given)]).await;
    assert_eq!(answer.header("seen-traceparent"), Some(given));
    for headers in [&[][..], &[("traceparent", "junk")]] {
        let answer = host.get_with("/", headers).await;
        let made = answer.header("seen-traceparent").expect("a trace context");
        assert!(made.starts_with("00-") && made.len() == given.len(), "{made}");
    }
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    for (guest, greeting) in [("echo", ""), ("p2-hello", "hello from 0.2\n")] {
        let host = Serve::guest(guest).start().await;
        let (sender, body) = client::chunked();
        let request = http::Request::post(host.url("/")).body(body).expect("a request");
        let mut answer = Client::keep_alive().open(request).await.into_body();
        let mut received = String::new();
        let mut expected = greeting.to_owned();
        // Every part comes back before the next one is sent.
        for part in ["one", "two", "three"] {
            sender.send(part.into()).expect("the request is still read");
            expected.push_str(part);
            while received.len() < expected.len() {
                let chunk = next_chunk(&mut answer).await.expect("the body goes on");
                received.push_str(std::str::from_utf8(&chunk).expect("text"));
            }
            assert_eq!(received, expected, "{guest}");
        }
        drop(sender);
        assert_eq!(next_chunk(&mut answer).await, None, "{guest}");
    }
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let pattern = |bytes: usize| (0..bytes).map(|position| (position % 251) as u8).collect::<Vec<u8>>();
    let host = Serve::guest("echo").start().await;
    let sent = pattern(5_000_000);
    let answer = host.post("/", sent.clone()).await.expect_status(200);
    assert!(answer.body == sent, "{} bytes came back", answer.body.len());

    let host = Serve::guest("faults").start().await;
    let answer = host.get("/big?bytes=20000000").await.expect_status(200);
    assert!(answer.body == pattern(20_000_000), "{} bytes arrived", answer.body.len());
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_whole() {
    let host = Serve::guest("faults").start().await;
    let cut = Client::fresh().try_send(client::get(&host.url("/break"))).await;
    assert!(cut.is_err(), "{cut:?}");
    host.get("/").await.expect_status(200);
}

#[tokio::test]
async fn a_head_request_leaves_its_connection_usable() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").database(&database).start().await;
    let client = Client::keep_alive();
    for _ in 0..3 {
        let head = client.send(client::request(Method::HEAD, &host.url("/hello"), &[])).await.expect_status(200);
        assert!(head.body.is_empty());
        client.get(host.url("/hello")).await.expect_status(200);
    }
}

#[tokio::test]
async fn an_old_client_is_served() {
    let host = Serve::guest("echo").start().await;
    let mut stream = TcpStream::connect(host.address).await.expect("a connection");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("a request");
    let mut answer = String::new();
    // To the end of the connection: this client knows no chunks.
    in_time("the connection ends", stream.read_to_string(&mut answer)).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("x-served-by: echo\r\n") && !answer.contains("chunked"), "{answer}");
}

#[tokio::test]
async fn a_client_that_speaks_no_http_is_told_so() {
    let host = Serve::guest("echo").start().await;
    for nonsense in ["nonsense\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n"] {
        let mut stream = TcpStream::connect(host.address).await.expect("a connection");
        stream.write_all(nonsense.as_bytes()).await.expect("the host reads");
        let mut answer = String::new();
        in_time("the connection ends", stream.read_to_string(&mut answer)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {answer:?}");
    }
}

/// The next request is there already; that is no reason to keep back the answer to the first.
#[tokio::test]
async fn a_client_that_asks_ahead_is_answered_in_turn() {
    let host = Serve::guest("faults").start().await;
    let mut stream = TcpStream::connect(host.address).await.expect("a connection");
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let both = request("/stream?chunks=2&pause_ms=700") + &request("/length");
    stream.write_all(both.as_bytes()).await.expect("the host reads");
    let mut answer = String::new();
    let mut heard = Vec::new();
    while !answer.ends_with("\r\n0\r\n\r\n") || answer.matches("HTTP/1.1 200 OK").count() < 2 {
        let mut buffer = [0; 4096];
        let bytes = in_time("the answers go on", stream.read(&mut buffer)).await.expect("an answer");
        assert!(bytes > 0, "the connection ended: {answer:?}");
        answer.push_str(std::str::from_utf8(&buffer[..bytes]).expect("text"));
        heard.push(answer.clone());
    }
    let streamed = |heard: &String| heard.contains("chunk 0") && !heard.contains("chunk 1");
    assert!(heard.iter().any(streamed), "the stream came in one piece: {heard:#?}");
}

#[tokio::test]
async fn what_a_component_fails_with_is_for_the_log_alone() {
    let host = Serve::guest("faults").start().await;
    for (path, code) in [("/error", "component-error"), ("/trap", "component-trapped")] {
        let answer = host.get(path).await;
        assert_eq!(answer.expect_problem(500, code)["instance"], path);
        assert!(!answer.text().contains("secret") && !answer.text().contains("wasm"), "{}", answer.text());
    }
    let secret = |record: &Value| record["error"].as_str().is_some_and(|error| error.contains("a secret"));
    host.log.tells("the secret", secret).await;
}
