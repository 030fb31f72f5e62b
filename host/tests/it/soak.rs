//! Everything at once, for as long as one likes: ordinary load, swaps, clients that go away, hostile
//! requests to a host beside it. Not one ordinary request fails, and at the end every gauge is back.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::support::database::Database;
use crate::support::host::Host;
use crate::support::hostile::{self, Attempts};
use crate::support::load::Load;
use crate::support::rest::Rest;
use crate::support::storm::Storm;
use crate::support::{eventually, guest};

const REQUESTS_PER_SECOND: u32 = 40;
/// Between two looks at the clock.
const AT_A_TIME: usize = 20;
const ATTEMPTS_AT_ONCE: usize = 8;
const TOLD_EVERY: Duration = Duration::from_secs(10);
const WAITING: &[&str] = &["GET /sleep?ms=20", "GET /slow?ms=20", "GET /rows?count=100&bytes=100"];

/// So that it cannot rot.
#[tokio::test]
pub async fn everything_at_once_for_a_few_seconds_leaves_nothing() {
    soak_for(Duration::from_secs(8)).await;
}

#[tokio::test]
#[ignore = "takes ten minutes, or SOAK_SECONDS: `make soak`"]
async fn soak() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(600, |text| text.parse().expect("a number of seconds"));
    soak_for(Duration::from_secs(seconds)).await;
}

/// What was done so far.
#[derive(Default)]
struct Done {
    swaps: Cell<usize>,
    aborts: Cell<usize>,
    attempts: Cell<usize>,
}

async fn soak_for(length: Duration) {
    let database = Database::new().await;
    // Whatever is in an instance with a hostile request ends with it, so that those have a host of their own.
    let host = start(&database).await;
    let attacked = start(&database).await;
    let rest = Rest::of(&host).await;
    let rest_of_attacked = Rest::of(&attacked).await;
    let (load, done) = (Load::start(&host, REQUESTS_PER_SECOND), Done::default());
    let started = Instant::now();
    let goes_on = || started.elapsed() < length && load.seen().failed == 0;
    let tell = async || {
        let mut told = 1;
        while goes_on() {
            if started.elapsed() >= TOLD_EVERY * told {
                told += 1;
                report([&host, &attacked], &load, &done, started).await;
            }
            load.goes_on().await;
        }
    };
    tokio::join!(
        swap(&host, &load, &done, goes_on),
        swap(&attacked, &load, &done, goes_on),
        abort(&host, &done, goes_on),
        abort(&attacked, &done, goes_on),
        attempt(&attacked, &done, goes_on),
        tell(),
    );
    report([&host, &attacked], &load, &done, started).await;
    load.end().await.expect_versions(&[1, 2]);
    rest.returns(&host).await;
    rest_of_attacked.returns(&attacked).await;
    database.at_rest().await;
    // Transactions of two rows each.
    assert_eq!(database.number("select count(*) from entries").await % 2, 0, "half of a transaction");
    for host in [host, attacked] {
        assert!(!host.log.text().contains("panicked"), "a panic");
        host.get("/hello").await.expect_status(200);
    }
}

/// From now on there is a version before.
async fn start(database: &Database) -> Host {
    let host = hostile::serve(database).arg("--request-timeout-ms", "2000").start().await;
    host.put(&guest::bytes("hostile-2")).await.expect_status(200);
    host
}

async fn report(hosts: [&Host; 2], load: &Load, done: &Done, started: Instant) {
    let (seen, Done { swaps, aborts, attempts }) = (load.seen(), done);
    let mut resident_mb = Vec::new();
    for host in hosts {
        resident_mb.push(host.metrics().await.value("process_resident_memory_bytes", &[]).round() / 1e6);
    }
    println!(
        "{:.0?}: {} answers (the slowest after {:.1?}, {} failed), {} swaps, {} aborts, {} attempts, {:.0?} MB",
        started.elapsed(),
        seen.answers,
        seen.slowest,
        seen.failed,
        swaps.get(),
        aborts.get(),
        attempts.get(),
        resident_mb
    );
}

/// By the file and by the admin port in turn.
async fn swap(host: &Host, load: &Load, done: &Done, goes_on: impl Fn() -> bool) {
    let versions = [guest::bytes("hostile"), guest::bytes("hostile-2")];
    let mut turn = 0;
    while goes_on() {
        let generation = host.generation().await;
        let new = &versions[turn % 2];
        if turn % 4 < 2 {
            host.replace_file(new);
        } else {
            host.put(new).await.expect_status(200);
        }
        eventually("the new version serves", async || host.generation().await > generation).await;
        turn += 1;
        done.swaps.set(done.swaps.get() + 1);
        load.goes_on().await;
    }
}

async fn abort(host: &Host, done: &Done, goes_on: impl Fn() -> bool) {
    let mut storm = Storm::new(host.address, WAITING);
    while goes_on() {
        storm.blow(AT_A_TIME).await;
        done.aborts.set(done.aborts.get() + AT_A_TIME);
    }
}

async fn attempt(host: &Host, done: &Done, goes_on: impl Fn() -> bool) {
    let seed = rand::random::<u64>();
    println!("the seed of the attempts is {seed}");
    let (mut attempts, mut random) = (Attempts::new(), StdRng::seed_from_u64(seed));
    while goes_on() {
        attempts.make(host, &mut random, AT_A_TIME, ATTEMPTS_AT_ONCE).await;
        done.attempts.set(attempts.count());
    }
    println!("the attempts led to {:?}", attempts.led_to);
}
