//! One loaded version of a component: its instances on every core, the requests that run in it, and
//! its retirement. Instances are made, reused and queued for by wasmtime's `ProxyHandler`.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::bindings::exports::comptoir::service::background::Task;
use crate::component::{Digest, Linked};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::state::{Capabilities, State};

/// What becomes of an instance, for those who wait for its answers and read its bodies.
#[derive(Debug, Default)]
pub struct InstanceFate {
    /// Why it ended before its time; set before its streams close.
    fault: OnceLock<String>,
    /// Response bodies of it that are being read.
    bodies: AtomicUsize,
}

impl InstanceFate {
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
        self.0.bodies.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the worker adds to a request's deadline before it gives up on the whole instance.
const EXPIRATION_GRACE: Duration = Duration::from_millis(250);

/// A version of a component in service.
pub struct Generation {
    pub number: u64,
    pub component: Linked,
    /// What it wants to be run in the background.
    pub tasks: Vec<Task>,
    pub loaded_at: SystemTime,
    /// One a core.
    handlers: Vec<ProxyHandler<Handler>>,
    shared: Arc<Shared>,
}

struct Shared {
    in_flight: AtomicUsize,
    idle: Notify,
    /// Cancelled: instances end as soon as they have nothing to do.
    retire: Mutex<CancellationToken>,
    census: Census,
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
            retire: Mutex::new(CancellationToken::new()),
            census: Census::new(service, metrics),
        });
        let handlers = shards
            .iter()
            .map(|capabilities| {
                Ok(ProxyHandler::new(Handler {
                    engine: engine.clone(),
                    proxy: component.proxy()?,
                    capabilities: capabilities.clone(),
                    shared: shared.clone(),
                }))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { number, component, tasks, loaded_at: SystemTime::now(), handlers, shared })
    }

    pub fn digest(&self) -> &Digest {
        &self.component.digest
    }

    /// The handler of one core, and a guard that counts the request until it is dropped.
    pub fn enter(self: &Arc<Self>, shard: usize) -> Option<(&ProxyHandler<Handler>, InFlight)> {
        let handler = self.handlers.get(shard)?;
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        Some((handler, InFlight(self.shared.clone())))
    }

    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    pub fn instances(&self) -> usize {
        self.shared.census.count()
    }

    /// Lets instances go when they are idle. Requests that are in flight finish.
    pub fn retire(&self) {
        self.shared.retire.lock().unwrap_or_else(PoisonError::into_inner).cancel();
        self.shared.census.set_draining(true);
    }

    /// Takes it into service again.
    pub fn revive(&self) {
        *self.shared.retire.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
        self.shared.census.set_draining(false);
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
    /// Waits until the last instance is gone; only after `retire`.
    pub async fn emptied(&self) {
        loop {
            let died = self.shared.census.died.notified();
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

/// Makes instances for one core.
pub struct Handler {
    engine: Engine,
    proxy: ProxyPre<State>,
    capabilities: Arc<Capabilities>,
    shared: Arc<Shared>,
}

impl HandlerState for Handler {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let started = Instant::now();
        let limits = self.capabilities.limits.clone();
        let mut store = State::store(&self.engine, self.capabilities.clone());
        let retire = self.shared.retire.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let proxy = tokio::time::timeout(limits.request_timeout(), self.proxy.instantiate_async(&mut store))
            .await
            .map_err(|_| wasmtime::format_err!("instantiation took longer than a request may take"))??;
        let Capabilities { service, metrics, .. } = &*self.capabilities;
        metrics.instantiation.with_label_values(&[service]).observe(started.elapsed().as_secs_f64());
        self.shared.census.born();
        let fate = Arc::new(InstanceFate::default());
        let one_at_a_time = matches!(self.proxy, ProxyPre::P2(_));
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration::new(&limits, retire, fate.clone()),
            state: Worker {
                fate,
                capabilities: self.capabilities.clone(),
                shared: self.shared.clone(),
                concurrency: if one_at_a_time { 1 } else { limits.instance_concurrency },
            },
        })
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// Decides what one instance takes on, and reports how it ended.
pub struct Worker {
    fate: Arc<InstanceFate>,
    capabilities: Arc<Capabilities>,
    shared: Arc<Shared>,
    concurrency: usize,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Arc<RequestFate>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.capabilities.limits.instance_reuse {
            ShouldAccept::Never
        } else if concurrent >= self.concurrency {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        request: Arc<RequestFate>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Once a request; a second instance never sees it.
        _ = request.instance.set(self.fate.clone());
        Box::pin(tokio::time::sleep(self.capabilities.limits.request_timeout()))
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        self.shared.census.died();
        let Err(error) = result else { return };
        let error = format!("{error:#}");
        // Before the store goes, and with it the streams: who reads them must know this end from a good one.
        _ = self.fate.fault.set(error.clone());
        let reason = if store.data().hit_memory_limit() {
            "memory"
        } else if error.contains("guest timed out") {
            "timeout"
        } else {
            "trap"
        };
        let Capabilities { service, metrics, .. } = &*self.capabilities;
        metrics.traps.with_label_values(&[service, reason]).inc();
        tracing::error!(service = &**service, reason, error, "an instance ended by a fault");
    }
}

/// Ends an instance: when a request outlives its deadline although the guest never yields, when
/// nothing came for a while, or when its generation retires.
pub struct Expiration {
    idle: Duration,
    busy: Duration,
    streaming: Duration,
    fate: Arc<InstanceFate>,
    sleep: Pin<Box<Sleep>>,
    retire: Pin<Box<WaitForCancellationFutureOwned>>,
    retired: bool,
}

impl Expiration {
    fn new(limits: &Limits, retire: CancellationToken, fate: Arc<InstanceFate>) -> Self {
        Self {
            fate,
            streaming: limits.stream_timeout(),
            idle: limits.instance_idle(),
            busy: limits.request_timeout() + EXPIRATION_GRACE,
            sleep: Box::pin(tokio::time::sleep(limits.instance_idle())),
            retire: Box::pin(retire.cancelled_owned()),
            retired: false,
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        if !self.retired {
            self.retired = self.retire.as_mut().poll(cx).is_ready();
        }
        let timeout = match status {
            WorkerStatus::Idle if self.retired => return Poll::Ready(()),
            WorkerStatus::Idle => self.idle,
            WorkerStatus::PostReturn if self.fate.bodies.load(Ordering::Relaxed) > 0 => self.streaming,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.busy,
        };
        let deadline = (start + timeout).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// Counts live instances of one generation, and keeps the process-wide gauges.
struct Census {
    state: Mutex<(usize, bool)>,
    died: Notify,
    current: prometheus::IntGauge,
    draining: prometheus::IntGauge,
}

impl Census {
    fn new(service: &str, metrics: &Metrics) -> Self {
        Self {
            state: Mutex::default(),
            died: Notify::new(),
            current: metrics.instances.with_label_values(&[service, "current"]),
            draining: metrics.instances.with_label_values(&[service, "draining"]),
        }
    }

    fn count(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn born(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        self.gauge(state.1).inc();
    }

    fn died(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.saturating_sub(1);
        self.gauge(state.1).dec();
        self.died.notify_waiters();
    }

    fn set_draining(&self, draining: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1 != draining {
            let count = i64::try_from(state.0).unwrap_or(i64::MAX);
            self.gauge(state.1).sub(count);
            state.1 = draining;
            self.gauge(draining).add(count);
        }
    }

    fn gauge(&self, draining: bool) -> &prometheus::IntGauge {
        if draining { &self.draining } else { &self.current }
    }
}
