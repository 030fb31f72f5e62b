//! The load of `k6/` on the real platform: that what is claimed holds, and that a run fails when it does not.
//!
//! A few seconds of it, and of a workload that may be slow and may be refused: the machine is busy with other tests.
//! `make load` has the rest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::platform::Platform;

/// What a run may take, with k6 fetched first.
const RUN: Duration = Duration::from_secs(300);

/// Those that neither replace components nor lose replicas, and make books.
const SCENARIOS: &str =
    "carts,purchases,flash_sale,point_of_sale,offline_burst,restock,reports_under_write,authorization";

struct Said {
    code: i32,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

async fn run(mut command: tokio::process::Command) -> Said {
    let output = tokio::time::timeout(RUN, command.kill_on_drop(true).output()).await;
    let output = output.unwrap_or_else(|_| panic!("did not end within {RUN:?}: {command:?}")).expect("it starts");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Said { code: output.status.code().expect("no signal"), text }
}

async fn load(platform: &Platform, scenarios: &str) -> Said {
    let folder = platform.folder();
    let mut command = tokio::process::Command::new(root().join("k6/run"));
    command
        .env("GATEWAY", platform.url(""))
        .env("ADMIN", "")
        .env("KEYS", folder.join("data/secrets"))
        .env("COMPONENTS", folder.join("components"))
        .env("RESULT", folder.join("k6.json"))
        .env("SCENARIO", scenarios)
        .env("WORKLOAD", "stress")
        .env("DURATION", "4s")
        .env("RATE", "0.25")
        .env("BUYERS", "3")
        .env("SLOWER", "10")
        .env("SETTLE_S", "60")
        // The rules that join services leave the last minute out; `day` waits for it.
        .env("BOOKS_AGE_S", "0");
    run(command).await
}

#[tokio::test]
async fn what_is_claimed_under_load_holds() {
    let platform = Platform::start().await;
    let said = load(&platform, SCENARIOS).await;
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(!said.text.contains("skipped"), "{}", said.text);
    let result = std::fs::read_to_string(platform.folder().join("k6.json")).expect("a summary");
    let result: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    for scenario in result["scenarios"].as_array().expect("scenarios") {
        assert!(scenario["looks"].as_u64().is_some_and(|looks| looks > 0), "nobody looked: {scenario:#}");
    }
    platform.stop().await;
}

#[tokio::test]
async fn books_that_do_not_agree_fail_the_run() {
    let platform = Platform::start().await;
    let one_more = "with changed as (update stock set on_hand = on_hand + 1
        where location_id = 100 and product_id = 1 returning 1) select count(*) from changed";
    assert_eq!(platform.books().number("inventory", one_more).await, 1);
    let said = load(&platform, "browse").await;
    assert_eq!(said.code, 99, "{}", said.text);
    assert!(said.text.contains("broken_books{scenario:browse}: count==0"), "{}", said.text);
    platform.stop().await;
}

#[tokio::test]
async fn what_the_scripts_compute_is_right() {
    let k6 = run(tokio::process::Command::new(root().join(".tools/k6"))).await;
    assert_eq!(k6.code, 0, "{}", k6.text);
    // What it says to people comes after that.
    let mut command = tokio::process::Command::new(k6.text.lines().next().expect("where it is"));
    command.args(["run", "--quiet", "--address", "", "--no-usage-report"]).arg(root().join("k6/check.js"));
    let said = run(command).await;
    assert_eq!(said.code, 0, "{}", said.text);
}
