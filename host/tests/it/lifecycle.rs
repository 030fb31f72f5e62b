//! A host ends when it is told to, and finishes before that what it has begun.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::client::{self, Client, next_chunk};
use crate::support::database::Database;
use crate::support::host::Serve;
use crate::support::{DEADLINE, eventually};

#[tokio::test]
async fn what_runs_is_finished_before_the_host_ends() {
    let database = Database::new().await;
    let serve = Serve::guest("sdk-hello").database(&database).arg("--grace-ms", "20000");
    let mut host = serve.start().await;
    let client = Client::keep_alive();
    // A connection that is kept and has nothing to do must not keep the host.
    let idle = Client::keep_alive();
    idle.get(host.url("/hello")).await.expect_status(200);
    let mut stream = client.open(client::get(&host.url("/stream?chunks=10&pause_ms=100"))).await.into_body();
    let (url, slow) = (host.url("/slow?ms=700"), client.clone());
    let slow = tokio::spawn(async move { slow.get(url).await });
    eventually("both are active", async || host.metrics().await.value("http_server_active_requests", &[]) == 2.0).await;
    let started = Instant::now();
    host.send(Signal::TERM);
    eventually("no new connection is accepted", async || TcpStream::connect(host.address).is_err()).await;
    assert!(!slow.is_finished(), "too late to show anything");
    slow.await.expect("no panic").expect_status(200);
    let mut body = String::new();
    while let Some(chunk) = next_chunk(&mut stream).await {
        body.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    assert_eq!(body, "version 1\n".repeat(10));
    let status = host.ended().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
    assert_eq!(host.log.at("ERROR"), [].as_slice() as &[serde_json::Value]);
    assert_eq!(host.log.at("WARN"), [].as_slice() as &[serde_json::Value]);
    // Nothing of it is left at the server.
    database.sessions_reach(0, "idle").await;
}

#[tokio::test]
async fn a_host_without_work_ends_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut host = Serve::guest("echo").arg("--grace-ms", "60000").start().await;
        let client = Client::keep_alive();
        client.get(host.url("/")).await.expect_status(200);
        host.send(signal);
        let started = Instant::now();
        assert_eq!(host.ended().await.code(), Some(0), "{signal:?}");
        assert!(started.elapsed() < DEADLINE / 3, "{signal:?}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn the_grace_time_has_an_end() {
    let paths = ["/slow?ms=600000", "/stream?chunks=100000&pause_ms=10", "/spin"];
    futures_util::future::join_all(paths.map(async |path| {
        let serve = Serve::guest("faults").one_shard().arg("--grace-ms", "300");
        let mut host = serve.arg("--request-timeout-ms", "600000").start().await;
        let (url, client) = (host.url(path), Client::fresh());
        let cut = tokio::spawn(async move { client.try_send(client::get(&url)).await.is_err() });
        eventually("the request is active", async || {
            host.metrics().await.value("http_server_active_requests", &[]) == 1.0
        })
        .await;
        host.send(Signal::TERM);
        let started = Instant::now();
        assert_eq!(host.ended().await.code(), Some(0), "{path}");
        assert!(started.elapsed() < DEADLINE / 3, "{path}: {:?}", started.elapsed());
        host.log.says("requests were cut off at the end of the grace time").await;
        assert!(cut.await.expect("no panic"), "{path}: the client was told that all is well");
    }))
    .await;
}

#[tokio::test]
async fn a_second_signal_cuts_the_grace_time_short() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut host = Serve::guest("faults").arg("--grace-ms", "600000").start().await;
        let (url, client) = (host.url("/slow?ms=14000"), Client::fresh());
        let cut = tokio::spawn(async move { client.try_send(client::get(&url)).await.is_err() });
        eventually("the request is active", async || {
            host.metrics().await.value("http_server_active_requests", &[]) == 1.0
        })
        .await;
        host.send(signal);
        eventually("no new connection is accepted", async || TcpStream::connect(host.address).is_err()).await;
        assert!(!cut.is_finished(), "the first signal was not patient");
        let started = Instant::now();
        host.send(signal);
        assert_eq!(host.ended().await.code(), Some(0), "{signal:?}");
        assert!(started.elapsed() < DEADLINE / 3, "{signal:?}: {:?}", started.elapsed());
        host.log.says("requests were cut off by a second signal").await;
        assert!(cut.await.expect("no panic"), "the client was told that all is well");
    }
}

/// A run that was cut off would be finished by nobody until the next start.
#[tokio::test]
async fn a_background_run_is_finished_before_the_host_ends() {
    let database = Database::new().await;
    for _ in 0..3 {
        let mut host = Serve::guest("background").database(&database).start().await;
        let unfinished = "select count(*) from runs where ended_at is null";
        eventually("a run is under way", async || database.number(unfinished).await == 1).await;
        host.send(Signal::TERM);
        assert_eq!(host.ended().await.code(), Some(0));
        assert_eq!(database.number(unfinished).await, 0);
    }
}

#[tokio::test]
async fn a_host_that_idles_has_nothing_to_complain_about() {
    let database = Database::new().await;
    let serve = Serve::guest("sdk-hello").database(&database).arg("--instance-idle-ms", "50");
    let host = serve.start().await;
    host.get("/hello").await.expect_status(200);
    host.get("/ready").await.expect_status(200);
    eventually("the instances are gone", async || host.metrics().await.value("component_instances", &[]) == 0.0).await;
    // What a second brings: the file is looked at, connections rest.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let complaints = [host.log.at("ERROR"), host.log.at("WARN")].concat();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
