//! A component reaches the peers on its list, by their names, and nothing else.

use std::time::Instant;

use http::Method;
use serde_json::Value;

use crate::support::client::{self, Client};
use crate::support::host::{Host, Serve};
use crate::support::peer::Peer;
use crate::support::{DEADLINE, eventually};

async fn call(host: &Host, target: &str, headers: &[(&str, &str)]) -> Value {
    let headers = [&[("x-target", target)], headers].concat();
    host.get_with("/", &headers).await.expect_status(200).json()
}

#[tokio::test]
pub async fn a_peer_is_reached_by_its_name() {
    let peer = Peer::start().await;
    let host = Serve::guest("outbound").peer("products", peer.address).start().await;
    let told = call(&host, "http://products/api/v1/products?ids=1,2", &[("forward-accept", "text/plain")]).await;
    assert_eq!(told["status"], 418, "{told:#}");
    assert_eq!(told["body"], "hello from the peer");
    assert_eq!(told["headers"]["x-from-peer"], "yes");
    let seen = peer.last_call();
    assert_eq!(seen.target, "/api/v1/products?ids=1,2");
    // The name that the component used; it does not know the address.
    assert_eq!(seen.header("host"), Some("products"));
    assert_eq!(seen.header("accept"), Some("text/plain"));
}

#[tokio::test]
async fn a_request_with_a_body_reaches_the_peer_whole() {
    let peer = Peer::start().await;
    let host = Serve::guest("outbound").peer("products", peer.address).start().await;
    for body in [vec![], b"{}".to_vec(), vec![7; 300_000]] {
        let mut request = client::post(&host.url("/"), body.clone());
        request.headers_mut().insert("x-target", "http://products/quotes".parse().expect("a header"));
        let told = Client::fresh().send(request).await.expect_status(200).json();
        assert_eq!(told["status"], 418, "{told:#}");
        let seen = peer.last_call();
        assert_eq!((seen.method, seen.target.as_str()), (Method::POST, "/quotes"));
        assert!(seen.body == body, "{} of {} bytes arrived", seen.body.len(), body.len());
    }
}

#[tokio::test]
async fn another_spelling_of_the_name_is_the_name() {
    let peer = Peer::start().await;
    let host = Serve::guest("outbound").peer("products", peer.address).start().await;
    for target in ["http://products", "http://PRODUCTS/", "http://Products:80/"] {
        assert_eq!(call(&host, target, &[]).await["status"], 418, "{target}");
    }
}

#[tokio::test]
async fn everything_else_is_refused() {
    let peer = Peer::start().await;
    let host = Serve::guest("outbound").peer("products", peer.address).start().await;
    let (address, port) = (peer.address, peer.address.port());
    let targets = [
        "http://unknown/".to_owned(),
        "http://products.example/".into(),
        "http://products./".into(),
        "http://xproducts/".into(),
        format!("http://{address}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://products:{port}/"),
        "http://products:443/".into(),
        "http://user@products/".into(),
        "http://user:password@products/".into(),
        format!("http://products@{address}/"),
        "https://products/".into(),
        "ftp://products/".into(),
        "http:///".into(),
    ];
    for target in targets {
        let told = call(&host, &target, &[]).await;
        let error = told["error"].as_str().unwrap_or_else(|| panic!("{target} was called: {told:#}"));
        assert!(!error.contains("ConnectionRefused"), "{target}: {error}");
    }
    assert_eq!(peer.connections(), 0);
    assert_eq!(call(&host, "http://products/", &[]).await["status"], 418);
}

#[tokio::test]
async fn a_component_cannot_forge_an_identity() {
    let peer = Peer::start().await;
    let forged = [
        ("forward-x-consumer-groups", "hq"),
        ("forward-x-consumer-username", "root"),
        ("forward-x-credential-identifier", "k"),
        ("forward-x-authenticated-groups", "hq"),
        ("forward-x-gateway-secret", "guess"),
        ("forward-x-service-secret", "guess"),
        ("forward-x-service-name", "products"),
        ("forward-x-request-id", "kept"),
    ];
    for (secret, name) in [(None, None), (Some("shared"), Some("cart"))] {
        let serve = Serve::guest("outbound").arg("--name", "cart").peer("products", peer.address);
        let serve = match secret {
            Some(secret) => serve.secret("--service-secret-file", secret),
            None => serve,
        };
        let host = serve.start().await;
        assert_eq!(call(&host, "http://products/", &forged).await["status"], 418);
        let seen = peer.last_call();
        assert_eq!(seen.header("x-service-name"), name);
        assert_eq!(seen.header("x-service-secret"), secret);
        assert_eq!(seen.headers.get_all("x-service-name").iter().count(), usize::from(name.is_some()));
        assert_eq!(seen.header("x-request-id"), Some("kept"));
        for forged in [
            "x-consumer-groups",
            "x-consumer-username",
            "x-credential-identifier",
            "x-authenticated-groups",
            "x-gateway-secret",
        ] {
            assert_eq!(seen.header(forged), None, "{forged}");
        }
    }
}

#[tokio::test]
async fn a_peer_that_hangs_is_given_up() {
    let peer = Peer::start().await;
    let serve = || Serve::guest("outbound").peer("products", peer.address);
    let host = serve().arg("--outbound-timeout-ms", "200").start().await;
    let started = Instant::now();
    let told = call(&host, "http://products/hang", &[]).await;
    assert_eq!(told["error"], "ErrorCode::HttpResponseTimeout", "{told:#}");
    // The component may ask for less than the host allows, and gets no more.
    let told = host.get_with("/?timeout_ms=600000", &[("x-target", "http://products/hang")]).await.json();
    assert_eq!(told["error"], "ErrorCode::HttpResponseTimeout", "{told:#}");
    let patient = serve().start().await;
    let told = patient.get_with("/?timeout_ms=100", &[("x-target", "http://products/hang")]).await.json();
    assert_eq!(told["error"], "ErrorCode::HttpResponseTimeout", "{told:#}");
    assert!(started.elapsed() < DEADLINE / 4, "{:?}", started.elapsed());

    let labels = [("peer", "products"), ("outcome", "timeout")];
    assert_eq!(host.metrics().await.value("http_client_request_duration_seconds_count", &labels), 2.0);
}

#[tokio::test]
async fn a_peer_that_is_away_is_an_error_of_the_call() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let host = Serve::guest("outbound").peer("products", nobody).start().await;
    let told = call(&host, "http://products/", &[]).await;
    assert_eq!(told["error"], "ErrorCode::ConnectionRefused", "{told:#}");
    let labels = [("peer", "products"), ("outcome", "unreachable")];
    assert_eq!(host.metrics().await.value("http_client_request_duration_seconds_count", &labels), 1.0);
}

#[tokio::test]
async fn connections_to_a_peer_are_kept() {
    let peer = Peer::start().await;
    let host = Serve::guest("outbound").peer("products", peer.address).one_shard().start().await;
    for _ in 0..20 {
        assert_eq!(call(&host, "http://products/", &[]).await["status"], 418);
    }
    assert_eq!(peer.calls().len(), 20);
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn calls_have_a_number_at_once() {
    let peer = Peer::start().await;
    let serve = Serve::guest("outbound").peer("products", peer.address).arg("--max-outbound-requests", "2");
    let host = serve.arg("--outbound-timeout-ms", "1500").start().await;
    let hanging = async || call(&host, "http://products/hang", &[]).await["error"].clone();
    let (one, two, ()) = tokio::join!(hanging(), hanging(), async {
        eventually("both are under way", async || peer.calls().len() == 2).await;
        let told = call(&host, "http://products/", &[]).await;
        assert_eq!(told["error"], "ErrorCode::ConnectionLimitReached", "{told:#}");
    });
    assert_eq!([one, two], ["ErrorCode::HttpResponseTimeout"; 2]);
    // Places come back, however a call has ended.
    for target in ["http://products/", "http://products/bytes/100000", "http://products/"] {
        for _ in 0..3 {
            assert_eq!(call(&host, target, &[]).await["status"], 418);
        }
    }
    let labels = [("peer", "products"), ("outcome", "limit")];
    assert_eq!(host.metrics().await.value("http_client_request_duration_seconds_count", &labels), 1.0);
}

#[tokio::test]
async fn a_peer_cannot_say_more_than_the_limit() {
    let peer = Peer::start().await;
    let serve = Serve::guest("outbound").peer("products", peer.address);
    let host = serve.arg("--max-outbound-response-bytes", "100000").start().await;
    let told = call(&host, "http://products/bytes/100000", &[]).await;
    assert_eq!(told["body"].as_str().map(str::len), Some(100_000));
    for bytes in [100_001, 1_000_000] {
        let told = call(&host, &format!("http://products/bytes/{bytes}"), &[]).await;
        assert!(told["error"].as_str().is_some_and(|error| error.contains("HttpResponseBodySize")), "{told:#}");
    }
}

#[tokio::test]
async fn a_peer_that_pauses_within_its_answer_is_given_up() {
    let peer = Peer::start().await;
    let serve = Serve::guest("outbound").peer("products", peer.address);
    let host = serve.arg("--outbound-timeout-ms", "200").start().await;
    let told = call(&host, "http://products/stall", &[]).await;
    assert_eq!(told["error"], "ErrorCode::ConnectionReadTimeout", "{told:#}");
}
