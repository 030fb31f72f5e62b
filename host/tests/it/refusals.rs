//! What is not fit to serve is refused, with the stage and the reason, and the version before goes on.

use std::path::{Path, PathBuf};

use crate::support::command::administer;
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{eventually, guest};

/// A core module without anything in it.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

struct Refused {
    name: &'static str,
    bytes: Vec<u8>,
    stage: &'static str,
    /// What the reason has to speak of.
    reason: &'static str,
}

fn refused(name: &'static str, bytes: Vec<u8>, stage: &'static str, reason: &'static str) -> Refused {
    Refused { name, bytes, stage, reason }
}

fn everything_unfit() -> Vec<Refused> {
    let whole = guest::bytes("sdk-hello-2");
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    vec![
        refused("empty", Vec::new(), "read", "empty"),
        refused("garbage", b"<html>404 Not Found</html>".to_vec(), "read", "not WebAssembly"),
        refused("core-module", CORE_MODULE.to_vec(), "read", "core module"),
        refused("first-bytes", whole[..6].to_vec(), "read", "first 8 bytes"),
        refused("truncated", whole[..middle].to_vec(), "compile", ""),
        refused("damaged", damaged, "compile", ""),
        refused("wrong-world", guest::bytes("wrong-world"), "link", "wasi:http/handler"),
        refused("sockets", guest::bytes("sockets"), "link", "wasi:sockets"),
        refused("traps-on-start", guest::bytes("traps-on-start"), "instantiate", "unreachable"),
        refused("misnamed-task", guest::bytes("misnamed-task"), "instantiate", "`Expire carts`: its name must be"),
        refused("unhealthy", guest::bytes("unhealthy"), "probe", "503"),
    ]
}

async fn serves_version_1(host: &Host) {
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
    assert_eq!(host.generation().await, 1);
}

/// Which expectations do not hold, so that all are told at once.
async fn told(host: &Host, unfit: &Refused, said: &str) -> Option<String> {
    let refusal = host.component().await["last_refusal"].clone();
    let (stage, reason) = (refusal["stage"].as_str()?, refusal["message"].as_str()?);
    let as_expected = stage == unfit.stage && reason.contains(unfit.reason) && !reason.is_empty();
    let said_so = said.contains(&format!("stage `{stage}`")) && said.contains(reason.lines().next()?);
    (!(as_expected && said_so)).then(|| format!("{}: {stage}: {reason}\nsaid: {said}", unfit.name))
}

#[tokio::test]
pub async fn the_command_says_at_which_stage_and_why() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    let mut wrong = Vec::new();
    for unfit in everything_unfit() {
        let file: PathBuf = host.directory().join(format!("{}.unfit", unfit.name));
        std::fs::write(&file, &unfit.bytes).expect("a file");
        let said = administer(&host, "swap", &[Path::new("sdk-hello"), &file]).await;
        assert_eq!(said.code, 1, "{}: {said:#?}", unfit.name);
        wrong.extend(told(&host, &unfit, &said.stderr).await);
        serves_version_1(&host).await;
        let labels = [("outcome", "refused"), ("stage", unfit.stage)];
        assert!(host.metrics().await.value("component_swaps_total", &labels) >= 1.0);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
}

#[tokio::test]
async fn a_file_that_does_not_fit_is_refused() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").database(&database).start().await;
    for unfit in everything_unfit() {
        let before = host.metrics().await.find("component_swaps_total", &[("outcome", "refused")]).unwrap_or(0.0);
        host.replace_file(&unfit.bytes);
        eventually(&format!("{} is refused", unfit.name), async || {
            let refused = host.metrics().await.find("component_swaps_total", &[("outcome", "refused")]);
            refused.is_some_and(|refused| refused > before)
        })
        .await;
        let refusal = host.component().await["last_refusal"].clone();
        assert_eq!(refusal["stage"], unfit.stage, "{}: {refusal:#}", unfit.name);
        serves_version_1(&host).await;
    }
    host.replace_file(&guest::bytes("sdk-hello-2"));
    eventually("a version that fits serves", async || host.get("/hello").await.json()["version"] == 2).await;
}

#[tokio::test]
async fn a_host_whose_first_component_does_not_fit_ends() {
    let database = Database::new().await;
    for unfit in everything_unfit() {
        let serve = Serve::guest("echo").database(&database);
        std::fs::write(serve.component(), &unfit.bytes).expect("the file");
        let ended = serve.end().await;
        assert_eq!(ended.status.code(), Some(1), "{}: {ended:#?}", unfit.name);
        let said = format!("refused at stage `{}`", unfit.stage);
        assert!(ended.stderr.contains(&said), "{}: {}", unfit.name, ended.stderr);
    }
}
