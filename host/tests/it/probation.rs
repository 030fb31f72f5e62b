//! A new version that fails its first requests goes by itself, and the one before it comes back.

use crate::support::guest;
use crate::support::host::{Host, Serve};

/// `echo`, and after it `faults`, which answers its probe and fails on request.
async fn a_new_version(arguments: &[(&str, &str)]) -> Host {
    let serve = Serve::guest("echo").admin_token();
    let serve = arguments.iter().fold(serve, |serve, (flag, value)| serve.arg(flag, value));
    let host = serve.start().await;
    host.put(&guest::bytes("faults")).await.expect_status(200);
    assert_eq!(host.generation().await, 2);
    host
}

async fn fail(host: &Host, times: usize) {
    for _ in 0..times {
        host.get("/trap").await;
    }
}

#[tokio::test]
async fn a_version_that_fails_too_often_is_taken_back() {
    let host = a_new_version(&[]).await;
    fail(&host, 4).await;
    assert_eq!(host.generation().await, 2, "a few failures say nothing");
    fail(&host, 1).await;
    // By the answer to the fifth it has happened.
    assert_eq!(host.generation().await, 1);
    host.get("/anything").await.expect_status(200);
    let refusal = host.component().await["last_refusal"].clone();
    assert_eq!(refusal["stage"], "probation", "{refusal:#}");
    assert!(refusal["message"].as_str().is_some_and(|text| text.contains("5 of its first 5")), "{refusal:#}");
    let metrics = host.metrics().await;
    let swaps = |outcome, stage| metrics.value("component_swaps_total", &[("outcome", outcome), ("stage", stage)]);
    assert_eq!((swaps("rolled-back", ""), swaps("refused", "probation")), (1.0, 1.0));
    host.log.says("rolled back").await;
}

#[tokio::test]
async fn one_that_fails_now_and_then_stays() {
    let host = a_new_version(&[("--probation-max-failure-percent", "50")]).await;
    for _ in 0..8 {
        host.get("/").await.expect_status(200);
        fail(&host, 1).await;
    }
    assert_eq!(host.generation().await, 2);
}

#[tokio::test]
async fn a_first_version_has_nothing_to_go_back_to() {
    let host = Serve::guest("faults").start().await;
    fail(&host, 10).await;
    assert_eq!(host.generation().await, 1);
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let host = a_new_version(&[("--probation-ms", "0")]).await;
    fail(&host, 10).await;
    assert_eq!(host.generation().await, 2);
}
