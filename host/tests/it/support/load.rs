//! Ordinary requests at a constant rate. Each starts when it is due, whether or not earlier ones have
//! ended: a host that stands still for a moment is asked as often as any other, and it shows.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use super::client::{self, Client, Response};
use super::eventually;
use super::host::Host;

/// What is asked of a guest of `versioned`, in turn, and the lines of the whole answer: small answers
/// and large ones, slow ones, and streams of which some are under way at any time.
const ASKED: [(&str, usize); 8] = [
    ("/hello", 1),
    ("/slow?ms=150", 1),
    ("/items/1", 1),
    ("/stream?chunks=20&pause_ms=10", 20),
    ("/hello", 1),
    ("/wide", 50_000),
    ("/slow?ms=60", 1),
    ("/stream?chunks=40&pause_ms=25", 40),
];

/// More failures than this say nothing new.
const MAX_TOLD: usize = 20;

pub struct Load {
    shared: Arc<Shared>,
    sending: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    started: AtomicUsize,
    seen: Mutex<Seen>,
}

/// What came of it so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub answers: usize,
    pub versions: BTreeSet<u64>,
    /// Requests without an answer, and answers that are not what was asked for, all of one version.
    pub failed: usize,
    /// The first of them.
    pub failures: Vec<String>,
    /// The longest time from when a request for `/hello`, which asks for nothing, was due to the end of its answer.
    pub slowest: Duration,
}

impl Load {
    pub fn start(host: &Host, per_second: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let sending = tokio::spawn(send(host.url(""), Duration::from_secs(1) / per_second, shared.clone()));
        Self { shared, sending }
    }

    pub fn seen(&self) -> Seen {
        self.shared.seen.lock().expect("no panic").clone()
    }

    /// Waits until everything has been asked and answered once more, over every kind of connection.
    pub async fn goes_on(&self) {
        let enough = self.shared.started.load(Ordering::Relaxed) + 2 * ASKED.len();
        eventually("requests are answered", async || {
            let seen = self.seen();
            self.sending.is_finished() || seen.answers + seen.failed >= enough
        })
        .await;
    }

    /// Sends no more, and waits for what was sent.
    pub async fn end(self) -> Seen {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.sending.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let seen = self.shared.seen.lock().expect("no panic").clone();
        assert_eq!(seen.answers + seen.failed, self.shared.started.load(Ordering::Relaxed));
        seen
    }
}

impl Seen {
    /// Not one request failed, and every answer is one of these versions, all of which answered.
    pub fn expect_versions(&self, versions: &[u64]) {
        assert!(self.failures.is_empty(), "{} requests failed, such as {:#?}", self.failed, self.failures);
        assert_eq!(self.versions.iter().copied().collect::<Vec<_>>(), versions);
    }
}

async fn send(host: String, period: Duration, shared: Arc<Shared>) {
    let clients = [Client::keep_alive(), Client::fresh()];
    // A turn that was missed is made up for.
    let mut turns = tokio::time::interval(period);
    let mut requests = JoinSet::new();
    for number in 0.. {
        let due = turns.tick().await;
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let (path, lines) = ASKED[number % ASKED.len()];
        let client = clients[number / ASKED.len() % clients.len()].clone();
        shared.started.fetch_add(1, Ordering::Relaxed);
        let (url, shared) = (format!("{host}{path}"), shared.clone());
        requests.spawn(async move {
            let answer = client.try_send(client::get(&url)).await;
            let answer = answer.map_err(|error| format!("no answer: {error:?}"));
            let version = answer.and_then(|answer| version(&answer, lines));
            let took = (path == "/hello").then(|| due.elapsed());
            shared.note(version.map_err(|error| format!("{path}: {error}")), took.unwrap_or_default());
        });
        while let Some(ended) = requests.try_join_next() {
            ended.expect("no panic");
        }
    }
    while let Some(ended) = requests.join_next().await {
        ended.expect("no panic");
    }
}

impl Shared {
    fn note(&self, version: Result<u64, String>, took: Duration) {
        let mut seen = self.seen.lock().expect("no panic");
        seen.slowest = seen.slowest.max(took);
        match version {
            Ok(version) => {
                seen.answers += 1;
                seen.versions.insert(version);
            }
            Err(failure) => {
                seen.failed += 1;
                if seen.failures.len() < MAX_TOLD {
                    seen.failures.push(failure);
                }
            }
        }
    }
}

/// The version that gave all of an answer.
fn version(answer: &Response, lines: usize) -> Result<u64, String> {
    if answer.status != 200 {
        return Err(format!("{answer:?}"));
    }
    let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
    if text.lines().count() != lines {
        return Err(format!("{} lines of {lines}", text.lines().count()));
    }
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return answer.json()["version"].as_u64().ok_or_else(|| text.to_owned());
    }
    let versions: BTreeSet<&str> = text.lines().collect();
    let version = match versions.iter().copied().collect::<Vec<_>>()[..] {
        [version] => version.strip_prefix("version ").and_then(|number| number.parse().ok()),
        _ => None,
    };
    version.ok_or_else(|| format!("not of one version: {versions:?}"))
}
