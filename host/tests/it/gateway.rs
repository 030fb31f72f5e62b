//! `comptoir gateway` with the file that Kong would import: as `compose/prepare` renders it, with secrets of its own.
//! What the gateway does with a request is tested beside its code.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::support::command::{comptoir, run};
use crate::support::host::{Host, Serve};
use crate::support::peer::{Call, Peer};

const HOSTS: [&str; 10] = [
    "products-service",
    "inventory-service",
    "reports-service",
    "sales-service",
    "customers-service",
    "orders-service",
    "cart-service",
    "cart-service-2",
    "cart-service-3",
    "checkout-service",
];

/// The file with the secrets in it, and the key of head office.
fn rendered() -> (String, String) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["compose/prepare", "kong/kong.yml"] {
        let copy = folder.path().join(file);
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        std::fs::copy(repository.join(file), copy).expect("a copy");
    }
    // Twice, as on every start: secrets that are there stay.
    let prepare = || {
        let output = Command::new(folder.path().join("compose/prepare")).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        let read = |name| std::fs::read_to_string(folder.path().join("compose/secrets").join(name)).expect("a secret");
        (read("kong.yml"), read("key-hq"))
    };
    let first = prepare();
    assert_eq!(prepare(), first);
    first
}

/// In front of one peer, which stands for all hosts.
async fn in_front_of(peer: &Peer, kong: &str) -> Host {
    let front = Serve::gateway(kong);
    HOSTS.iter().fold(front, |front, host| front.arg("--target", format!("{host}={}", peer.address))).start().await
}

/// What a client asked last; the gateway itself asks replicas how they are.
fn last_asked(peer: &Peer) -> Call {
    let own = |call: &Call| call.header("user-agent") == Some("comptoir-gateway");
    peer.calls().into_iter().rfind(|call| !own(call)).expect("a call")
}

#[tokio::test]
async fn the_rendered_file_is_served_and_watched() {
    let (kong, key) = rendered();
    let peer = Peer::start().await;
    let mut gateway = in_front_of(&peer, &kong).await;
    gateway.get("/api/v1/products/1").await.expect_status(418);
    assert_eq!(last_asked(&peer).target, "/api/v1/products/1");
    let unknown = gateway.get("/no/such/route").await.expect_status(404);
    assert_eq!(unknown.json()["code"], "route-not-found");

    let stock = async |key: &str| gateway.get_with("/api/v1/stock/1/1", &[("x-api-key", key)]).await;
    stock("wrong").await.expect_status(401);
    stock(&key).await.expect_status(418);
    let call = last_asked(&peer);
    assert_eq!(call.header("x-consumer-username"), Some("hq"));
    assert_eq!(call.header("x-api-key"), None);

    // The names are Kong's, whose dashboard this is.
    let metrics = gateway.metrics().await;
    let labels = [("service", "products"), ("code", "418"), ("source", "service")];
    assert!(metrics.value("kong_http_requests_total", &labels) >= 1.0);
    let labels = [("target", "cart-service-2:8007"), ("state", "healthy")];
    assert!(metrics.find("kong_upstream_target_health", &labels).is_some());

    let mut command = comptoir();
    command.args(["healthcheck", "--admin", &gateway.admin.to_string()]);
    assert_eq!(run(command).await.code, 0);
    gateway.send(Signal::TERM);
    assert!(gateway.ended().await.success());
}

/// Without `--target`, as in a network that knows the hosts by their names.
#[tokio::test]
async fn a_host_is_where_its_name_leads() {
    let (kong, _) = rendered();
    let peer = Peer::start().await;
    let port = peer.address.port().to_string();
    let here = kong.replace("host: products-service\n", "host: localhost\n");
    let here = here.replace("port: 8001\n", &format!("port: {port}\n"));
    let gateway = Serve::gateway(&here).start().await;
    gateway.get("/api/v1/products/1").await.expect_status(418);
    assert_eq!(last_asked(&peer).header("host"), Some(format!("localhost:{port}").as_str()));
    // No name of that kind leads anywhere, so nobody was asked, and the client is told to come again.
    let elsewhere = here.replace("localhost", "nobody.invalid");
    let gateway = Serve::gateway(&elsewhere).start().await;
    let answer = gateway.get("/api/v1/products/1").await.expect_status(503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let kong = include_str!("../../../kong/kong.yml");
    let ended = Serve::gateway(kong).arg("--target", "products-service").arg("--target", "a=b").end().await;
    assert_eq!(ended.status.code(), Some(64), "{ended:#?}");
    for mistake in ["--target products-service: expected NAME=HOST:PORT", "--target a=b: the port is missing"] {
        assert!(ended.stderr.contains(mistake), "nothing about {mistake} in\n{}", ended.stderr);
    }
    assert!(
        ended.stderr.contains("there is no value for ${COMPTOIR_KEY_HQ}; there is: none at all"),
        "{}",
        ended.stderr
    );
}
