//! Requests that no host likes, for the guest `hostile`: whatever they lead to is an answer.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::client::{self, Client, Response};
use super::database::Database;
use super::guest;
use super::host::{Host, Serve};

/// How often each in a hundred is made; the others are traps. One that computes without an end takes
/// as long as it may, so that there are few.
const MADE: &[(u32, &str)] = &[
    (2, "GET /spin"),
    (15, "GET /allocate"),
    (25, "GET /handles"),
    (10, "POST /trap-in-transaction"),
    (3, "GET /rows?count=1000&bytes=1000"),
    (3, "GET /parameters?count=2000&bytes=10"),
    (2, "GET /headers?bytes=200000"),
];

/// Of a thousand attempts, how many are components that are not fit.
const COMPONENTS: u32 = 5;

/// The guest with small limits, so that an attempt on one is cheap.
pub fn serve(database: &Database) -> Serve {
    Serve::guest("hostile")
        .admin_token()
        .database(database)
        .arg("--max-memory-bytes", "8000000")
        .arg("--max-handles", "1000")
        .arg("--max-rows", "100")
        .arg("--max-result-bytes", "100000")
        // So many traps would otherwise send a new version back.
        .arg("--probation-ms", "0")
        .arg("--instance-idle-ms", "300")
}

/// Makes attempts, and counts what they led to.
pub struct Attempts {
    client: Client,
    unfit: [Vec<u8>; 3],
    pub led_to: BTreeMap<String, usize>,
}

impl Attempts {
    pub fn new() -> Self {
        let mut truncated = guest::bytes("hostile");
        truncated.truncate(1000);
        // Nothing that takes long to compile: one is compiled at a time, and others would wait.
        let unfit = [b"garbage".to_vec(), truncated, guest::text("(component)")];
        Self { client: Client::keep_alive(), unfit, led_to: BTreeMap::new() }
    }

    pub fn count(&self) -> usize {
        self.led_to.values().sum()
    }

    /// That many, so many at once.
    pub async fn make(&mut self, host: &Host, random: &mut StdRng, count: usize, at_once: usize) {
        let chosen: Vec<[u32; 2]> =
            (0..count).map(|_| [random.random_range(0..1000), random.random_range(0..100)]).collect();
        let made = chosen.into_iter().map(|chosen| self.one(host, chosen));
        let made: Vec<String> = futures_util::stream::iter(made).buffer_unordered(at_once).collect().await;
        for led_to in made {
            *self.led_to.entry(led_to).or_default() += 1;
        }
    }

    async fn one(&self, host: &Host, [component, path]: [u32; 2]) -> String {
        if component < COMPONENTS {
            let unfit = &self.unfit[component as usize % self.unfit.len()];
            host.put(unfit).await.expect_status(422);
            return "refused".to_owned();
        }
        let mut left = path;
        let line = MADE.iter().find(|(share, _)| {
            let is_it = left < *share;
            left = left.saturating_sub(*share);
            is_it
        });
        let (method, path) = line.map_or("GET /trap", |(_, line)| line).split_once(' ').expect("a method and a path");
        let request = client::request(method.parse().expect("a method"), &host.url(path), &[]);
        led_to(path, &self.client.send(request).await)
    }
}

/// A problem, of the host or the guest, or an answer that speaks of an error.
fn led_to(path: &str, answer: &Response) -> String {
    let told: Value = answer.json();
    let what = if answer.status == 200 { &told["error"] } else { &told["code"] };
    let what = what.as_str().unwrap_or_else(|| panic!("{path} led to nothing: {answer:?}"));
    // `Limit("result has more than ..")`
    what.split('(').next().unwrap_or(what).to_owned()
}
