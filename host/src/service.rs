//! One service of the host: its current generation, what its instances are given, and how a new
//! version takes over. The steps are in `swap`; here is the state that they change.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use arc_swap::ArcSwapOption;
use comptoir_postgres::{Options, Pool};
use http::HeaderValue;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::background::Background;
use crate::component::cache::ArtifactCache;
use crate::component::{self, Digest, Refusal, Stage};
use crate::config::ServiceConfig;
use crate::dispatch::{ActiveRequest, RouteLabels};
use crate::generation::Generation;
use crate::identity::Trust;
use crate::limits::Limits;
use crate::log_budget::LogBudget;
use crate::metrics::Metrics;
use crate::outbound;
use crate::postgres::Observer;
use crate::problem::Problem;
use crate::spans::Spans;
use crate::state::{Capabilities, State};

/// What all services of a process share.
#[derive(Clone, Debug)]
pub struct Platform {
    pub engine: Arc<Engine>,
    pub cache: ArtifactCache,
    pub metrics: Arc<Metrics>,
    pub shards: Vec<Handle>,
}

/// The replicas of a service in one process have one, so that they swap one after another.
pub type Turn = Arc<tokio::sync::Mutex<()>>;

pub struct Service {
    config: ServiceConfig,
    pub(crate) platform: Platform,
    pub(crate) linker: Linker<State>,
    /// One a core.
    pub(crate) capabilities: Vec<Arc<Capabilities>>,
    pub(crate) background: Background,
    pub(crate) current: ArcSwapOption<Generation>,
    /// The one before: rolling back is a pointer.
    pub(crate) previous: ArcSwapOption<Generation>,
    /// Held while pointers change, and no longer: going back does not wait for a version that is being loaded.
    pub(crate) switching: Mutex<()>,
    /// Those that have served, while something is left of them.
    retired: Mutex<Vec<Weak<Generation>>>,
    /// Held while a version is being loaded.
    pub(crate) turn: Turn,
    /// Of versions that were to be loaded, the last one's.
    pub(crate) tickets: AtomicU64,
    /// Of the last generation.
    pub(crate) last_number: AtomicU64,
    loading: Mutex<Option<Loading>>,
    last_refusal: Mutex<Option<RefusalReport>>,
    /// Woken by every switch and every refusal.
    pub(crate) progress: Notify,
    admission: Arc<Semaphore>,
    active: prometheus::IntGauge,
    routes: RouteLabels,
    spans: Option<Arc<Spans>>,
}

/// A version on its way into service.
#[derive(Clone, Debug)]
pub struct Loading {
    pub digest: Digest,
    pub since: SystemTime,
    /// What is being done with it.
    pub stage: Stage,
}

/// Until it is dropped, the service tells of a version on its way.
pub(crate) struct LoadingGuard<'a>(&'a Service);

impl Drop for LoadingGuard<'_> {
    fn drop(&mut self) {
        *self.0.lock_loading() = None;
    }
}

/// The last component that was not taken into service.
#[derive(Clone, Debug)]
pub struct RefusalReport {
    pub at: SystemTime,
    pub stage: &'static str,
    pub message: String,
    /// The cause lies outside the component: it is tried again.
    pub transient: bool,
}

impl Service {
    pub fn new(config: ServiceConfig, platform: Platform, turn: Turn) -> Result<Self> {
        let name: Arc<str> = config.name.as_str().into();
        let metrics = &platform.metrics;
        metrics.declare(&name, config.peers.keys());
        let linker = component::linker(&platform.engine, config.database.is_some()).map_err(anyhow::Error::from)?;
        let log_budget = LogBudget::new(
            name.clone(),
            config.limits.max_log_lines_per_second,
            metrics.log_lines_dropped.with_label_values(&[&name]),
        );
        let spans = Spans::start(&config.spans, &name, config.served_by.to_str().unwrap_or(&name))?.map(Arc::new);
        let places = Arc::new(Semaphore::new(config.limits.max_outbound_requests));
        let capabilities = platform
            .shards
            .iter()
            .map(|_| {
                Ok(Arc::new(Capabilities {
                    service: name.clone(),
                    database: pool(&config, platform.shards.len(), metrics),
                    outbound: outbound::Client::new(
                        &name,
                        config.trust.service.as_ref(),
                        config.peers.clone(),
                        config.limits.clone(),
                        places.clone(),
                        metrics.clone(),
                        spans.clone(),
                    )
                    .with_context(|| format!("the name `{name}` or its secret cannot be a header"))?,
                    metrics: metrics.clone(),
                    secrets: config.secrets.clone(),
                    limits: config.limits.clone(),
                    log_budget: log_budget.clone(),
                }))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            admission: Arc::new(Semaphore::new(config.limits.max_requests)),
            active: metrics.http_active.with_label_values(&[&name]),
            background: Background::default(),
            current: ArcSwapOption::empty(),
            previous: ArcSwapOption::empty(),
            switching: Mutex::default(),
            retired: Mutex::default(),
            turn,
            tickets: AtomicU64::new(0),
            last_number: AtomicU64::new(0),
            loading: Mutex::default(),
            last_refusal: Mutex::default(),
            progress: Notify::new(),
            routes: RouteLabels::default(),
            spans,
            config,
            platform,
            linker,
            capabilities,
        })
    }

    pub fn config(&self) -> &ServiceConfig {
        &self.config
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub fn served_by(&self) -> &HeaderValue {
        &self.config.served_by
    }

    /// The replica's name, for people.
    pub fn replica(&self) -> &str {
        self.config.served_by.to_str().unwrap_or(&self.config.name)
    }

    pub fn trust(&self) -> &Trust {
        &self.config.trust
    }

    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }

    pub fn metrics(&self) -> &Metrics {
        &self.platform.metrics
    }

    pub fn routes(&self) -> &RouteLabels {
        &self.routes
    }

    /// None: nobody wants them.
    pub fn spans(&self) -> Option<&Spans> {
        self.spans.as_deref()
    }

    pub fn current(&self) -> Option<Arc<Generation>> {
        self.current.load_full()
    }

    pub fn previous(&self) -> Option<Arc<Generation>> {
        self.previous.load_full()
    }

    /// Older generations than the one before that finish what they have begun.
    pub fn draining(&self) -> Vec<Arc<Generation>> {
        let kept = [self.current(), self.previous()];
        let is_kept = |generation: &Arc<Generation>| kept.iter().flatten().any(|kept| Arc::ptr_eq(kept, generation));
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let left = retired.iter().filter_map(Weak::upgrade);
        left.filter(|generation| !is_kept(generation) && !generation.is_empty()).collect()
    }

    /// Remembers a generation that has served, for as long as something is left of it.
    pub(crate) fn remember(&self, generation: &Arc<Generation>) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = Arc::downgrade(generation);
        retired.retain(|other| other.strong_count() > 0 && !other.ptr_eq(&generation));
        retired.push(generation);
    }

    /// A place for one more request, or none: there is no queue.
    pub fn admit(&self) -> Option<ActiveRequest> {
        let permit = self.admission.clone().try_acquire_owned().ok()?;
        Some(ActiveRequest::new(self.active.clone(), permit))
    }

    /// Counts a request that a limit refused.
    pub fn refused(&self, limit: &str, problem: Problem) -> Problem {
        self.metrics().http_refused.with_label_values(&[self.name(), limit]).inc();
        problem
    }

    /// The version that is on its way into service.
    pub fn loading(&self) -> Option<Loading> {
        self.lock_loading().clone()
    }

    pub(crate) fn begin_loading(&self, digest: Digest) -> LoadingGuard<'_> {
        *self.lock_loading() = Some(Loading { digest, since: SystemTime::now(), stage: Stage::Read });
        LoadingGuard(self)
    }

    /// Tells how far the version is that is on its way.
    pub(crate) fn reaches(&self, stage: Stage) {
        if let Some(loading) = self.lock_loading().as_mut() {
            loading.stage = stage;
        }
    }

    fn lock_loading(&self) -> MutexGuard<'_, Option<Loading>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn last_refusal(&self) -> Option<RefusalReport> {
        self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records why a component was not taken into service.
    pub(crate) fn report(&self, refusal: &Refusal) {
        self.metrics().swaps.with_label_values(&[self.name(), "refused", refusal.stage.as_str()]).inc();
        let message = format!("{:#}", refusal.cause);
        tracing::error!(
            service = self.name(),
            replica = self.replica(),
            stage = refusal.stage.as_str(),
            error = message,
            "refused a component"
        );
        let report = RefusalReport {
            at: SystemTime::now(),
            stage: refusal.stage.as_str(),
            message,
            transient: refusal.transient,
        };
        *self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        self.progress.notify_waiters();
    }

    /// Waits for the end of the first attempt to load the component: a generation, or the reason why
    /// there is none yet.
    pub async fn first_attempt(&self) -> Result<Arc<Generation>, RefusalReport> {
        loop {
            let progress = self.progress.notified();
            if let Some(generation) = self.current() {
                return Ok(generation);
            }
            if let Some(refusal) = self.last_refusal() {
                return Err(refusal);
            }
            progress.await;
        }
    }

    /// Whether requests would be served: a generation is loaded and the database answers.
    pub async fn ready(&self) -> Result<()> {
        self.current().context("no component is loaded")?;
        let (Some(capabilities), Some(shard)) = (self.capabilities.first(), self.platform.shards.first()) else {
            return Ok(());
        };
        if let Some(pool) = capabilities.database.clone() {
            shard.spawn(async move { pool.ping().await }).await?.context("the database does not answer")?;
        }
        Ok(())
    }

    /// Brings the gauges that are read from state up to date.
    pub fn refresh_gauges(&self) -> [i64; 3] {
        let mut totals = [0; 3];
        for status in self.capabilities.iter().filter_map(|capabilities| Some(capabilities.database.as_ref()?.status()))
        {
            for (total, count) in totals.iter_mut().zip([status.idle, status.in_use, status.open_transactions]) {
                *total += i64::try_from(count).unwrap_or(i64::MAX);
            }
        }
        totals
    }

    /// Lets no background task begin, and waits for those that run.
    pub async fn background_ended(&self) {
        self.background.stop();
        self.background.ended().await;
    }

    /// Ends background work and idle instances, then closes the database connections; those in use
    /// close when they come back. Sends the last spans.
    pub async fn close(&self) {
        self.background.stop();
        if let Some(current) = self.current() {
            current.retire();
            current.emptied().await;
        }
        for (capabilities, shard) in self.capabilities.iter().zip(&self.platform.shards) {
            if let Some(pool) = capabilities.database.clone()
                && let Err(error) = shard.spawn(async move { pool.close().await }).await
            {
                tracing::warn!(service = self.name(), %error, "could not close the database connections");
            }
        }
        // Last: a collector that does not listen must hold nothing else up.
        if let Some(spans) = self.spans.clone() {
            let finished = tokio::task::spawn_blocking(move || spans.finish()).await;
            if let Err(error) = finished.map_err(anyhow::Error::from).flatten() {
                tracing::warn!(service = self.name(), error = format!("{error:#}"), "spans were lost");
            }
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A core's share of the service's connections.
fn pool(config: &ServiceConfig, shards: usize, metrics: &Metrics) -> Option<Pool> {
    let database = config.database.as_ref()?;
    let limits = &config.limits;
    let mut options = Options::new(database.0.clone().application_name(&format!("comptoir {}", config.name)));
    options.max_connections = limits.database_connections.div_ceil(shards.max(1));
    options.acquire_timeout = std::time::Duration::from_millis(limits.database_wait_ms);
    options.statement_timeout = std::time::Duration::from_millis(limits.statement_timeout_ms);
    options.max_open_transactions = limits.max_transactions.div_ceil(shards.max(1));
    options.transaction_timeout = std::time::Duration::from_millis(limits.transaction_timeout_ms);
    options.max_rows = limits.max_rows;
    options.max_result_bytes = limits.max_result_bytes;
    Some(Pool::with_observer(options, Arc::new(Observer::new(&config.name, metrics))))
}
