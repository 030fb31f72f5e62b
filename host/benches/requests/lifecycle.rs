//! What happens once: a swap, the start of an instance, the start of a host. And what remains when
//! nothing happens: memory.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::load::{self, Answer, Measured};
use crate::platform::Platform;
use crate::server::{ADMIN_TOKEN, Server, component};
use crate::{CONNECTIONS, NO_DATABASE, READ};

const SWAPS: usize = 20;
/// Between two swaps.
const PAUSE: Duration = Duration::from_millis(300);
const STARTS: usize = 11;
/// A host that has nothing to do lets its idle instances go after this.
const IDLE: Duration = Duration::from_secs(2);

pub fn measure(database: &str) -> Result<()> {
    swaps(database)?;
    instances(database)?;
    starts(database)?;
    memory(database)
}

/// Two versions in turn, both compiled before: what a swap costs those who are served meanwhile.
fn swaps(database: &str) -> Result<()> {
    let host = Server::host(database, &[])?;
    let (address, admin) = (host.address, host.admin.context("a host has an admin port")?);
    let first = std::fs::read(component("products")?)?;
    // A custom section of one byte: other bytes, the same component.
    let second = [&first[..], &[0, 3, 1, b'n', 0]].concat();
    let put = |bytes: &[u8]| {
        let head = format!(
            "PUT /components/products HTTP/1.1\r\nhost: {admin}\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
             content-length: {}\r\n\r\n",
            bytes.len()
        );
        let (status, body) = load::send(admin, [head.as_bytes(), bytes].concat())?;
        ensure!(status == 200, "a swap was answered with {status}: {}", String::from_utf8_lossy(&body));
        Ok::<_, anyhow::Error>(())
    };
    for version in [&second, &first] {
        put(version)?;
    }
    let time = (PAUSE + Duration::from_millis(100)) * u32::try_from(SWAPS)?;
    let load = std::thread::spawn(move || load::record(address, READ, CONNECTIONS, time));
    let mut swaps = Vec::new();
    for version in [&second, &first].into_iter().cycle().take(SWAPS) {
        std::thread::sleep(PAUSE);
        let began = Instant::now();
        put(version)?;
        swaps.push((began, Instant::now()));
    }
    // Every answer was checked to be a 200.
    let mut answers = load.join().map_err(|_| anyhow::anyhow!("the load panicked"))??;
    answers.sort_by_key(|answer| answer.at);
    let within = |answer: &Answer| swaps.iter().any(|(began, ended)| (began..=ended).contains(&&answer.at));
    let (during, otherwise): (Vec<Answer>, Vec<Answer>) = answers.iter().partition(|answer| within(answer));
    let [during, otherwise] = [during, otherwise].map(|answers| {
        let latencies = answers.into_iter().map(|answer| answer.latency).collect();
        Measured::of(latencies, time)
    });
    let lengths = swaps.iter().map(|(began, ended)| *ended - *began).collect();
    let pauses = swaps.iter().filter_map(|(began, ended)| longest_pause(&answers, *began, *ended)).collect();
    println!("\n{SWAPS} swaps of products.wasm under {CONNECTIONS} connections, no request lost: GET {READ}");
    println!("p99 during a swap {} us, otherwise {} us", during.p99_us, otherwise.p99_us);
    println!("a swap takes {} us from upload to answer", Measured::of(lengths, time).p50_us);
    println!("longest time without any answer during a swap, median: {} us", Measured::of(pauses, time).p50_us);
    let family = "component_switch_duration_seconds";
    let switch_us = 1e6 * scrape(admin, &format!("{family}_sum"))? / scrape(admin, &format!("{family}_count"))?;
    println!("the switch itself: {switch_us:.0} us, in which requests go on");
    Ok(())
}

fn longest_pause(answers: &[Answer], began: Instant, ended: Instant) -> Option<Duration> {
    let during = answers.iter().filter(|answer| (began..=ended).contains(&answer.at));
    let moments: Vec<Instant> = during.map(|answer| answer.at).collect();
    moments.windows(2).filter_map(|pair| Some(*pair.last()? - *pair.first()?)).max()
}

/// Every request has an instance made for it.
fn instances(database: &str) -> Result<()> {
    let host = Server::host(database, &["--instance-reuse", "1"])?;
    load::run(host.address, NO_DATABASE, 4, Duration::from_secs(3))?;
    let admin = host.admin.context("a host has an admin port")?;
    let family = "component_instantiation_duration_seconds";
    let [count, within] = [format!("{family}_count"), format!("{family}_bucket{{service=\"products\",le=\"0.0002\"}}")]
        .map(|series| scrape(admin, &series));
    let (count, within) = (count?, within?);
    println!("\n{count} instances of products.wasm: {:.2} % ready within 200 us", 100.0 * within / count);
    Ok(())
}

/// From the command to its first answer, which needs the database.
fn starts(database: &str) -> Result<()> {
    let first_answer = |start: &dyn Fn() -> Result<Server>| {
        let mut times = (0..STARTS)
            .map(|_| {
                let began = Instant::now();
                let server = start()?;
                let (status, _) = load::once(server.address, READ)?;
                ensure!(status == 200, "the first answer was {status}");
                Ok(began.elapsed())
            })
            .collect::<Result<Vec<_>>>()?;
        times.sort_unstable();
        Ok::<_, anyhow::Error>(times[STARTS / 2].as_secs_f64() * 1e3)
    };
    let host = first_answer(&|| Server::host(database, &[]))?;
    let twin = first_answer(&|| Server::twin("sqlx", database))?;
    let ratio = host / twin;
    println!(
        "\nfrom the command to the first answer: host with a cached artifact {host:.0} ms, twin {twin:.0} ms, \
         ratio {ratio:.1}"
    );
    Ok(())
}

fn memory(database: &str) -> Result<()> {
    let mebibytes = |bytes: u64| bytes >> 20;
    let host = Server::host(database, &["--instance-idle-ms", "500"])?;
    let twin = Server::twin("sqlx", database)?;
    for server in [&host, &twin] {
        load::run(server.address, READ, CONNECTIONS, Duration::from_secs(2))?;
    }
    std::thread::sleep(IDLE);
    println!(
        "\nresident memory, idle after load: host {} MiB, twin {} MiB",
        mebibytes(host.resident_bytes()?),
        mebibytes(twin.resident_bytes()?)
    );
    drop((host, twin));
    println!("resident memory of `comptoir up`, idle after its start: {} MiB", mebibytes(platform_bytes()?));
    Ok(())
}

fn platform_bytes() -> Result<u64> {
    let platform = Platform::start()?;
    std::thread::sleep(IDLE);
    let bytes = platform.resident_bytes();
    platform.stop()?;
    bytes
}

/// The first value of a series whose line begins like this.
fn scrape(admin: std::net::SocketAddr, series: &str) -> Result<f64> {
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {admin}\r\n\r\n");
    let (_, body) = load::send(admin, request.into_bytes())?;
    let text = String::from_utf8(body)?;
    let line = text.lines().find(|line| line.starts_with(series)).with_context(|| format!("no series {series}"))?;
    Ok(line.rsplit(' ').next().context("a value")?.parse()?)
}
