//! A closed loop of requests over keep-alive connections, as small as possible: what it costs is
//! taken from the servers, which share the cores with it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Requests a second.
    pub rate: f64,
    pub p50_us: u128,
    pub p99_us: u128,
}

/// By rate.
pub fn median(mut rounds: Vec<Measured>) -> Option<Measured> {
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds.get(rounds.len() / 2).copied()
}

/// One request; its status and body.
pub fn once(address: SocketAddr, path: &str) -> Result<(u16, Vec<u8>)> {
    runtime()?.block_on(async { Connection::open(address, path).await?.exchange().await })
}

/// `connections` clients, each sending its next request when it has read the answer to the last.
pub fn run(address: SocketAddr, path: &str, connections: usize, time: Duration) -> Result<Measured> {
    let answers = record(address, path, connections, time)?;
    Ok(Measured::of(answers.into_iter().map(|answer| answer.latency).collect(), time))
}

/// When an answer came, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub at: Instant,
    pub latency: Duration,
}

/// The same, one by one.
pub fn record(address: SocketAddr, path: &str, connections: usize, time: Duration) -> Result<Vec<Answer>> {
    runtime()?.block_on(async {
        let started = Instant::now();
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let mut connection = Connection::open(address, path).await?;
            clients.spawn(async move {
                let mut answers = Vec::with_capacity(1 << 16);
                while started.elapsed() < time {
                    let sent = Instant::now();
                    let (status, _) = connection.exchange().await?;
                    ensure!(status == 200, "a request was answered with {status}");
                    let at = Instant::now();
                    answers.push(Answer { at, latency: at - sent });
                }
                Ok(answers)
            });
        }
        let mut answers = Vec::new();
        while let Some(client) = clients.join_next().await {
            answers.extend(client??);
        }
        Ok(answers)
    })
}

impl Measured {
    pub fn of(mut latencies: Vec<Duration>, time: Duration) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| {
            let index = latencies.len() * percent / 100;
            latencies.get(index.min(latencies.len().saturating_sub(1))).map_or(0, Duration::as_micros)
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let rate = latencies.len() as f64 / time.as_secs_f64();
        Self { rate, p50_us: at(50), p99_us: at(99) }
    }
}

/// Any request; its status and body.
pub fn send(address: SocketAddr, request: Vec<u8>) -> Result<(u16, Vec<u8>)> {
    runtime()?.block_on(async {
        let stream = TcpStream::connect(address).await?;
        Connection { stream, request, buffer: Vec::new() }.exchange().await
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: application/json\r\n\r\n").into_bytes();
        Ok(Self { stream, request, buffer: Vec::with_capacity(8 << 10) })
    }

    /// Sends the request and reads its answer, which must have a `content-length`.
    async fn exchange(&mut self) -> Result<(u16, Vec<u8>)> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
            if let Some(answer) = parse(&self.buffer)? {
                return Ok(answer);
            }
        }
    }
}

/// None: not all of it is there.
fn parse(buffer: &[u8]) -> Result<Option<(u16, Vec<u8>)>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = buffer.split_at(end + 4);
    let head = std::str::from_utf8(head)?;
    let status = head.get(9..12).context("a status line")?.parse()?;
    let length: usize = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().to_owned()))
        .context("an answer without content-length")?
        .parse()?;
    Ok((body.len() >= length).then(|| (status, body.to_vec())))
}
