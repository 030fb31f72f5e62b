//! Swaps under load: no request fails, and none is answered by two versions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::client::{self, Client, Response};
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{eventually, guest};

const SWAPS: usize = 10;
/// Between two swaps, every client gets as many answers as this.
const ANSWERS: usize = 3;

/// The version that gave all of an answer.
fn version(path: &str, answer: &Response) -> u64 {
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return answer.json()["version"].as_u64().expect("a number");
    }
    let versions: BTreeSet<&str> = answer.text().lines().collect();
    let version = match versions.into_iter().collect::<Vec<_>>()[..] {
        [version] => version,
        ref versions => panic!("{path}: one answer of several versions: {versions:?}"),
    };
    version
        .strip_prefix("version ")
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{path}: {version}"))
}

/// Asks until it is told to stop; every answer counts.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<(Arc<AtomicUsize>, tokio::task::JoinHandle<BTreeSet<u64>>)>,
}

impl Load {
    fn start(host: &Host) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let kinds = [
            (Client::keep_alive(), "/hello"),
            (Client::keep_alive(), "/hello"),
            (Client::fresh(), "/hello"),
            (Client::fresh(), "/items/1"),
            (Client::keep_alive(), "/wide"),
            (Client::keep_alive(), "/slow?ms=150"),
            (Client::fresh(), "/slow?ms=60"),
            (Client::keep_alive(), "/stream?chunks=20&pause_ms=10"),
        ];
        let clients = kinds.into_iter().map(|(client, path)| {
            let answers = Arc::new(AtomicUsize::new(0));
            let (url, stop, counted) = (host.url(path), stop.clone(), answers.clone());
            let asking = tokio::spawn(async move {
                let mut versions = BTreeSet::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.try_send(client::get(&url)).await;
                    let answer = answer.unwrap_or_else(|error| panic!("{path} was not answered: {error:?}"));
                    versions.insert(version(path, &answer));
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                versions
            });
            (answers, asking)
        });
        let clients = clients.collect();
        Self { stop, clients }
    }

    /// Waits until every client got some more answers.
    async fn goes_on(&self) {
        let before: Vec<usize> = self.clients.iter().map(|(answers, _)| answers.load(Ordering::Relaxed)).collect();
        eventually("every client is answered", async || {
            let failed = self.clients.iter().any(|(_, asking)| asking.is_finished());
            let answered = |((answers, _), before): (&(Arc<AtomicUsize>, _), &usize)| {
                answers.load(Ordering::Relaxed) >= before + ANSWERS
            };
            failed || self.clients.iter().zip(&before).all(answered)
        })
        .await;
    }

    /// How many answers there were, and of which versions.
    async fn end(self) -> (usize, BTreeSet<u64>) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut total, mut all) = (0, BTreeSet::new());
        for (answers, asking) in self.clients {
            all.extend(asking.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
            total += answers.load(Ordering::Relaxed);
        }
        (total, all)
    }
}

#[tokio::test]
pub async fn no_request_notices_a_swap() {
    let database = Database::new().await;
    let host = Serve::guest("sdk-hello").admin_token().database(&database).start().await;
    let versions = [guest::bytes("sdk-hello-2"), guest::bytes("sdk-hello")];
    let load = Load::start(&host);
    load.goes_on().await;
    for swap in 0..SWAPS {
        let new = &versions[swap % 2];
        // By the file and by the admin port in turn.
        if swap % 4 < 2 {
            let generation = host.generation().await;
            host.replace_file(new);
            eventually("the new version serves", async || host.generation().await > generation).await;
        } else {
            host.put(new).await.expect_status(200);
        }
        load.goes_on().await;
    }
    let (answers, seen) = load.end().await;
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [1, 2]);
    println!("{answers} answers over {SWAPS} swaps");
    let metrics = host.metrics().await;
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
    let load = Load::start(&host);
    load.goes_on().await;
    for _ in 0..4 {
        let said = crate::support::command::administer(&host, "rollback", &["sdk-hello".as_ref()]).await;
        assert_eq!(said.code, 0, "{said:#?}");
        host.put(&guest::bytes("traps-on-start")).await.expect_status(422);
        load.goes_on().await;
    }
    let (_, seen) = load.end().await;
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [1, 2]);
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
