//! Swaps under load: no request fails, and none is answered by two versions.

use std::time::Duration;

use crate::support::command::administer;
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::load::Load;
use crate::support::{eventually, guest};

const SWAPS: usize = 24;
const REQUESTS_PER_SECOND: u32 = 150;

/// The ways to swap.
#[derive(Clone, Copy)]
enum Way {
    File,
    AdminPort,
    Command,
}

impl Way {
    const ALL: [Self; 3] = [Self::File, Self::AdminPort, Self::Command];

    /// Comes back when the new version serves.
    async fn swap(self, host: &Host, name: &str) {
        match self {
            Self::File => {
                let generation = host.generation().await;
                host.replace_file(&guest::bytes(name));
                eventually("the new version serves", async || host.generation().await > generation).await;
            }
            Self::AdminPort => _ = host.put(&guest::bytes(name)).await.expect_status(200),
            Self::Command => {
                let said = administer(host, "swap", &["sdk-hello".as_ref(), &guest::path(name)]).await;
                assert_eq!(said.code, 0, "{said:#?}");
            }
        }
    }
}

#[tokio::test]
pub async fn no_request_notices_a_swap() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    let load = Load::start(&host, REQUESTS_PER_SECOND);
    load.goes_on().await;
    let mut under_way = 0;
    for swap in 0..SWAPS {
        let name = ["sdk-hello-2", "sdk-hello"][swap % 2];
        Way::ALL[swap % Way::ALL.len()].swap(&host, name).await;
        under_way += usize::from(host.component().await["previous"]["in_flight"] != 0);
        load.goes_on().await;
    }
    let seen = load.end().await;
    println!("{} answers over {SWAPS} swaps, the slowest after {:?}", seen.answers, seen.slowest);
    seen.expect_versions(&[1, 2]);
    assert!(under_way >= SWAPS / 2, "only {under_way} of {SWAPS} swaps met requests that were under way");
    let metrics = host.metrics().await;
    assert_eq!(metrics.value("component_swaps_total", &[("outcome", "switched")]), SWAPS as f64 + 1.0);
    // In the host's own count as well.
    let ok = [("http_response_status_code", "200")];
    let name = "http_server_request_duration_seconds_count";
    assert_eq!(metrics.value(name, &ok), metrics.value(name, &[]), "an answer was not 200");
    eventually("nothing is left of the old versions", async || {
        host.metrics().await.value("component_instances", &[("state", "draining")]) == 0.0
    })
    .await;
}

#[tokio::test]
async fn no_request_notices_a_rollback_or_a_refusal() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    host.put(&guest::bytes("sdk-hello-2")).await.expect_status(200);
    let load = Load::start(&host, REQUESTS_PER_SECOND);
    load.goes_on().await;
    for _ in 0..4 {
        let said = administer(&host, "rollback", &["sdk-hello".as_ref()]).await;
        assert_eq!(said.code, 0, "{said:#?}");
        host.put(&guest::bytes("traps-on-start")).await.expect_status(422);
        load.goes_on().await;
    }
    load.end().await.expect_versions(&[1, 2]);
}

/// The file changes faster than a version is taken into service: the last one counts.
#[tokio::test]
async fn the_last_of_many_files_wins() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").database(&database).start().await;
    let versions = [guest::bytes("sdk-hello-2"), guest::bytes("sdk-hello")];
    for turn in 0..21 {
        host.replace_file(&versions[turn % 2]);
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    eventually("the last version serves", async || host.get("/hello").await.expect_status(200).json()["version"] == 2)
        .await;
}
