//! One loaded version of a component: its instances on every core, the requests that run in it, and
//! its retirement. `core` is where requests wait for an instance, `instance` what serves them.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Context;
use std::time::SystemTime;

use futures_channel::oneshot;
use futures_util::task::AtomicWaker;
use http::{Request, Response, StatusCode};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime_wasi_http::WasiBody;

use crate::bindings::exports::comptoir::service::background::Task;
use crate::component::{Digest, Linked};
use crate::metrics::{InfoSeries, Metrics};
use crate::state::Capabilities;

mod census;
mod core;
mod instance;
mod probation;

use self::census::Census;
use self::core::Core;
use self::instance::{Call, Maker};

pub use self::instance::StartFailed;
pub use self::probation::{Probation, Progress, Terms, Verdict};

/// What becomes of an instance, for those who wait for its answers and read its bodies.
#[derive(Debug)]
pub struct InstanceFate {
    /// Why it ended before its time; set before its streams close.
    fault: OnceLock<String>,
    /// Response bodies of it that are being read.
    bodies: AtomicUsize,
    /// Who waits for the last of them.
    read: AtomicWaker,
    /// Its guest was told to pause in the middle of a computation, and its event loop has not turned since.
    told_to_pause: Arc<AtomicBool>,
}

impl InstanceFate {
    fn new(told_to_pause: Arc<AtomicBool>) -> Self {
        Self { fault: OnceLock::new(), bodies: AtomicUsize::new(0), read: AtomicWaker::new(), told_to_pause }
    }

    /// Whether a body is being read, whose end may be the guest's to say: a stream that goes with its
    /// instance looks like one that ended well.
    fn is_read(&self) -> bool {
        self.bodies.load(Ordering::Acquire) > 0
    }

    /// The same for an instance that would go if there were none: it is woken when the last is read. One
    /// that serves is not, which would be a turn of its event loop for every answer.
    fn keeps(&self, cx: &Context<'_>) -> bool {
        if !self.is_read() {
            return false;
        }
        self.read.register(cx.waker());
        self.is_read()
    }

    pub fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }
}

/// What becomes of a request.
#[derive(Debug, Default)]
pub struct RequestFate {
    /// Where it runs, once that is known.
    instance: OnceLock<Arc<InstanceFate>>,
    /// Its body was longer than the limit.
    pub body_too_large: AtomicBool,
}

impl RequestFate {
    /// Whether an instance has begun with it.
    pub fn is_taken(&self) -> bool {
        self.instance.get().is_some()
    }

    /// Why its instance ended, if it did.
    pub fn fault(&self) -> Option<&str> {
        self.instance.get()?.fault()
    }

    /// Keeps the instance from expiring while the response's body is being read.
    pub fn reading(&self) -> Option<ReadingBody> {
        let instance = self.instance.get()?.clone();
        instance.bodies.fetch_add(1, Ordering::Relaxed);
        Some(ReadingBody(instance))
    }
}

/// A response's body that is being read.
#[derive(Debug)]
pub struct ReadingBody(Arc<InstanceFate>);

impl ReadingBody {
    /// Why the end of the stream is not the end of the body.
    pub fn fault(&self) -> Option<&str> {
        self.0.fault()
    }
}

impl Drop for ReadingBody {
    fn drop(&mut self) {
        if self.0.bodies.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.read.wake();
        }
    }
}

/// The instance that a request ran in ended before it was answered.
#[derive(Debug, thiserror::Error)]
#[error("the instance ended before it answered")]
pub struct InstanceEnded;

/// A version of a component in service.
pub struct Generation {
    pub number: u64,
    pub component: Linked,
    /// What it wants to be run in the background.
    pub tasks: Vec<Task>,
    pub loaded_at: SystemTime,
    /// One a core.
    cores: Vec<Arc<Core<Call>>>,
    /// Set when it takes over from another.
    probation: OnceLock<Probation>,
    shared: Arc<Shared>,
    info: OnceLock<InfoSeries>,
}

/// What the cores of a generation share.
struct Shared {
    in_flight: AtomicUsize,
    idle: Notify,
    retirement: Mutex<Retirement>,
    census: Census,
}

#[derive(Default)]
struct Retirement {
    /// Cancelled: instances end as soon as they have nothing to do.
    token: CancellationToken,
    since: Option<SystemTime>,
}

impl Shared {
    fn retire_token(&self) -> CancellationToken {
        self.retirement().token.clone()
    }

    fn retirement(&self) -> MutexGuard<'_, Retirement> {
        self.retirement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generation {
    pub fn new(
        number: u64,
        component: Linked,
        tasks: Vec<Task>,
        engine: &Engine,
        shards: &[Arc<Capabilities>],
        metrics: &Metrics,
        service: &str,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            retirement: Mutex::default(),
            census: Census::new(service, metrics),
        });
        let cores = shards
            .iter()
            .map(|capabilities| {
                let maker = Arc::new(Maker {
                    number,
                    engine: engine.clone(),
                    proxy: component.proxy()?,
                    capabilities: capabilities.clone(),
                    shared: shared.clone(),
                });
                let max_instances = capabilities.limits.max_instances;
                Ok(Core::new(max_instances, move |seat| _ = tokio::spawn(instance::run(maker.clone(), seat))))
            })
            .collect::<anyhow::Result<_>>()?;
        let (probation, info) = (OnceLock::new(), OnceLock::new());
        Ok(Self { number, component, tasks, loaded_at: SystemTime::now(), cores, probation, shared, info })
    }

    pub fn digest(&self) -> &Digest {
        &self.component.digest
    }

    /// A guard that counts a request until it is dropped.
    pub fn enter(&self) -> InFlight {
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.shared.clone())
    }

    /// Runs a request on one core until its response's head is there. To be called on that core.
    pub async fn handle(
        &self,
        shard: usize,
        fate: Arc<RequestFate>,
        request: Request<WasiBody>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let core = self.cores.get(shard).ok_or_else(|| wasmtime::format_err!("the host has no core {shard}"))?;
        let (answer, answered) = oneshot::channel();
        core.push(Call { fate, request, answer });
        answered.await.map_err(|_| InstanceEnded)?
    }

    /// Watches its answers from now on. A version that was watched before has had its probation.
    pub fn put_on_probation(&self, terms: Terms) {
        self.probation.get_or_init(|| Probation::begin(terms));
    }

    /// How it does while it is watched.
    pub fn probation(&self) -> Option<Progress> {
        self.probation.get()?.progress()
    }

    /// Counts an answer, and says once if these are too many failures for a new version.
    pub fn judge(&self, status: StatusCode) -> Option<Verdict> {
        self.probation.get()?.count(status)
    }

    /// How many cores it runs on.
    pub fn shards(&self) -> usize {
        self.cores.len()
    }

    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    pub fn instances(&self) -> usize {
        self.shared.census.count()
    }

    /// Lets instances go when they are idle. Requests that are in flight finish.
    pub fn retire(&self) {
        let mut retirement = self.shared.retirement();
        retirement.token.cancel();
        retirement.since.get_or_insert_with(SystemTime::now);
        self.shared.census.set_draining(true);
    }

    /// Since when it takes no new requests; none while it serves.
    pub fn retired_at(&self) -> Option<SystemTime> {
        self.shared.retirement().since
    }

    /// Takes it into service again.
    pub fn revive(&self) {
        let mut retirement = self.shared.retirement();
        *retirement = Retirement::default();
        self.shared.census.set_draining(false);
    }

    /// Keeps its series of `component_info` for as long as it is loaded.
    pub fn tell(&self, series: InfoSeries) {
        // Only once: the labels of a generation do not change.
        _ = self.info.set(series);
    }

    /// Waits until no request and no streaming body is left.
    pub async fn drained(&self) {
        loop {
            let idle = self.shared.idle.notified();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Generation {
    /// Nothing runs in it, and nothing is kept warm.
    pub fn is_empty(&self) -> bool {
        self.in_flight() == 0 && self.instances() == 0
    }

    /// Waits until the last instance is gone; only after `retire`.
    pub async fn emptied(&self) {
        loop {
            let died = self.shared.census.died_one.notified();
            if self.instances() == 0 {
                return;
            }
            died.await;
        }
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("component", &self.component)
            .finish_non_exhaustive()
    }
}

/// One request in flight, its response's body included.
pub struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InFlight")
    }
}
