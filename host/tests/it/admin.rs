//! The admin port stands whatever comes, and shows the generations that there are; its page is what it should be.

use std::collections::BTreeMap;

use http::Method;
use regex::Regex;
use rustix::process::{Resource, Rlimit, getrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::{self, Client, Response};
use crate::support::database::Database;
use crate::support::eventually;
use crate::support::guest;
use crate::support::host::{ADMIN_TOKEN, Host, Serve};

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

const HTML: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];

async fn as_browser(host: &Host, path: &str) -> Response {
    Client::fresh().send(client::request(Method::GET, &host.admin_url(path), &HTML)).await
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_terminal_a_list() {
    let host = Serve::guest("echo").admin_token().start().await;
    let list = host.admin("/").await.expect_status(200);
    assert_eq!(list.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(list.text().contains("PUT  /components/{service}"), "{}", list.text());
    let page = as_browser(&host, "/").await.expect_status(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for answer in [list, page] {
        assert_eq!(answer.header("vary"), Some("accept"), "a cache must not mix them up");
    }
}

/// What a page may do is written in its head, and browsers keep to it.
#[tokio::test]
async fn nothing_of_the_page_is_from_elsewhere_or_shown_elsewhere() {
    let host = Serve::guest("echo").admin_token().start().await;
    let page = as_browser(&host, "/").await.expect_status(200);
    let policy = page.header("content-security-policy").expect("a policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(policy.split(';').any(|part| part.trim() == directive), "{directive} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    // No script and no style is in it.
    assert!(!page.text().contains("style=") && !page.text().contains("<style"), "{}", page.text());
    let files = loaded_by(&host, page.text()).await;
    assert!(files.len() > 10, "{:?}", files.keys());
    for (name, file) in &files {
        let kind = match name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => panic!("{name}: of what type is this?"),
        };
        assert_eq!(file.header("content-type"), Some(kind), "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(file.header("cross-origin-resource-policy"), Some("same-origin"), "{name}");
        let elsewhere = file.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!elsewhere.contains("http://") && !elsewhere.contains("https://"), "{name} names another site");
    }
    host.admin("/page/no-such.js").await.expect_status(404);
    host.admin("/page/../Cargo.toml").await.expect_status(404);
}

/// What the page names, and what the modules name that it names.
async fn loaded_by(host: &Host, page: &str) -> BTreeMap<String, Response> {
    let names = Regex::new(r#"(?:src|href)="page/([^"]+)"|from '\./([^']+)'"#).expect("an expression");
    let named = |text: &str| -> Vec<String> {
        let name = |found: regex::Captures<'_>| Some(found.get(1).or(found.get(2))?.as_str().to_owned());
        names.captures_iter(text).filter_map(name).collect()
    };
    let mut files = BTreeMap::new();
    let mut wanted = named(page);
    while let Some(name) = wanted.pop() {
        if files.contains_key(&name) {
            continue;
        }
        let file = host.admin(&format!("/page/{name}")).await.expect_status(200);
        wanted.extend(named(file.text()));
        files.insert(name, file);
    }
    files
}

/// The page is for everybody who reaches the port; what it changes is not.
#[tokio::test]
async fn what_would_be_allowed_is_told_to_whoever_asks() {
    let (client, token) = (Client::fresh(), format!("Bearer {ADMIN_TOKEN}"));
    let ask = async |host: &Host, authorization: Option<&str>| {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        let request = client::request(Method::GET, &host.admin_url("/authorization"), &headers);
        client.send(request).await.expect_status(200).json()["changes"].clone()
    };
    let host = Serve::guest("echo").admin_token().start().await;
    assert_eq!(ask(&host, Some(&token)).await, "allowed");
    for wrong in [None, Some("Bearer "), Some("Bearer guess"), Some(ADMIN_TOKEN), Some("Basic the-admin-token")] {
        assert_eq!(ask(&host, wrong).await, "need-token", "{wrong:?}");
    }
    let host = Serve::guest("echo").start().await;
    for any in [None, Some(token.as_str())] {
        assert_eq!(ask(&host, any).await, "off", "{any:?}");
    }
}

/// A page of another site that asks a browser to change something here: the browser asks first, and is given no leave.
/// Nor does it send a token by itself, which no cookie has.
#[tokio::test]
async fn another_site_is_given_no_leave() {
    let host = Serve::guest("echo").admin_token().start().await;
    let client = Client::fresh();
    let preflight = [
        ("origin", "http://elsewhere.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization"),
    ];
    for (method, path) in [
        (Method::OPTIONS, "/components/echo"),
        (Method::OPTIONS, "/components/echo/rollback"),
        (Method::GET, "/components"),
        (Method::GET, "/authorization"),
        (Method::GET, "/"),
    ] {
        let answer = client.send(client::request(method.clone(), &host.admin_url(path), &preflight)).await;
        assert_eq!(answer.status.is_success(), method == Method::GET, "{method} {path}: {answer:?}");
        let leave: Vec<_> = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
        assert!(leave.is_empty(), "{method} {path}: {leave:?}");
        assert!(answer.header("set-cookie").is_none(), "{method} {path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{method} {path}");
    }
}

#[tokio::test]
async fn traffic_is_what_metrics_have_of_all_routes() {
    let host = Serve::guest("faults").start().await;
    let traffic = async || host.admin("/traffic").await.expect_status(200).json();
    let before = traffic().await;
    assert_eq!(
        (&before["services"]["faults"]["requests"], &before["services"]["faults"]["errors"]),
        (&json!(0), &json!(0))
    );
    for code in [200, 200, 404, 503] {
        host.get(&format!("/status?code={code}")).await.expect_status(code);
    }
    host.get("/trap").await.expect_status(500);
    let after = traffic().await;
    let faults = &after["services"]["faults"];
    assert_eq!((&faults["requests"], &faults["errors"]), (&json!(5), &json!(2)), "{after:#}");
    let by_duration: Vec<u64> = serde_json::from_value(faults["by_duration"].clone()).expect("numbers");
    let bounds: Vec<f64> = serde_json::from_value(after["bounds_s"].clone()).expect("numbers");
    assert_eq!((by_duration.len(), by_duration.iter().sum::<u64>()), (bounds.len(), 5), "{after:#}");
    assert!(bounds.is_sorted(), "{bounds:?}");
    assert!(after["uptime_s"].as_f64() > before["uptime_s"].as_f64(), "{after:#}");
}

#[tokio::test]
async fn a_version_is_shown_on_its_way_and_on_probation() {
    let serve = Serve::guest("echo").admin_token().one_shard().arg("--request-timeout-ms", "1500");
    let host = serve.start().await;
    let component = host.component().await;
    assert!(component["loading"].is_null() && component["current"]["probation"].is_null(), "{component:#}");
    // One that never answers its probe.
    let slow = guest::bytes("health-slow");
    let seen = eventually("it is seen at its probe", async || {
        let loading = host.component().await["loading"].clone();
        loading["stage"] == "probe" && loading["digest"].as_str().map(str::len) == Some(64) && loading["age_s"].is_u64()
    });
    let (refused, ()) = futures_util::future::join(host.put(&slow), seen).await;
    refused.expect_status(422);
    assert!(host.component().await["loading"].is_null());

    host.put(&guest::bytes("faults")).await.expect_status(200);
    host.get("/status?code=200").await.expect_status(200);
    host.get("/trap").await.expect_status(500);
    let probation = host.component().await["current"]["probation"].clone();
    assert_eq!((&probation["answers"], &probation["failures"]), (&json!(2), &json!(1)), "{probation:#}");
    assert!(probation["left_s"].as_u64().is_some_and(|left| left > 0), "{probation:#}");
    assert!(host.component().await["previous"]["probation"].is_null());
}
