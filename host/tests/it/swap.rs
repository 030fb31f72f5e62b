//! Versions take over by every way there is: the file, the command, the admin port; and back.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::client::{self, Client, next_chunk};
use crate::support::command::administer;
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::metrics::Metrics;
use crate::support::{eventually, guest};

async fn hello() -> (Host, Database) {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    (host, database)
}

async fn version(host: &Host) -> Value {
    host.get("/hello").await.expect_status(200).json()["version"].clone()
}

async fn reaches_version(host: &Host, expected: u32) {
    eventually(&format!("version {expected} serves"), async || version(host).await == expected).await;
}

#[tokio::test]
pub async fn a_file_that_is_replaced_replaces_the_component() {
    let (host, _database) = hello().await;
    assert_eq!(version(&host).await, 1);
    host.replace_file(&guest::bytes("sdk-hello-2"));
    reaches_version(&host, 2).await;
    assert_eq!(host.generation().await, 2);
    host.replace_file(&guest::bytes("sdk-hello"));
    reaches_version(&host, 1).await;
    assert_eq!(host.generation().await, 3);
}

/// As `cp` does it, and slower: whoever looks meanwhile sees half a component.
#[tokio::test]
async fn a_file_that_is_written_over_replaces_the_component_once_it_is_whole() {
    let (host, _database) = hello().await;
    let new = guest::bytes("sdk-hello-2");
    let (first, second) = new.split_at(new.len() / 2);
    let mut file = std::fs::File::create(host.file()).expect("the file");
    file.write_all(first).expect("the first half");
    // The host looks, whether or not it makes something of it.
    for _ in 0..20 {
        assert_eq!(version(&host).await, 1);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    file.write_all(second).expect("the second half");
    drop(file);
    reaches_version(&host, 2).await;
    assert_eq!(host.generation().await, 2);
}

#[tokio::test]
async fn a_file_that_is_copied_over_replaces_the_component() {
    let (host, _database) = hello().await;
    std::fs::copy(guest::path("sdk-hello-2"), host.file()).expect("a copy");
    reaches_version(&host, 2).await;
}

#[tokio::test]
async fn a_file_that_goes_away_takes_nothing_with_it() {
    let (host, _database) = hello().await;
    std::fs::remove_file(host.file()).expect("the file");
    eventually("the host misses its file", async || host.component().await["last_refusal"]["stage"] == "read").await;
    assert_eq!(version(&host).await, 1);
    host.replace_file(&guest::bytes("sdk-hello-2"));
    reaches_version(&host, 2).await;
}

/// What cannot be read now may be later. Root may read everything, but no folder.
#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_with_advice_and_looked_at_again() {
    let (host, _database) = hello().await;
    std::fs::remove_file(host.file()).expect("the file");
    std::fs::create_dir(host.file()).expect("a folder");
    eventually("the host says what to do", async || {
        let refusal = host.component().await["last_refusal"].clone();
        let message = refusal["message"].as_str().unwrap_or_default();
        refusal["stage"] == "read" && message.contains("directory") && message.contains("chmod")
    })
    .await;
    assert_eq!(version(&host).await, 1);
    std::fs::remove_dir(host.file()).expect("the folder");
    host.replace_file(&guest::bytes("sdk-hello-2"));
    reaches_version(&host, 2).await;
}

#[tokio::test]
async fn a_file_is_left_alone_when_the_host_is_told_so() {
    let database = Database::new().await;
    let serve = Serve::guest("sdk-hello").admin_token().database(&database);
    let host = serve.flag("--no-watch").start().await;
    host.replace_file(b"garbage");
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    assert_eq!(version(&host).await, 2);
    assert!(host.component().await["last_refusal"].is_null());
}

#[tokio::test]
async fn the_command_swaps_and_says_so() {
    let (host, _database) = hello().await;
    let new = guest::path("sdk-hello-2");
    let swap = async || administer(&host, "swap", &[Path::new("sdk-hello"), &new]).await;
    let said = swap().await;
    assert_eq!((said.code, said.stdout.trim()), (0, "sdk-hello: switched (generation 2)"), "{said:#?}");
    assert_eq!(version(&host).await, 2);
    let said = swap().await;
    assert_eq!((said.code, said.stdout.trim()), (0, "sdk-hello: unchanged (generation 2)"), "{said:#?}");
    let metrics = host.metrics().await;
    assert_eq!(metrics.value("component_swaps_total", &[("outcome", "switched")]), 2.0);
    assert_eq!(metrics.value("component_info", &[("generation", "2")]), 1.0);
}

#[tokio::test]
async fn the_command_says_what_is_wrong_with_itself() {
    let (host, _database) = hello().await;
    let new = guest::path("sdk-hello-2");
    let said = administer(&host, "swap", &[Path::new("another"), &new]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.stderr.contains("no service `another`") && said.stderr.contains("sdk-hello"), "{said:#?}");
    let said = administer(&host, "swap", &[Path::new("sdk-hello"), Path::new("/no/such/file.wasm")]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.stderr.contains("/no/such/file.wasm"), "{said:#?}");
}

#[tokio::test]
async fn changing_something_needs_the_token() {
    let put_bytes = |host: &Host, authorization: Option<&str>, bytes| {
        let mut request = client::post(&host.admin_url("/components/sdk-hello"), bytes);
        *request.method_mut() = http::Method::PUT;
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().expect("a header"));
        }
        request
    };
    let put = |host: &Host, authorization| put_bytes(host, authorization, guest::bytes("sdk-hello-2"));
    let client = Client::fresh();
    let (host, database) = hello().await;
    // Longer than what sockets hold: whoever is still sending is told nevertheless.
    client.send(put_bytes(&host, None, vec![0; 16 << 20])).await.expect_status(401);
    for authorization in
        [None, Some("Bearer guess"), Some("Bearer "), Some("the-admin-token"), Some("Basic the-admin-token")]
    {
        let answer = client.send(put(&host, authorization)).await.expect_status(401);
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
    }
    client.send(client::post(&host.admin_url("/components/sdk-hello/rollback"), "")).await.expect_status(401);
    assert_eq!(version(&host).await, 1);
    client.send(put(&host, Some("Bearer the-admin-token"))).await.expect_status(200);
    assert_eq!(version(&host).await, 2);

    let host = Serve::guest("sdk-hello").database(&database).start().await;
    for authorization in [None, Some("Bearer "), Some("Bearer the-admin-token")] {
        client.send(put(&host, authorization)).await.expect_status(403);
    }
    assert_eq!(version(&host).await, 1);
}

#[tokio::test]
async fn the_version_before_comes_back_by_a_command() {
    let (host, _database) = hello().await;
    let rollback = async || administer(&host, "rollback", &[Path::new("sdk-hello")]).await;
    let said = rollback().await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.stderr.contains("no previous generation"), "{said:#?}");

    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    let said = rollback().await;
    assert_eq!((said.code, said.stdout.trim()), (0, "sdk-hello: back to generation 1"), "{said:#?}");
    assert_eq!(version(&host).await, 1);
    assert_eq!(host.component().await["previous"]["generation"], 2);
    // And forth.
    assert_eq!(rollback().await.code, 0);
    assert_eq!(version(&host).await, 2);
    assert_eq!(host.metrics().await.value("component_swaps_total", &[("outcome", "rolled-back")]), 2.0);
}

/// What nobody will see in service is not loaded.
#[tokio::test]
async fn of_the_versions_that_wait_for_their_turn_the_newest_is_loaded() {
    let (host, _database) = hello().await;
    // Each has bytes of its own: a custom section with a number, which changes nothing.
    let numbered = |number: u8| [guest::bytes("sdk-hello-2"), vec![0, 3, 1, b'n', number]].concat();
    let attempts: Vec<_> = (0..6).map(numbered).collect();
    let answers = futures_util::future::join_all(attempts.iter().map(|bytes| host.put(bytes))).await;
    let mut switched = 0;
    for answer in &answers {
        if answer.status == 200 {
            switched += 1;
        } else {
            assert_eq!(answer.status, 409, "{answer:?}");
            assert!(answer.text().contains("a newer component came"), "{answer:?}");
        }
    }
    // The one that found nobody before it, and the last; more, when an upload took longer than a load.
    assert!((2..6).contains(&switched), "{answers:#?}");
    assert_eq!(host.generation().await, 1 + switched);
    assert_eq!(version(&host).await, 2);
    assert!(host.component().await["last_refusal"].is_null());
}

/// Whatever came and went before, it is the version that serves of which is told.
#[tokio::test]
async fn what_is_told_after_a_rollback_is_what_serves() {
    let (host, _database) = hello().await;
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    assert_eq!(administer(&host, "rollback", &[Path::new("sdk-hello")]).await.code, 0);
    let metrics = host.metrics().await;
    for generation in ["1", "2"] {
        assert_eq!(metrics.value("component_info", &[("generation", generation)]), 1.0, "generation {generation}");
    }
    let said = administer(&host, "swap", &[Path::new("sdk-hello"), &guest::path("sdk-hello")]).await;
    assert_eq!((said.code, said.stdout.trim()), (0, "sdk-hello: unchanged (generation 1)"), "{said:#?}");
    // The next one has a number that none had before.
    host.put(&guest::bytes("echo")).await.expect_status(200);
    assert_eq!(host.generation().await, 3);
    let loaded = |metrics: &Metrics, generation| metrics.find("component_info", &[("generation", generation)]);
    eventually("the one that was rolled back is gone", async || loaded(&host.metrics().await, "2").is_none()).await;
    let metrics = host.metrics().await;
    assert_eq!([loaded(&metrics, "1"), loaded(&metrics, "3")], [Some(1.0), Some(1.0)]);
}

/// What was under way when the new version came is finished by the old one, which then goes.
#[tokio::test]
async fn what_runs_is_finished_by_the_version_that_began_it() {
    let (host, _database) = hello().await;
    let client = Client::keep_alive();
    let mut stream = client.open(client::get(&host.url("/stream?chunks=12&pause_ms=100"))).await.into_body();
    let (url, slow) = (host.url("/slow?ms=800"), client.clone());
    let slow = tokio::spawn(async move { slow.get(url).await });
    eventually("both are active", async || host.component().await["current"]["in_flight"] == 2).await;
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    assert_eq!(version(&host).await, 2);
    assert_eq!(host.component().await["previous"]["in_flight"], 2);
    assert!(host.metrics().await.value("component_instances", &[("state", "draining")]) >= 1.0);

    assert_eq!(slow.await.expect("no panic").expect_status(200).json()["version"], 1);
    let mut body = String::new();
    while let Some(chunk) = next_chunk(&mut stream).await {
        body.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    assert_eq!(body, "version 1\n".repeat(12));
    eventually("the old version is gone", async || {
        let component = host.component().await;
        component["previous"]["in_flight"] == 0 && component["previous"]["instances"] == 0
    })
    .await;
    assert_eq!(host.metrics().await.value("component_instances", &[("state", "draining")]), 0.0);
    host.log.says("drained").await;
}

#[tokio::test]
async fn an_upload_is_finished_by_the_version_that_began_it() {
    let host = Serve::guest("echo").admin_token().start().await;
    let (sender, body) = client::chunked();
    let request = http::Request::post(host.url("/")).body(body).expect("a request");
    let mut answer = Client::keep_alive().open(request).await.into_body();
    sender.send("before ".into()).expect("the request is still read");
    assert_eq!(next_chunk(&mut answer).await.as_deref(), Some(&b"before "[..]));
    host.put(&guest::bytes("p2-hello")).await.expect_status(200);
    assert_eq!(host.get("/").await.expect_status(200).text(), "hello from 0.2\n");
    sender.send("after".into()).expect("the request is still read");
    assert_eq!(next_chunk(&mut answer).await.as_deref(), Some(&b"after"[..]));
    drop(sender);
    assert_eq!(next_chunk(&mut answer).await, None);
}

/// Nor by one that cannot be drained before its deadline.
#[tokio::test]
async fn a_swap_is_not_held_up_by_a_version_that_spins() {
    let serve = Serve::guest("faults").one_shard().admin_token().arg("--request-timeout-ms", "1000");
    let host = serve.start().await;
    let (url, client) = (host.url("/spin"), Client::fresh());
    let spun = tokio::spawn(async move { client.get(url).await });
    eventually("the guest spins", async || host.component().await["current"]["in_flight"] == 1).await;
    host.put(&guest::bytes("echo")).await.expect_status(200);
    assert_eq!(host.post("/", "the new one").await.expect_status(200).text(), "the new one");
    assert!(!spun.is_finished());
    spun.await.expect("no panic").expect_problem(504, "deadline-exceeded");
    eventually("the old version is gone", async || host.component().await["previous"]["instances"] == 0).await;
}
