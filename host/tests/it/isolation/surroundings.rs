//! A component has no machine around it: no file, no variable, no argument, no input, no socket.

use serde_json::json;

use crate::support::command::{comptoir, run};
use crate::support::guest;
use crate::support::host::Serve;

#[tokio::test]
pub async fn a_component_finds_nothing_of_its_process() {
    let host = Serve::guest("nosy").start().await;
    let found = host.get("/").await.expect_status(200).json();
    let nothing = json!({
        "arguments": [], "variables": [], "input": [[], {"Ok": 0}], "folders": [0, 0],
        "initial folder": [null, null], "files": [],
    });
    assert_eq!(found, nothing, "{found:#}");
}

/// Whatever is not granted is named, before any of the component runs.
#[tokio::test]
async fn an_import_that_is_not_granted_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wants.wasm");
    for wanted in [
        "wasi:sockets/tcp@0.2.6",
        "wasi:sockets/tcp-create-socket@0.2.6",
        "wasi:sockets/udp@0.2.6",
        "wasi:sockets/udp-create-socket@0.2.6",
        "wasi:sockets/instance-network@0.2.6",
        "wasi:sockets/ip-name-lookup@0.2.6",
        "wasi:sockets/types@0.3.0",
        "wasi:sockets/ip-name-lookup@0.3.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:config/store@0.2.0",
        "comptoir:service/files@0.1.0",
    ] {
        let text = format!(r#"(component (import "{wanted}" (instance (export "wanted" (func)))))"#);
        std::fs::write(&file, guest::text(&text)).expect("a component");
        let mut check = comptoir();
        check.arg("check").arg(&file);
        let said = run(check).await;
        assert_eq!(said.code, 1, "{wanted}: {said:#?}");
        assert!(said.stderr.contains(wanted) && said.stderr.contains("does not grant"), "{wanted}: {said:#?}");
    }
}
