//! Requests through the host against native twins, side by side in one run: the machine is noisy,
//! and only the ratios are worth anything. `make bench` runs it, built as it ships.
//!
//! Servers, each a process: the host with `products.wasm`; a twin in axum with sqlx's own pool, as
//! one would write it; a twin with the host's pool; all on one Postgres, same SQL, same JSON. The
//! rounds alternate between them, and the medians are reported. Then what there is no twin of: swaps
//! under load, instances, starts, memory, whole checkouts, and a dashboard beside tills.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark ends when something is wrong"
)]

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

mod journey;
mod lifecycle;
mod load;
mod platform;
mod server;
mod twin;

use self::server::Server;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;
/// A seeded product with every field that a read returns.
const READ: &str = "/api/v1/products/1";
const NO_DATABASE: &str = "/health";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--twin") {
        Some(index) => twin::run(arguments.get(index + 1).map(String::as_str).unwrap_or_default()),
        None => compare(),
    }
}

fn compare() -> Result<()> {
    let postgres = std::env::var("COMPTOIR_TEST_POSTGRES").context(
        "COMPTOIR_TEST_POSTGRES is not set: run `make bench`, or `comptoir postgres -- cargo bench -p comptoir`",
    )?;
    let database = twin::fresh_database(&postgres)?;
    requests(&database)?;
    lifecycle::measure(&database)?;
    journey::measure()
}

fn requests(database: &str) -> Result<()> {
    // The host migrates and seeds; the twins read what it wrote.
    let host = Server::host(database, &[])?;
    let servers = [
        ("host, products.wasm", &host),
        ("native, sqlx's pool", &Server::twin("sqlx", database)?),
        ("native, host's pool", &Server::twin("comptoir", database)?),
    ];
    same_answers(&servers)?;
    println!(
        "{CONNECTIONS} connections, {ROUNDS} rounds of {} s each, medians; servers and load share the cores",
        ROUND.as_secs()
    );
    for (title, path) in [("product read", READ), ("without a database", NO_DATABASE)] {
        println!("\n{title}: GET {path}");
        println!("{:<22} {:>10} {:>10} {:>10} {:>8}", "", "requests/s", "p50 us", "p99 us", "ratio");
        let results = measure(&servers, path)?;
        let host_rate = results.first().map_or(0.0, |result| result.rate);
        for ((name, _), result) in servers.iter().zip(&results) {
            let ratio = host_rate / result.rate;
            println!("{name:<22} {:>10.0} {:>10} {:>10} {ratio:>8.2}", result.rate, result.p50_us, result.p99_us);
        }
    }
    println!("\nratio: the host's requests/s over this server's");
    Ok(())
}

/// The comparison is one only if all servers say the same.
fn same_answers(servers: &[(&str, &Server)]) -> Result<()> {
    let mut bodies = Vec::new();
    for (name, server) in servers {
        let (status, body) = load::once(server.address, READ)?;
        ensure!(status == 200, "{name} answered {READ} with {status}");
        bodies.push(serde_json::from_slice::<serde_json::Value>(&body)?);
    }
    let same = bodies.windows(2).all(|pair| pair.first() == pair.last());
    ensure!(same, "the servers answer differently: {bodies:#?}");
    Ok(())
}

fn measure(servers: &[(&str, &Server)], path: &str) -> Result<Vec<load::Measured>> {
    let mut rounds: Vec<Vec<load::Measured>> = servers.iter().map(|_| Vec::new()).collect();
    for (_, server) in servers {
        load::run(server.address, path, CONNECTIONS, WARM_UP)?;
    }
    for _ in 0..ROUNDS {
        for ((_, server), measured) in servers.iter().zip(&mut rounds) {
            measured.push(load::run(server.address, path, CONNECTIONS, ROUND)?);
            print!(".");
            std::io::stdout().flush()?;
        }
    }
    print!("\r{:width$}\r", "", width = ROUNDS * servers.len());
    rounds.into_iter().map(|rounds| load::median(rounds).context("there is at least one round")).collect()
}
