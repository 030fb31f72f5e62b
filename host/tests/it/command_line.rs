//! What the command line accepts, and how it refuses the rest.

use std::net::TcpListener;

use crate::support::command::{comptoir, run};
use crate::support::guest;
use crate::support::host::Serve;

#[tokio::test]
async fn all_mistakes_are_told_at_once_and_nothing_is_bound() {
    // If the host bound anything, it would complain about these two.
    let (service, admin) =
        (TcpListener::bind("127.0.0.1:0").expect("a port"), TcpListener::bind("127.0.0.1:0").expect("a port"));
    let address = |listener: &TcpListener| listener.local_addr().expect("an address").to_string();
    let ended = Serve::guest("echo")
        .arg("--name", "No Name")
        .arg("--listen", address(&service))
        .arg("--admin", address(&admin))
        .arg("--peer", "without-an-address")
        .arg("--peer", "products=without-a-port")
        .arg("--database-url", "mysql://root@localhost/db")
        .arg("--gateway-secret-file", "/no/such/secret")
        .secret("--service-secret-file", "")
        .arg("--admin-token-file", "/no/such/token")
        .arg("--max-memory-bytes", "99000000000")
        .end()
        .await;
    assert_eq!(ended.status.code(), Some(64), "{ended:#?}");
    let text = &ended.stderr;
    for mistake in [
        "`No Name`",
        "without-an-address",
        "products=without-a-port",
        "--database-url",
        "/no/such/secret",
        "is empty",
        "/no/such/token",
        "--max-memory-bytes",
    ] {
        assert!(text.contains(mistake), "nothing about {mistake} in\n{text}");
    }
    assert!(text.contains("8 mistake(s)"), "{text}");
    assert!(!text.contains("cannot listen") && !text.contains("Serving"), "{text}");
}

/// Wherever they stand, and of whatever type they are.
#[tokio::test]
async fn values_that_cannot_be_read_are_told_at_once_as_well() {
    let mut command = comptoir();
    command.args(["serve", "/no/such.wasm", "--listen", "nowhere", "--log-format", "loud", "--max-rows", "few"]);
    command.env("COMPTOIR_MAX_REQUESTS", "many").env("COMPTOIR_SHARDS", "1.5");
    let said = run(command).await;
    assert_eq!(said.code, 64, "{said:#?}");
    for mistake in ["'nowhere'", "--listen", "'loud'", "'few'", "'many'", "--max-requests", "'1.5'", "--shards"] {
        assert!(said.stderr.contains(mistake), "nothing about {mistake} in\n{}", said.stderr);
    }
    assert!(said.stderr.contains("5 mistakes"), "{}", said.stderr);
    let mut command = comptoir();
    command.args(["serve", "--no-such-flag"]);
    let said = run(command).await;
    assert!(said.code == 64 && said.stderr.contains("--no-such-flag"), "{said:#?}");
    let mut command = comptoir();
    command.arg("--help");
    let said = run(command).await;
    assert!(said.code == 0 && said.stdout.contains("Usage"), "{said:#?}");
}

#[tokio::test]
async fn a_component_that_is_not_there_is_a_mistake() {
    let serve = Serve::guest("echo");
    std::fs::remove_file(serve.component()).expect("the file");
    let ended = serve.end().await;
    assert_eq!(ended.status.code(), Some(64), "{ended:#?}");
    assert!(ended.stderr.contains("there is no component at"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_secret_does_not_appear_anywhere() {
    let serve = Serve::guest("echo").secret("--gateway-secret-file", "hunter2").secret("--admin-token-file", "hunter2");
    let host = serve.arg("--log", "trace").start().await;
    host.get_with("/", &[("x-gateway-secret", "hunter2")]).await.expect_status(200);
    host.put(b"garbage").await.expect_status(401);
    assert!(!host.log.text().contains("hunter2"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_not_shared() {
    let first = Serve::guest("echo").start().await;
    for (flag, address) in [("--listen", first.address), ("--admin", first.admin)] {
        let ended = Serve::guest("echo").arg(flag, address.to_string()).end().await;
        assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
        assert!(ended.stderr.contains(&format!("cannot listen on {address}")), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_platform_without_its_ports_makes_nothing() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut command = comptoir();
    command.args(["up", "--free-ports", "--gateway", &address, "--directory"]).arg(&data);
    command.arg("--components").arg(folder.path()).arg("--kong").arg(folder.path().join("kong.yml"));
    let ended = run(command).await;
    assert!(ended.code == 1 && ended.stderr.contains(&format!("cannot listen on {address}")), "{ended:#?}");
    assert!(!data.exists(), "{ended:#?}");
}

#[tokio::test]
pub async fn a_component_can_be_checked_before_it_is_used() {
    let check = async |name: &str, more: &[&str]| {
        let mut command = comptoir();
        command.arg("check").arg(guest::path(name)).args(more);
        run(command).await
    };
    for (name, said) in [
        ("sdk-hello", "a Comptoir service (WASI HTTP 0.3)"),
        ("echo", "a plain WASI HTTP component (WASI HTTP 0.3)"),
        ("p2-hello", "a plain WASI HTTP component (WASI HTTP 0.2)"),
    ] {
        let checked = check(name, &[]).await;
        assert!(checked.code == 0 && checked.stdout.contains(said), "{checked:#?}");
    }
    for (name, more, said) in [
        ("sockets", &[][..], "wasi:sockets"),
        ("wrong-world", &[], "exports no HTTP handler"),
        ("sdk-hello", &["--no-database"], "comptoir:postgres"),
    ] {
        let checked = check(name, more).await;
        assert!(checked.code == 1 && checked.stderr.contains(said), "{checked:#?}");
    }
}

#[tokio::test]
async fn a_container_can_ask_whether_a_host_is_ready() {
    let host = Serve::guest("echo").start().await;
    let ask = async |admin: String| {
        let mut command = comptoir();
        command.args(["healthcheck", "--admin", &admin]);
        run(command).await
    };
    let said = ask(host.admin.to_string()).await;
    assert_eq!(said.code, 0, "{said:#?}");
    // Something answers there, but it is no admin port of a host that is ready.
    let said =
        ask(TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").to_string()).await;
    assert!(said.code == 1 && said.stderr.contains("cannot reach"), "{said:#?}");
}
