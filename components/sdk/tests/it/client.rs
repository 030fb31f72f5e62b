//! Calls to other services, and what happens when they fail.

use crate::service::{SERVICE, app};
use sdk::testing::{Fault, Moment, TestApp};
use sdk::{Client, ClientError};
use serde_json::Value;
use std::time::Duration;

/// A service, and the client that it calls its peer with.
async fn pair() -> (TestApp, TestApp, Client) {
    let peer = app().await;
    let client = Client::from_routers([("peer", peer.router())]);
    let app = TestApp::of(&SERVICE).client(client.clone()).without_database();
    (app, peer, client)
}

#[tokio::test]
async fn the_request_id_and_the_trace_are_passed_on() {
    let (app, _peer, client) = pair().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let relay = app.get("/api/v1/relay").header("x-request-id", "r-7").header("traceparent", trace);
    let seen: Value = relay.send().await.expect_status(200).json();
    assert_eq!((&seen["before"], &seen["traceparent"]), (&"r-7".into(), &trace.into()));
    assert_eq!(client.calls("peer"), 1);
}

#[tokio::test]
async fn a_dependency_that_fails_is_a_503() {
    let (app, _peer, client) = pair().await;
    for fault in [Fault::Down, Fault::LoseAnswer, Fault::Status(500), Fault::Status(503)] {
        client.set_fault("peer", Some(fault));
        let response = app.get("/api/v1/relay").send().await;
        response.expect_problem(503, "dependency-unavailable");
        assert_eq!(response.header("retry-after"), "1", "{fault:?}");
    }
    client.set_down("peer", false);
    let _ = app.get("/api/v1/relay").send().await.expect_status(200);
}

#[tokio::test]
async fn every_failure_has_its_kind() {
    let (_app, _peer, client) = pair().await;
    let url = "http://peer/health";
    assert_eq!(client.get(url).send().await.unwrap().status, 200);
    client.set_fault("peer", Some(Fault::Hang));
    let late = client.get(url).deadline(Duration::from_millis(20)).send().await.unwrap_err();
    assert_eq!(late, ClientError::Timeout);
    client.set_fault("peer", Some(Fault::Status(500)));
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status, 500);
    assert!(matches!(response.json::<Value>(), Err(ClientError::Protocol(_))));
    for url in ["http://elsewhere/", "/health", "not a url"] {
        let refused = client.get(url).send().await;
        assert!(matches!(refused, Err(ClientError::Refused(_))), "{url}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_allowed_is_a_bug() {
    let app = TestApp::of(&SERVICE).without_database();
    app.get("/api/v1/relay").send().await.expect_problem(500, "internal");
}

#[tokio::test]
async fn one_call_is_lost_and_the_next_is_not() {
    let (_app, _peer, client) = pair().await;
    client.set_fault_once("peer", "/health", Fault::Down);
    assert_eq!(client.get("http://peer/ready").send().await.unwrap().status, 200);
    assert!(matches!(client.get("http://peer/health").send().await, Err(ClientError::Unavailable(_))));
    assert_eq!(client.get("http://peer/health").send().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_caller_is_kept_before_a_call_or_after_it_until_it_is_let_go() {
    let (_app, _peer, client) = pair().await;
    for moment in [Moment::Before, Moment::After] {
        let trap = client.set_trap("peer", "/health", moment);
        let call = tokio::spawn(client.get("http://peer/health").send());
        trap.sprung().await;
        assert!(!call.is_finished(), "{moment:?}");
        trap.let_go();
        assert_eq!(call.await.unwrap().unwrap().status, 200, "{moment:?}");
    }
}

#[tokio::test]
async fn services_that_call_each_other_are_connected_afterwards() {
    let client = Client::from_routers(Vec::<(String, _)>::new());
    let app = TestApp::of(&SERVICE).client(client.clone()).without_database();
    app.get("/api/v1/relay").send().await.expect_problem(500, "internal");
    let peer = crate::service::app().await;
    client.connect("peer", peer.router());
    let _ = app.get("/api/v1/relay").send().await.expect_status(200);
}
