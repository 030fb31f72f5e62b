//! A proxy between the pool and the server that counts the client's messages, and can fall silent or die.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use comptoir_postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::database;

pub struct Proxy {
    port: u16,
    counts: Arc<Counts>,
    silent: watch::Sender<bool>,
    running: Mutex<Option<JoinSet<()>>>,
}

/// Messages of the client, by type. The server answers each `Sync` and each `Query` once, and only then.
#[derive(Default)]
struct Counts {
    sync: AtomicUsize,
    query: AtomicUsize,
    parse: AtomicUsize,
    bind: AtomicUsize,
}

#[derive(Debug, Eq, PartialEq)]
pub struct Messages {
    pub round_trips: usize,
    pub parses: usize,
    pub binds: usize,
}

impl Proxy {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, _) = watch::channel(false);
        let proxy = Self { port, counts: Arc::default(), silent, running: Mutex::new(None) };
        proxy.serve(listener);
        proxy
    }

    fn serve(&self, listener: TcpListener) {
        let (counts, silent) = (Arc::clone(&self.counts), self.silent.subscribe());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, Arc::clone(&counts), silent.clone()));
            }
        });
        *self.running.lock().unwrap() = Some(accepting);
    }

    /// How to connect through it.
    pub async fn database(&self) -> PgConnectOptions {
        database().await.host("127.0.0.1").port(self.port)
    }

    /// The client's messages since the last time.
    pub fn take(&self) -> Messages {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        let counts = &self.counts;
        let round_trips = take(&counts.sync) + take(&counts.query);
        Messages { round_trips, parses: take(&counts.parse), binds: take(&counts.bind) }
    }

    /// Everything is accepted and nothing passed on.
    pub fn fall_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// Closes all connections without a word and refuses new ones.
    pub async fn die(&self) {
        let running = self.running.lock().unwrap().take();
        if let Some(mut running) = running {
            running.shutdown().await;
        }
    }

    /// Is there again, at the same address.
    pub async fn revive(&self) {
        self.serve(TcpListener::bind(("127.0.0.1", self.port)).await.unwrap());
    }
}

async fn forward(client: TcpStream, counts: Arc<Counts>, silent: watch::Receiver<bool>) {
    let at = database().await;
    let Ok(server) = TcpStream::connect((at.get_host(), at.get_port())).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut silent_too = silent.clone();
    let mut silent = silent;
    let up = async {
        let (mut parser, mut buffer) = (Parser::default(), vec![0; 16 << 10]);
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            let _ = silent.wait_for(|silent| !silent).await;
            parser.feed(&buffer[..read], &counts);
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            let _ = silent_too.wait_for(|silent| !silent).await;
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = up => {}, () = down => {} }
}

/// Cuts the client's stream into messages: the first has a length only, each other one a type before it.
#[derive(Default)]
struct Parser {
    unread: Vec<u8>,
    started: bool,
}

impl Parser {
    fn feed(&mut self, bytes: &[u8], counts: &Counts) {
        self.unread.extend_from_slice(bytes);
        loop {
            let head = usize::from(self.started);
            let Some(length) = self.unread.get(head..head + 4) else {
                return;
            };
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if self.unread.len() < head + length {
                return;
            }
            let count = match (self.started, self.unread[0]) {
                (true, b'S') => Some(&counts.sync),
                (true, b'Q') => Some(&counts.query),
                (true, b'P') => Some(&counts.parse),
                (true, b'B') => Some(&counts.bind),
                _ => None,
            };
            if let Some(count) = count {
                count.fetch_add(1, Ordering::SeqCst);
            }
            self.started = true;
            self.unread.drain(..head + length);
        }
    }
}
