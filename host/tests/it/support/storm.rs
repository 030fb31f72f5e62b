//! Clients that go away in the middle of something, at every point of a request. They speak for
//! themselves, over sockets, because a client of good manners would not leave where these do.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Some at a time, so that most of them get somewhere before they leave.
const AT_ONCE: usize = 12;
const MAX_PATIENCE_US: u64 = 60_000;
const BODY_BYTES: usize = 200_000;

/// At what a client leaves.
#[derive(Clone, Copy, Debug)]
enum Point {
    Connecting,
    SendingHead,
    SendingBody,
    Waiting,
    InTransaction,
    ReadingStream,
}

const POINTS: [Point; 6] = [
    Point::Connecting,
    Point::SendingHead,
    Point::SendingBody,
    Point::Waiting,
    Point::InTransaction,
    Point::ReadingStream,
];

pub struct Storm {
    address: SocketAddr,
    /// A method and a path each.
    waiting: &'static [&'static str],
    random: StdRng,
}

/// One client.
struct Client {
    sends: Vec<u8>,
    /// From then on it waits.
    patience: Duration,
    /// Begins to wait when an answer has begun.
    reads: bool,
    /// Resets its connection instead of closing it.
    rude: bool,
}

impl Storm {
    /// For a guest that has the routes of `versioned`, `/hold` and `/commit`; others that clients wait
    /// for are `waiting`.
    pub fn new(address: SocketAddr, waiting: &'static [&'static str]) -> Self {
        let seed = rand::random::<u64>();
        println!("the storm's seed is {seed}");
        Self { address, waiting, random: StdRng::seed_from_u64(seed) }
    }

    /// That many clients come and go.
    pub async fn blow(&mut self, clients: usize) {
        let mut running = JoinSet::new();
        for _ in 0..clients {
            if running.len() >= AT_ONCE {
                running.join_next().await.expect("one is running").expect("no panic");
            }
            running.spawn(self.client().come_and_go(self.address));
        }
        while let Some(ended) = running.join_next().await {
            ended.expect("no panic");
        }
    }

    fn client(&mut self) -> Client {
        let point = POINTS[self.random.random_range(0..POINTS.len())];
        let ms = self.random.random_range(0..40);
        let sends = match point {
            Point::Connecting => Vec::new(),
            Point::SendingHead => self.beginning(request("GET /hello"), 0),
            Point::SendingBody => {
                let head = format!("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY_BYTES}\r\n\r\n");
                let whole = [head.as_bytes(), &[b'x'; BODY_BYTES]].concat();
                self.beginning(whole, head.len())
            }
            Point::Waiting => request(self.waiting[self.random.random_range(0..self.waiting.len())]),
            Point::InTransaction => {
                let path = if self.random.random_bool(0.5) { "hold" } else { "commit" };
                request(&format!("POST /{path}?ms={ms}"))
            }
            Point::ReadingStream => {
                let path = if self.random.random_bool(0.5) { "stream?chunks=1000&pause_ms=1" } else { "wide" };
                request(&format!("GET /{path}"))
            }
        };
        Client {
            sends,
            patience: Duration::from_micros(self.random.random_range(0..MAX_PATIENCE_US)),
            reads: matches!(point, Point::ReadingStream),
            rude: self.random.random_bool(0.5),
        }
    }

    /// Without its end; at least so much.
    fn beginning(&mut self, mut whole: Vec<u8>, least: usize) -> Vec<u8> {
        whole.truncate(self.random.random_range(least..whole.len()));
        whole
    }
}

fn request(line: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()
}

impl Client {
    /// Whatever the host makes of it, this one is gone soon.
    async fn come_and_go(self, address: SocketAddr) {
        if self.sends.is_empty() {
            _ = tokio::time::timeout(self.patience / 100, TcpStream::connect(address)).await;
            return;
        }
        let Ok(mut stream) = TcpStream::connect(address).await else { return };
        if self.rude {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket");
        }
        // In the middle of a body the host may not read any more.
        _ = tokio::time::timeout(self.patience, stream.write_all(&self.sends)).await;
        let mut buffer = [0; 4096];
        if self.reads {
            _ = super::in_time("the beginning of an answer", stream.read(&mut buffer)).await;
        }
        _ = tokio::time::timeout(self.patience, async { while let Ok(1..) = stream.read(&mut buffer).await {} }).await;
    }
}
