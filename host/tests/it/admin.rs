//! The admin port stands whatever comes, and shows the generations that there are.

use rustix::process::{Resource, Rlimit, getrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::{self, Client};
use crate::support::database::Database;
use crate::support::eventually;
use crate::support::guest;
use crate::support::host::Serve;

/// More than the admin port takes at once.
const MANY: usize = 64;

/// Generation, state and requests in flight.
fn summary(generation: &Value) -> Value {
    json!([generation["generation"], generation["state"], generation["in_flight"]])
}

fn draining(component: &Value) -> Vec<Value> {
    component["draining"].as_array().expect("a list").iter().map(summary).collect()
}

#[tokio::test]
async fn every_generation_is_shown_until_it_has_drained() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    let client = Client::keep_alive();
    let stream = client.open(client::get(&host.url("/stream?chunks=100000&pause_ms=10"))).await;
    let component = host.component().await;
    assert_eq!(summary(&component["current"]), json!([1, "serving", 1]));
    assert!(component["current"]["retired_s"].is_null(), "{component:#}");
    assert_eq!(component["draining"], json!([]));

    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    let component = host.component().await;
    assert_eq!(summary(&component["previous"]), json!([1, "ready", 1]));
    assert!(component["previous"]["retired_s"].is_u64(), "{component:#}");
    assert_eq!(component["draining"], json!([]));

    host.put(&guest::bytes("sdk-hello")).await.expect_status(200);
    let component = host.component().await;
    assert_eq!(summary(&component["current"]), json!([3, "serving", 0]));
    assert_eq!(summary(&component["previous"]), json!([2, "ready", 0]));
    assert_eq!(draining(&component), [json!([1, "draining", 1])]);
    assert!(component["draining"][0]["retired_s"].is_u64(), "{component:#}");
    let loaded = |generation| [("service", "sdk-hello"), ("generation", generation)];
    assert_eq!(host.metrics().await.value("component_info", &loaded("1")), 1.0);

    drop(stream);
    eventually("the oldest has drained", async || draining(&host.component().await).is_empty()).await;
    eventually("the oldest is gone", async || host.metrics().await.find("component_info", &loaded("1")).is_none())
        .await;
}

/// Without file descriptors no connection can be accepted; once there are some again, they are.
#[tokio::test]
async fn the_admin_port_survives_an_error_of_accept() {
    let host = Serve::guest("echo").start().await;
    let limit = getrlimit(Resource::Nofile);
    host.limit_files(Rlimit { current: Some(1), ..limit });
    let waiting = TcpStream::connect(host.admin).await.expect("the kernel accepts");
    host.log.says("cannot accept an admin connection").await;
    host.limit_files(limit);
    drop(waiting);
    host.admin("/live").await.expect_status(200);
}

#[tokio::test]
async fn the_admin_port_takes_so_many_connections_and_no_more() {
    let host = Serve::guest("echo").start().await;
    let mut silent = Vec::new();
    for _ in 0..MANY {
        silent.push(TcpStream::connect(host.admin).await.expect("a connection"));
    }
    let (client, url) = (Client::fresh(), host.admin_url("/live"));
    let answer = tokio::spawn(async move { client.get(url).await });
    // One of those that were there first is answered, again and again.
    for _ in 0..20 {
        let served = silent.first_mut().expect("a connection");
        served.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("the host reads");
        assert_ne!(served.read(&mut [0; 1024]).await.expect("an answer"), 0);
    }
    assert!(!answer.is_finished(), "one more than the limit was served");
    silent.pop();
    answer.await.expect("no panic").expect_status(200);
}
