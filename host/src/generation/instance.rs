//! One instance: makes it, turns its event loop, takes requests, enforces deadlines, and accounts
//! for its end. How a request and a response cross into WebAssembly is wasmtime's `Prepared`.
//!
//! wasmtime's own driver, `ProxyHandler`, starts an instance for every request that comes while none
//! says that it is available, and one that has just taken a request says so only after its event
//! loop has turned: 32 clients had 31 instances. And one whose guest computes after it has waited
//! for something goes on saying that it is available, so that requests queue for it until its
//! deadline.

use std::collections::VecDeque;
use std::pin::Pin;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use futures_util::Stream as _;
use futures_util::stream::FuturesUnordered;
use http::{Request, Response};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut as _, Engine, Store};
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use super::core::{Condition, Job, Seat};
use super::{InstanceFate, RequestFate, Shared};
use crate::limits::Limits;
use crate::state::{Capabilities, State};
use crate::telemetry::printable;

/// What is added to a request's deadline before its whole instance is given up: a guest that
/// computes without a pause cannot be stopped in any other way.
const GRACE: Duration = Duration::from_millis(250);

/// A guest that was told to pause this often in a row, an epoch tick apart, is not waited for. Once
/// or twice says little on a busy machine, where its thread may have been the one that paused.
const PAUSES: u32 = 3;

/// A request for an instance.
pub struct Call {
    pub fate: Arc<RequestFate>,
    pub request: Request<WasiBody>,
    pub answer: oneshot::Sender<wasmtime::Result<Response<WasiBody>>>,
}

impl Job for Call {
    fn is_abandoned(&self) -> bool {
        self.answer.is_canceled()
    }
}

/// No instance could be made.
#[derive(Debug, thiserror::Error)]
#[error("an instance failed on its start: {reason}")]
pub struct StartFailed {
    pub reason: String,
    /// There is no room for another, and this one is not to blame.
    pub no_room: bool,
}

/// What instances of one generation on one core are made of.
pub struct Maker {
    /// Of the generation.
    pub number: u64,
    pub engine: Engine,
    pub proxy: ProxyPre<State>,
    pub capabilities: Arc<Capabilities>,
    pub shared: Arc<Shared>,
}

/// Makes an instance and serves with it until its end.
pub async fn run(maker: Arc<Maker>, seat: Seat<Call>) {
    match Instance::make(maker).await {
        Ok(instance) => instance.serve(seat).await,
        Err(error) => {
            let Some(call) = seat.first() else { return };
            let no_room = error.is::<wasmtime::PoolConcurrencyLimitError>();
            let failed = StartFailed { reason: format!("{error:#}"), no_room };
            // Whoever waited may be gone.
            _ = call.answer.send(Err(failed.into()));
        }
    }
}

struct Instance {
    /// Taken at the end.
    store: Option<Store<State>>,
    proxy: Proxy,
    fate: Arc<InstanceFate>,
    retire: CancellationToken,
    concurrency: usize,
    maker: Arc<Maker>,
}

impl Instance {
    async fn make(maker: Arc<Maker>) -> wasmtime::Result<Self> {
        let started = Instant::now();
        let Capabilities { limits, metrics, service, .. } = &*maker.capabilities;
        let retire = maker.shared.retire_token();
        let mut store = State::store(&maker.engine, maker.capabilities.clone(), maker.number);
        let started_in_time =
            tokio::time::timeout(limits.request_timeout(), maker.proxy.instantiate_async(&mut store)).await;
        let proxy = started_in_time
            .map_err(|_| wasmtime::format_err!("it took longer than a request may take"))?
            .map_err(|error| match store.data().refused_allocation() {
                Some(refused) => error.context(refused),
                None => error,
            })?;
        metrics.instantiation.with_label_values(&[service]).observe(started.elapsed().as_secs_f64());
        maker.shared.census.born();
        // A guest of 0.2 has no way to wait for two things at once.
        let concurrency = if matches!(proxy, Proxy::P2(_)) { 1 } else { limits.instance_concurrency };
        let fate = Arc::new(InstanceFate::new(store.data().told_to_pause.clone()));
        Ok(Self { store: Some(store), proxy, fate, retire, concurrency, maker })
    }

    async fn serve(mut self, seat: Seat<Call>) {
        let limits = self.maker.capabilities.limits.clone();
        let progress = Progress::new();
        let Self { store: Some(store), proxy, fate, retire, concurrency, .. } = &mut self else { return };
        let result = {
            let room = Room { concurrency: *concurrency, reuse: limits.instance_reuse };
            let turns =
                async |accessor: &Accessor<State>| take_turns(accessor, proxy, &seat, fate, &progress, room).await;
            let mut turns = pin!(store.run_concurrent(turns));
            let mut watch = Watch::new(&limits, retire.clone(), fate);
            std::future::poll_fn(|cx| match turns.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(result.flatten()),
                Poll::Pending => watch.poll(cx, &progress, &seat),
            })
            .await
        };
        seat.leave();
        self.end(result);
    }

    fn end(&mut self, result: wasmtime::Result<()>) {
        let Some(store) = self.store.take() else { return };
        self.maker.shared.census.died();
        let Err(error) = result else { return };
        let error = match store.data().refused_allocation() {
            Some(refused) => format!("{refused}: {error:#}"),
            None => format!("{error:#}"),
        };
        // Before the store goes, and with it the streams: who reads them must know this end from a good one.
        _ = self.fate.fault.set(error.clone());
        let reason = if store.data().hit_memory_limit() {
            "memory"
        } else if error.contains(TIMED_OUT) {
            "timeout"
        } else {
            "trap"
        };
        let Capabilities { service, metrics, .. } = &*self.maker.capabilities;
        metrics.traps.with_label_values(&[service, reason]).inc();
        let generation = self.maker.number;
        tracing::error!(
            service = &**service,
            generation,
            reason,
            // A backtrace has the names of functions, which the guest chose.
            error = &*printable(&error),
            "an instance ended by a fault"
        );
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Nothing to do after `end`: the task was dropped with its runtime, or it panicked.
        self.end(Err(wasmtime::format_err!("the host gave the instance up")));
    }
}

/// How many requests an instance takes.
#[derive(Clone, Copy)]
struct Room {
    /// At once.
    concurrency: usize,
    /// In all.
    reuse: usize,
}

/// What happens in the event loop of an instance, until it is to end.
async fn take_turns(
    accessor: &Accessor<State>,
    proxy: &Proxy,
    seat: &Seat<Call>,
    fate: &Arc<InstanceFate>,
    progress: &Progress,
    room: Room,
) -> wasmtime::Result<()> {
    let handler = match proxy {
        Proxy::P2(proxy) => *proxy.wasi_http_incoming_handler().func_handle().func(),
        Proxy::P3(proxy) => *proxy.wasi_http_handler().func_handle().func(),
    };
    let mut running = pin!(FuturesUnordered::new());
    let mut taken = 0_usize;
    std::future::poll_fn(|cx| {
        // It turns, so it does not stand still.
        fate.told_to_pause.store(false, Ordering::Relaxed);
        let mut took_one = false;
        let open = loop {
            while let Poll::Ready(Some(finished)) = running.as_mut().poll_next(cx) {
                match finished {
                    Ok(number) => progress.lock().finished(number),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            if taken >= room.reuse || progress.lock().closed {
                seat.leave();
                break false;
            }
            if running.len() >= room.concurrency || accessor.poll_ready_for_concurrent_call(handler, cx).is_pending() {
                seat.set(Condition::Full);
                break true;
            }
            seat.set(Condition::Open);
            // One a turn: whoever computes does so before others have been taken along.
            if took_one {
                break true;
            }
            let Some(call) = seat.next(cx.waker()) else { break true };
            took_one = true;
            taken += 1;
            let number = taken;
            // Once a request; a second instance never sees it.
            _ = call.fate.instance.set(fate.clone());
            progress.lock().started(number);
            let prepared = accessor
                .with(|mut store| Prepared::new(store.as_context_mut(), proxy, call.request, State::http, call.answer));
            // Its deadline is the caller's, who stops waiting, and `Watch`'s.
            running.push(async move {
                prepared?.run(accessor, std::future::pending()).await?;
                wasmtime::error::Ok(number)
            });
        };
        if running.is_empty() {
            let idle = accessor.poll_no_interesting_tasks(cx).is_ready();
            progress.lock().answered_all(idle);
            if idle && !open && !fate.keeps(cx) {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    })
    .await
}

/// What an instance is at, as far as deadlines are concerned.
struct Progress(Mutex<Requests>);

struct Requests {
    /// Unanswered, in the order in which they were taken.
    unanswered: VecDeque<(usize, Instant)>,
    /// Nothing runs that outlives its response.
    idle: bool,
    /// When the last request was answered, or what outlived it ended.
    since: Instant,
    /// A request is late. A guest's task cannot be cancelled (wasmtime #11833), so the instance
    /// takes no other and ends with those that it has.
    closed: bool,
}

impl Progress {
    fn new() -> Self {
        let since = Instant::now();
        Self(Mutex::new(Requests { unanswered: VecDeque::new(), idle: true, since, closed: false }))
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requests {
    fn started(&mut self, number: usize) {
        self.unanswered.push_back((number, Instant::now()));
    }

    fn finished(&mut self, number: usize) {
        self.unanswered.retain(|(other, _)| *other != number);
        if self.unanswered.is_empty() {
            self.since = Instant::now();
            self.idle = false;
        }
    }

    fn answered_all(&mut self, idle: bool) {
        if idle && !self.idle {
            self.since = Instant::now();
        }
        self.idle = idle;
    }
}

/// Looks at an instance from outside of its event loop, which stands still while the guest computes.
struct Watch {
    limits: Arc<Limits>,
    fate: Arc<InstanceFate>,
    /// Since when the guest computes, and how often it was told to pause.
    computing: Option<(Instant, u32)>,
    sleep: Pin<Box<Sleep>>,
    retire: Pin<Box<WaitForCancellationFutureOwned>>,
    retired: bool,
}

/// What to do at a deadline.
enum Due {
    /// Take no more requests.
    Close,
    /// End, in order.
    Leave,
    /// End, whatever runs.
    GiveUp,
}

const TIMED_OUT: &str = "the guest took longer than a request may take";

impl Watch {
    fn new(limits: &Arc<Limits>, retire: CancellationToken, fate: &Arc<InstanceFate>) -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(limits.instance_idle())),
            limits: limits.clone(),
            fate: fate.clone(),
            computing: None,
            retire: Box::pin(retire.cancelled_owned()),
            retired: false,
        }
    }

    /// After each turn.
    fn poll(&mut self, cx: &mut Context<'_>, progress: &Progress, seat: &Seat<Call>) -> Poll<wasmtime::Result<()>> {
        self.notice_computing(seat);
        if !self.retired {
            self.retired = self.retire.as_mut().poll(cx).is_ready();
        }
        loop {
            let mut requests = progress.lock();
            if self.retired && requests.idle && requests.unanswered.is_empty() && !self.fate.keeps(cx) {
                return Poll::Ready(Ok(()));
            }
            let Some((deadline, due)) = self.deadline(&requests, cx) else { return Poll::Pending };
            // Deadlines move on with every request, and the alarm only when it has rung: setting it costs more.
            if self.sleep.deadline().into_std() > deadline {
                self.sleep.as_mut().reset(deadline.into());
            }
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() < deadline {
                self.sleep.as_mut().reset(deadline.into());
                continue;
            }
            match due {
                Due::Leave => return Poll::Ready(Ok(())),
                Due::GiveUp => return Poll::Ready(Err(wasmtime::format_err!("{TIMED_OUT}"))),
                Due::Close => {
                    requests.closed = true;
                    drop(requests);
                    seat.leave();
                }
            }
        }
    }

    fn deadline(&self, requests: &Requests, cx: &Context<'_>) -> Option<(Instant, Due)> {
        let timeout = self.limits.request_timeout();
        // Each body that is read has a deadline of its own.
        let unless_kept =
            |deadline, due| (deadline > Instant::now() || !self.fate.keeps(cx)).then_some((deadline, due));
        let own = match (requests.unanswered.front(), requests.unanswered.back()) {
            (Some((_, first)), _) if !requests.closed => Some((*first + timeout, Due::Close)),
            (_, Some((_, last))) => Some((*last + timeout + GRACE, Due::GiveUp)),
            _ if requests.idle => unless_kept(requests.since + self.limits.instance_idle(), Due::Leave),
            _ => unless_kept(requests.since + timeout + GRACE, Due::GiveUp),
        };
        let computing = self.computing.map(|(since, _)| (since + timeout + GRACE, Due::GiveUp));
        own.into_iter().chain(computing).min_by_key(|(deadline, _)| *deadline)
    }

    /// A turn that ended because the guest was told to pause has looked at nothing else.
    fn notice_computing(&mut self, seat: &Seat<Call>) {
        if !self.fate.told_to_pause.swap(false, Ordering::Relaxed) {
            self.computing = None;
            return;
        }
        let (_, pauses) = self.computing.get_or_insert_with(|| (Instant::now(), 0));
        *pauses += 1;
        if *pauses == PAUSES {
            seat.set(Condition::Computing);
        }
    }
}
