//! A component reaches the peers on its list and no other address, however it spells it and wherever a
//! peer sends it. Goes on where `outbound` ends, in both versions of WASI HTTP.

use serde_json::Value;

use crate::support::host::{Host, Serve};
use crate::support::peer::Peer;

/// Which guest calls, and on which path.
const CALLERS: [(&str, &str); 2] = [("outbound", "/"), ("p2-conformance", "/call")];

async fn call(host: &Host, path: &str, target: &str, headers: &[(&str, &str)]) -> Value {
    let headers = [&[("x-target", target)], headers].concat();
    host.get_with(path, &headers).await.expect_status(200).json()
}

#[tokio::test]
async fn a_redirection_is_the_components_to_read_and_not_followed() {
    for (guest, path) in CALLERS {
        let (peer, elsewhere) = (Peer::start().await, Peer::start().await);
        let host = Serve::guest(guest).peer("products", peer.address).peer("cart", elsewhere.address).start().await;
        // Also where the component might go itself.
        for to in [format!("http://{}/", elsewhere.address), "http://cart/".to_owned(), "//cart/".to_owned()] {
            let told = call(&host, path, &format!("http://products/redirect?{to}"), &[]).await;
            assert_eq!(told["status"], 302, "{guest}: {told:#}");
            assert_eq!(told["headers"]["location"], to, "{guest}");
        }
        assert_eq!((peer.calls().len(), elsewhere.connections()), (3, 0), "{guest}");
    }
}

#[tokio::test]
async fn no_spelling_leads_elsewhere() {
    let (peer, elsewhere) = (Peer::start().await, Peer::start().await);
    let (address, port) = (elsewhere.address, elsewhere.address.port());
    let targets = [
        format!("http://0x7f000001:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://products:80@{address}/"),
        format!("http://products%40{address}/"),
        format!("http://products\\@{address}/"),
        format!("http://products#@{address}/"),
        format!("http://products?@{address}/"),
        format!("http://products,{address}/"),
        format!("http://products {address}/"),
        "http://products:99999/".into(),
        "http://products:-80/".into(),
        "http://products:80:80/".into(),
        "http://product%73/".into(),
        "http://products%2e/".into(),
        "http://[products]/".into(),
        "http://.products/".into(),
        "HTTPS://products/".into(),
        "unix://products/".into(),
        "://products/".into(),
    ];
    for (guest, path) in CALLERS {
        let host = Serve::guest(guest).peer("products", peer.address).start().await;
        for target in &targets {
            let told = call(&host, path, target, &[]).await;
            assert!(told["error"].is_string(), "{guest}: {target} was called: {told:#}");
        }
        // The path is the peer's own, whatever it looks like.
        for target in [format!("//{address}/"), format!("/@{address}"), format!("/http://{address}/")] {
            let told = call(&host, path, &format!("http://products{target}"), &[]).await;
            assert_eq!(told["status"], 418, "{guest}: {target}: {told:#}");
            assert_eq!(peer.last_call().target, target, "{guest}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Who is called, and how the connection is used, is the host's to say.
#[tokio::test]
async fn headers_of_the_connection_cannot_be_set() {
    let names = ["host", "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-authorization"];
    for (guest, path) in CALLERS {
        let peer = Peer::start().await;
        let host = Serve::guest(guest).peer("products", peer.address).start().await;
        for name in names {
            let told = call(&host, path, "http://products/", &[(&format!("forward-{name}"), "forged")]).await;
            assert!(told["error"].is_string(), "{guest}: {name}: {told:#}");
        }
        assert_eq!(peer.connections(), 0, "{guest}");
    }
}

/// What `outbound` says of 0.3.
#[tokio::test]
async fn a_component_of_0_2_cannot_forge_an_identity() {
    let peer = Peer::start().await;
    let serve = Serve::guest("p2-conformance").arg("--name", "cart").peer("products", peer.address);
    let host = serve.secret("--service-secret-file", "shared").start().await;
    let forged = [
        ("forward-x-consumer-groups", "hq"),
        ("forward-x-gateway-secret", "guess"),
        ("forward-x-service-secret", "guess"),
        ("forward-x-service-name", "products"),
        ("forward-x-kept", "kept"),
    ];
    assert_eq!(call(&host, "/call", "http://products/", &forged).await["status"], 418);
    let seen = peer.last_call();
    for (name, value) in [
        ("x-consumer-groups", None),
        ("x-gateway-secret", None),
        ("x-service-secret", Some("shared")),
        ("x-service-name", Some("cart")),
        ("x-kept", Some("kept")),
    ] {
        let values: Vec<_> = seen.headers.get_all(name).iter().collect();
        assert_eq!(values, Vec::from_iter(value), "{name}");
    }
}
