//! Limits hold, are said politely, and hurt only who goes over them.

use std::cell::Cell;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::{self, Client, next_chunk};
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{DEADLINE, eventually};

fn faults() -> Serve {
    Serve::guest("faults").one_shard()
}

/// Answers of an instance's number, one after the other, while something else goes on.
async fn answers_meanwhile(host: &Host, count: usize) {
    for _ in 0..count {
        host.get("/").await.expect_status(200);
    }
}

async fn it_spins(host: &Host) {
    eventually("the guest spins", async || host.log.text().contains("spins from now on")).await;
}

async fn instance(host: &Host) -> String {
    host.get("/").await.expect_status(200).text().to_owned()
}

#[tokio::test]
async fn a_body_of_a_declared_length_over_the_limit_is_refused() {
    let host = faults().arg("--max-request-body-bytes", "1000").start().await;
    assert_eq!(host.post("/length", vec![0; 1000]).await.expect_status(200).text(), "1000");
    host.post("/length", vec![0; 1001]).await.expect_problem(413, "body-too-large");
    assert_eq!(host.metrics().await.value("http_server_refused_requests_total", &[("limit", "body")]), 1.0);
}

#[tokio::test]
async fn a_body_of_unknown_length_over_the_limit_is_refused() {
    let host = faults().arg("--max-request-body-bytes", "1000").start().await;
    for (bytes, status) in [(1000, 200), (1001, 413), (2000, 413)] {
        let (sender, body) = client::chunked();
        for chunk in vec![0; bytes].chunks(300) {
            sender.send(chunk.to_vec().into()).expect("a receiver");
        }
        drop(sender);
        let request = http::Request::post(host.url("/length")).body(body).expect("a request");
        let answer = Client::fresh().send(request).await;
        assert_eq!(answer.status, status, "{bytes} bytes: {answer:?}");
        if status == 413 {
            answer.expect_problem(413, "body-too-large");
        }
    }
    answers_meanwhile(&host, 3).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whatever_a_service_makes_of_it() {
    let database = Database::new().await;
    let serve = Serve::guest("sdk-hello").database(&database);
    let host = serve.arg("--max-request-body-bytes", "1000").start().await;
    let (sender, body) = client::chunked();
    sender.send(vec![0; 2000].into()).expect("a receiver");
    drop(sender);
    let request = http::Request::post(host.url("/length")).body(body).expect("a request");
    Client::fresh().send(request).await.expect_problem(413, "body-too-large");
    assert_eq!(host.post("/length", vec![0; 1000]).await.expect_status(200).text(), "1000");
}

#[tokio::test]
async fn headers_have_a_limit() {
    let host = faults().arg("--max-request-header-bytes", "20000").start().await;
    host.get_with("/", &[("x-long", &"x".repeat(18_000))]).await.expect_status(200);
    host.get_with("/", &[("x-long", &"x".repeat(20_001))]).await.expect_status(431);
    // Without an end, until the host has enough of it.
    let mut stream = TcpStream::connect(host.address).await.expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ").await.expect("the host reads");
    let mut answer = [0; 1024];
    let (mut sent, mut answered) = (0, None);
    while answered.is_none() {
        assert!(sent < 80_000, "{sent} bytes of headers were taken");
        stream.write_all(&[b'x'; 1000]).await.expect("the host reads");
        sent += 1000;
        answered = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut answer)).await.ok();
    }
    assert!(sent >= 20_000, "{sent} bytes");
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
    host.get("/").await.expect_status(200);
}

#[tokio::test]
async fn more_requests_than_the_limit_are_turned_away() {
    let host = faults().arg("--max-requests", "3").start().await;
    let requests = (0..8).map(|_| host.get("/slow?ms=700"));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.expect_problem(503, "service-overloaded");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(host.metrics().await.value("http_server_refused_requests_total", &[("limit", "requests")]), 5.0);
    answers_meanwhile(&host, 4).await;
}

/// A streaming body holds its place until it is over.
#[tokio::test]
async fn a_stream_counts_as_a_request() {
    let host = faults().arg("--max-requests", "1").start().await;
    let stream = Client::fresh().open(client::get(&host.url("/stream?chunks=1000&pause_ms=20"))).await;
    host.get("/").await.expect_problem(503, "service-overloaded");
    drop(stream);
    eventually("the place is free", async || host.get("/").await.status == 200).await;
}

#[tokio::test]
async fn more_connections_than_the_limit_wait() {
    let host = faults().arg("--max-connections", "2").start().await;
    let connect = async || {
        let mut stream = TcpStream::connect(host.address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
        stream
    };
    let answered = async |stream: &mut TcpStream, patience: Duration| {
        let answer = tokio::time::timeout(patience, stream.read(&mut [0; 1024])).await;
        answer.is_ok_and(|read| read.is_ok_and(|bytes| bytes > 0))
    };
    let (mut first, mut second, mut third) = (connect().await, connect().await, connect().await);
    assert!(answered(&mut first, DEADLINE).await && answered(&mut second, DEADLINE).await);
    assert!(!answered(&mut third, Duration::from_millis(300)).await, "a third connection was served");
    drop(first);
    assert!(answered(&mut third, DEADLINE).await, "a place was free");
}

/// Nor does it keep its place for ever.
#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let host = faults().arg("--write-timeout-ms", "300").arg("--max-requests", "1").start().await;
    let mut stream = TcpStream::connect(host.address).await.expect("a connection");
    let request = "GET /big?bytes=2000000000 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("the host reads");
    stream.readable().await.expect("an answer begins");
    eventually("the place is free", async || host.get("/").await.status == 200).await;
}

#[tokio::test]
async fn more_instances_than_the_limit_are_not_made_and_requests_wait() {
    let serve = Serve::guest("p2-hello").one_shard().arg("--max-instances", "2");
    let host = serve.start().await;
    let crowd = futures_util::future::join_all((0..30).map(|_| host.get("/"))).await;
    for answer in crowd {
        answer.expect_status(200);
    }
    let made = host.metrics().await.value("component_instantiation_duration_seconds_count", &[]);
    assert!(made <= 2.0, "{made} instances");
}

/// What a client does not read waits in the guest, not in the host.
#[tokio::test]
async fn a_client_that_does_not_read_costs_no_memory() {
    let host = faults().start().await;
    let resident = async || host.metrics().await.value("process_resident_memory_bytes", &[]);
    let before = resident().await;
    let mut stream = TcpStream::connect(host.address).await.expect("a connection");
    let request = "GET /big?bytes=2000000000 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("the host reads");
    stream.readable().await.expect("an answer begins");
    let watch = Instant::now();
    while watch.elapsed() < Duration::from_secs(1) {
        let grown = resident().await - before;
        assert!(grown < 50_000_000.0, "{grown} bytes more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    host.get("/").await.expect_status(200);
}

#[tokio::test]
async fn a_guest_that_is_slow_is_given_up() {
    let host = faults().arg("--request-timeout-ms", "400").start().await;
    let started = Instant::now();
    let (slow, ()) = tokio::join!(host.get("/slow?ms=60000"), answers_meanwhile(&host, 20));
    slow.expect_problem(504, "deadline-exceeded");
    assert!(started.elapsed() < DEADLINE / 3, "{:?}", started.elapsed());
    answers_meanwhile(&host, 3).await;
}

/// Whoever comes while it spins is answered before it has been given up.
async fn holds_up_nobody(path: &str) {
    let host = faults().arg("--request-timeout-ms", "3000").start().await;
    let given_up = Cell::new(false);
    let spinning = async {
        host.get(path).await.expect_problem(504, "deadline-exceeded");
        given_up.set(true);
    };
    tokio::join!(spinning, async {
        it_spins(&host).await;
        answers_meanwhile(&host, 10).await;
        assert!(!given_up.get(), "the others were answered only when the guest had been given up");
    });
    eventually("the instance is gone", async || {
        host.metrics().await.value("component_traps_total", &[("reason", "timeout")]) == 1.0
    })
    .await;
    answers_meanwhile(&host, 3).await;
}

#[tokio::test]
async fn a_guest_that_spins_is_given_up_and_holds_up_nobody() {
    holds_up_nobody("/spin").await;
}

/// One that has waited for something before has shown that it can take other requests meanwhile.
#[tokio::test]
async fn a_guest_that_spins_after_it_has_waited_holds_up_nobody() {
    holds_up_nobody("/wait-then-spin").await;
}

/// Nor does the deadline for streams help it.
#[tokio::test]
async fn a_guest_that_spins_while_it_streams_is_given_up_as_any_other() {
    let host = faults().arg("--request-timeout-ms", "400").start().await;
    let started = Instant::now();
    let mut stream = Client::fresh().open(client::get(&host.url("/stream-then-spin"))).await.into_body();
    assert_eq!(next_chunk(&mut stream).await.as_deref(), Some(&b"the beginning\n"[..]));
    it_spins(&host).await;
    answers_meanwhile(&host, 10).await;
    eventually("the instance is gone", async || {
        host.metrics().await.value("component_traps_total", &[("reason", "timeout")]) == 1.0
    })
    .await;
    assert!(started.elapsed() < DEADLINE / 3, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_small_body_that_was_promised_has_the_deadline_of_its_head() {
    let host = faults().arg("--request-timeout-ms", "400").start().await;
    let (promised, ()) = tokio::join!(host.get("/promise"), answers_meanwhile(&host, 10));
    promised.expect_problem(504, "deadline-exceeded");
}

/// A deadline of the stream, and not of an instance that others keep busy.
#[tokio::test]
async fn a_stream_is_cut_off_at_its_deadline_and_others_are_not() {
    let host = faults().arg("--stream-timeout-ms", "400").start().await;
    let started = Instant::now();
    let before = instance(&host).await;
    let mut stream =
        Client::fresh().open(client::get(&host.url("/stream?chunks=100000&pause_ms=20"))).await.into_body();
    let (chunks, ()) = tokio::join!(
        async {
            let mut chunks = 0;
            while let Some(Ok(frame)) = stream.frame().await {
                chunks += usize::from(frame.is_data());
            }
            chunks
        },
        answers_meanwhile(&host, 50)
    );
    assert!(chunks > 1, "{chunks}");
    assert!(started.elapsed() < DEADLINE / 3, "{:?}", started.elapsed());
    assert_eq!(instance(&host).await, before, "the instance was ended with it");
    let broken = host.metrics().await;
    let broken = |reason| broken.value("http_server_broken_responses_total", &[("reason", reason)]);
    assert_eq!([broken("deadline"), broken("component")], [1.0, 0.0]);
}

#[tokio::test]
async fn a_crowd_has_as_few_instances_as_it_needs() {
    let host = faults().arg("--instance-concurrency", "20").start().await;
    let crowd = futures_util::future::join_all((0..100).map(|_| host.get("/slow?ms=300"))).await;
    for answer in crowd {
        answer.expect_status(200);
    }
    let made = host.metrics().await.value("component_instantiation_duration_seconds_count", &[]);
    assert!((5.0..=7.0).contains(&made), "{made} instances for 100 requests, 20 each");
}

/// One request an instance: else one that is answered at that moment may share the instance of one that begins to spin,
/// and ends with it.
#[tokio::test]
async fn many_guests_that_spin_are_all_given_up() {
    let host = faults().arg("--request-timeout-ms", "400").arg("--instance-concurrency", "1").start().await;
    let spinning = futures_util::future::join_all((0..6).map(|_| host.get("/spin")));
    let (spun, ()) = tokio::join!(spinning, answers_meanwhile(&host, 3));
    for answer in spun {
        answer.expect_problem(504, "deadline-exceeded");
    }
    answers_meanwhile(&host, 3).await;
}

/// The deadline is one for the head of a response: a body may take as long as it likes.
#[tokio::test]
async fn a_stream_may_take_longer_than_the_deadline() {
    let host = faults().arg("--request-timeout-ms", "300").start().await;
    let mut stream = Client::fresh().open(client::get(&host.url("/stream?chunks=20&pause_ms=60"))).await.into_body();
    let mut chunks = 0;
    while let Some(chunk) = next_chunk(&mut stream).await {
        chunks += std::str::from_utf8(&chunk).expect("text").lines().count();
    }
    assert_eq!(chunks, 20);
}

#[tokio::test]
async fn a_guest_without_an_end_to_its_memory_ends_alone() {
    let mut host = faults().arg("--max-memory-bytes", "16000000").start().await;
    host.get("/allocate").await.expect_problem(500, "component-trapped");
    assert!(host.is_running());
    answers_meanwhile(&host, 3).await;
    let metrics = host.metrics().await;
    assert_eq!(metrics.value("component_traps_total", &[("reason", "memory")]), 1.0);
    let memory = metrics.value("component_memory_bytes", &[]);
    assert!(0.0 < memory && memory < 16_000_000.0, "{memory} bytes for one idle instance");
}

#[tokio::test]
pub async fn a_trap_ends_its_instance_and_nothing_else() {
    let mut host = faults().start().await;
    let before = instance(&host).await;
    let answer = host.get("/trap").await;
    answer.expect_problem(500, "component-trapped");
    assert!(host.is_running());
    let after = instance(&host).await;
    assert_ne!(before, after, "the instance that trapped is used again");
    assert_eq!(instance(&host).await, after);
    let metrics = host.metrics().await;
    assert_eq!(metrics.value("component_traps_total", &[("reason", "trap")]), 1.0);
    let trapped = |record: &serde_json::Value| {
        record["level"] == "ERROR" && record["error"].as_str().is_some_and(|error| error.contains("unreachable"))
    };
    host.log.tells("of the trap", trapped).await;
}

/// Requests of another instance do not notice.
#[tokio::test]
async fn a_trap_is_one_of_its_own_instance_alone() {
    let host = faults().arg("--instance-concurrency", "1").start().await;
    let (slow, trapped) = tokio::join!(host.get("/slow?ms=500"), host.get("/trap"));
    trapped.expect_problem(500, "component-trapped");
    slow.expect_status(200);
}

#[tokio::test]
async fn an_instance_takes_as_many_requests_as_it_may() {
    let host = faults().arg("--instance-reuse", "3").start().await;
    let mut instances = Vec::new();
    for _ in 0..7 {
        instances.push(instance(&host).await);
    }
    instances.dedup();
    // The first of them has answered the probe as well.
    assert_eq!(instances.len(), 3, "{instances:?}");
}

#[tokio::test]
async fn an_idle_instance_goes_and_takes_its_memory_with_it() {
    let host = faults().arg("--instance-idle-ms", "200").start().await;
    let before = instance(&host).await;
    let current = async |name: &str| host.metrics().await.value(name, &[("service", "faults")]);
    eventually("no instance is left", async || current("component_instances").await == 0.0).await;
    assert_eq!(current("component_memory_bytes").await, 0.0);
    assert_ne!(instance(&host).await, before);
    assert_eq!(host.metrics().await.value("component_traps_total", &[]), 0.0);
}
