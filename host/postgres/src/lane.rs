//! Connections that statements share: each is sent at once, behind others that have no answer yet (pipelining). `sqlx`
//! sends one when the one before is answered; for statements that are as quick as a round trip, most of what everybody
//! does, here and in the server, is then to fall asleep and wake up.
//!
//! Who shares a connection waits for those before him. So only a statement that reads, and has been quick every time, is
//! sent like this; and whatever goes wrong, it is asked again in the ordinary way, which knows what to do.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use sqlx::ConnectOptions as _;
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

use crate::decode::{Answer as _, Collected};
use crate::encode;
use crate::options::Options;
use crate::statement::{Known, Statement};
use crate::types::Value;

/// A connection with so many under way does not get much faster by more.
const ENOUGH: usize = 4;

/// After an attempt to connect that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// More than this is no quick statement, whatever it was before.
const MAX_PARAMETER_BYTES: usize = 16 << 10;

/// The shared connections of a pool.
pub(crate) struct Lanes {
    slots: Vec<Mutex<Slot>>,
    connect: Config,
    options: Options,
    generation: AtomicU64,
}

enum Slot {
    /// Nobody has needed it, or it could not be opened, and is not tried again before then.
    Empty(Option<Instant>),
    Opening,
    Open(Arc<Lane>),
    /// The pool is closed.
    Closed,
}

/// One connection.
struct Lane {
    client: Client,
    driver: AbortHandle,
    /// By their texts.
    prepared: Mutex<HashMap<Arc<str>, tokio_postgres::Statement>>,
    under_way: AtomicUsize,
    generation: u64,
    since: Instant,
}

/// Whatever it was, somebody else will find out.
#[derive(Debug)]
struct Missed;

impl Lanes {
    pub(crate) fn new(options: &Options) -> Self {
        let slots = (0..options.shared_connections()).map(|_| Mutex::new(Slot::Empty(None))).collect();
        Self { slots, connect: config(options), options: options.clone(), generation: AtomicU64::new(0) }
    }

    /// The answer; none if the statement is better asked in the ordinary way.
    pub(crate) async fn ask(self: &Arc<Self>, statement: &Statement, parameters: &[Value]) -> Option<Collected> {
        let known = statement.known()?;
        if encode::bytes(parameters) > MAX_PARAMETER_BYTES {
            return None;
        }
        let (place, lane) = self.least_busy()?;
        let _under_way = UnderWay::begin(&lane);
        let answer = lane.ask(statement, &known, parameters, &self.options);
        match tokio::time::timeout(self.options.patience, answer).await {
            Ok(Ok(answer)) => return Some(answer),
            // It is in the way of others.
            Err(_) => self.leave(place, &lane),
            Ok(Err(Missed)) if lane.client.is_closed() => self.leave(place, &lane),
            Ok(Err(Missed)) => lane.forget(statement),
        }
        statement.starts_over();
        None
    }

    /// Connections that are open: free ones, and others.
    pub(crate) fn status(&self) -> (usize, usize) {
        let busy = self.slots.iter().filter_map(|slot| match &*lock(slot) {
            Slot::Open(lane) => Some(lane.under_way.load(Ordering::Relaxed) > 0),
            _ => None,
        });
        busy.fold((0, 0), |(idle, in_use), busy| if busy { (idle, in_use + 1) } else { (idle + 1, in_use) })
    }

    pub(crate) fn refresh(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        for slot in &self.slots {
            *lock(slot) = Slot::Closed;
        }
    }

    /// One that is open. If there is none, or each has enough to do, another is opened for those who come later.
    fn least_busy(self: &Arc<Self>) -> Option<(usize, Arc<Lane>)> {
        let busy = |lane: &Lane| lane.under_way.load(Ordering::Relaxed);
        let (mut best, mut empty): (Option<(usize, Arc<Lane>)>, _) = (None, None);
        for (place, slot) in self.slots.iter().enumerate() {
            let mut slot = lock(slot);
            match &*slot {
                Slot::Open(lane) if !self.is_good(lane) => {
                    *slot = Slot::Empty(None);
                    empty = Some(place);
                }
                Slot::Open(lane) => {
                    if best.as_ref().is_none_or(|(_, other)| busy(lane) < busy(other)) {
                        best = Some((place, Arc::clone(lane)));
                    }
                }
                Slot::Empty(until) if until.is_none_or(|until| until <= Instant::now()) => empty = Some(place),
                Slot::Empty(_) | Slot::Opening | Slot::Closed => {}
            }
        }
        if let Some(place) = empty
            && best.as_ref().is_none_or(|(_, lane)| busy(lane) >= ENOUGH)
        {
            self.open(place);
        }
        best
    }

    fn is_good(&self, lane: &Lane) -> bool {
        lane.generation == self.generation.load(Ordering::Relaxed)
            && !lane.client.is_closed()
            && lane.since.elapsed() <= self.options.max_lifetime
    }

    fn open(self: &Arc<Self>, place: usize) {
        let Some(slot) = self.slots.get(place) else { return };
        match &mut *lock(slot) {
            slot @ Slot::Empty(_) => *slot = Slot::Opening,
            // Somebody else was here first.
            Slot::Opening | Slot::Open(_) | Slot::Closed => return,
        }
        let lanes = Arc::clone(self);
        drop(tokio::spawn(async move {
            let generation = lanes.generation.load(Ordering::Relaxed);
            let opening = Lane::open(&lanes.connect, generation);
            let opened = tokio::time::timeout(lanes.options.acquire_timeout, opening).await;
            let Some(slot) = lanes.slots.get(place) else { return };
            let mut slot = lock(slot);
            if matches!(*slot, Slot::Closed) {
                return;
            }
            *slot = match opened {
                Ok(Ok(lane)) => Slot::Open(Arc::new(lane)),
                // The ordinary way has the same trouble, and tells it.
                Ok(Err(_)) | Err(_) => Slot::Empty(Some(Instant::now() + PAUSE)),
            };
        }));
    }

    /// Nobody else takes it. It ends with the last one who waits for it.
    fn leave(&self, place: usize, lane: &Arc<Lane>) {
        let Some(slot) = self.slots.get(place) else { return };
        let mut slot = lock(slot);
        if matches!(&*slot, Slot::Open(current) if Arc::ptr_eq(current, lane)) {
            *slot = Slot::Empty(None);
        }
    }
}

impl Lane {
    async fn open(connect: &Config, generation: u64) -> Result<Self, tokio_postgres::Error> {
        let (client, mut connection) = connect.connect(NoTls).await?;
        // Notices are for nobody; an error is the end, of which everybody hears who waits.
        let driver = tokio::spawn(async move {
            let mut next = async || poll_fn(|context| connection.poll_message(context)).await;
            while let Some(Ok(_)) = next().await {}
        });
        Ok(Self {
            client,
            driver: driver.abort_handle(),
            prepared: Mutex::default(),
            under_way: AtomicUsize::new(0),
            generation,
            since: Instant::now(),
        })
    }

    async fn ask(
        &self,
        statement: &Statement,
        known: &Known,
        parameters: &[Value],
        limits: &Options,
    ) -> Result<Collected, Missed> {
        let prepared = self.prepared(statement, known, limits).await?;
        let parameters = encode::parameters(&known.parameters, parameters).map_err(|_| Missed)?;
        let rows = self.client.query_raw(&prepared, parameters).await.map_err(|_| Missed)?;
        let mut rows = pin!(rows);
        let mut answer = Collected::of(known.number, Arc::clone(&known.shape));
        while let Some(row) = rows.next().await {
            answer.row(&row.map_err(|_| Missed)?, limits).map_err(|_| Missed)?;
        }
        Ok(answer)
    }

    async fn prepared(
        &self,
        statement: &Statement,
        known: &Known,
        limits: &Options,
    ) -> Result<tokio_postgres::Statement, Missed> {
        if let Some(prepared) = lock(&self.prepared).get(&statement.text) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare(&statement.text).await.map_err(|_| Missed)?;
        // A migration may have come in between.
        if !known.is_of(&prepared) {
            return Err(Missed);
        }
        let mut all = lock(&self.prepared);
        if all.len() >= limits.statement_cache {
            all.clear();
        }
        all.insert(Arc::clone(&statement.text), prepared.clone());
        Ok(prepared)
    }

    fn forget(&self, statement: &Statement) {
        lock(&self.prepared).remove(&statement.text);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // Saying goodbye would wait for what is under way. The server notices that the socket is closed.
        self.driver.abort();
    }
}

/// Counts who waits for an answer, until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(lane: &'a Lane) -> Self {
        lane.under_way.fetch_add(1, Ordering::Relaxed);
        Self(&lane.under_way)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `sqlx` connects with, which is not all of it options.
const SETTINGS: &str = "-c TimeZone=UTC -c DateStyle=ISO,MDY -c extra_float_digits=2";

fn config(options: &Options) -> Config {
    let connect = options.session();
    let mut config = Config::new();
    config.port(connect.get_port()).user(connect.get_username());
    match connect.get_socket() {
        Some(socket) => config.host_path(socket),
        None => config.host(connect.get_host()),
    };
    // `sqlx` is built without TLS as well.
    config.ssl_mode(SslMode::Disable).connect_timeout(options.acquire_timeout);
    config.options(format!("{SETTINGS} {}", connect.get_options().unwrap_or_default()));
    if let Some(database) = connect.get_database() {
        config.dbname(database);
    }
    if let Some(name) = connect.get_application_name() {
        config.application_name(name);
    }
    // It is told in a URL only, and not every host and user can be part of one.
    let url = connect.host("localhost").username("postgres").to_url_lossy();
    if let Some(password) = url.password() {
        config.password(percent_encoding::percent_decode_str(password).collect::<Vec<u8>>());
    }
    config
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("status", &self.status()).finish_non_exhaustive()
    }
}
