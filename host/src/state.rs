//! What one instance holds: its WASI context, its capabilities and its limits. An instance gets
//! clocks, random numbers and log lines; no argument, no environment, no file and no socket.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::config::Secrets;
use crate::guest_log::{Author, LogStream, Stream};
use crate::limits::Limits;
use crate::log_budget::LogBudget;
use crate::metrics::Metrics;
use crate::outbound;

/// What a service's instances on one core share.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The service's name: metrics, logs, identity of its outbound calls.
    pub service: Arc<str>,
    /// None: the component was given no database.
    pub database: Option<comptoir_postgres::Pool>,
    pub outbound: outbound::Client,
    pub metrics: Arc<Metrics>,
    pub secrets: Arc<Secrets>,
    pub limits: Arc<Limits>,
    /// Of all cores together.
    pub log_budget: Arc<LogBudget>,
}

/// The data of one store.
pub struct State {
    pub capabilities: Arc<Capabilities>,
    /// In whose name the guest writes to the log.
    pub author: Author,
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: outbound::Hooks,
    limiter: Limiter,
    /// Set when the guest has computed for an epoch tick and lets others have a turn.
    pub told_to_pause: Arc<AtomicBool>,
}

impl State {
    fn new(capabilities: Arc<Capabilities>, generation: u64) -> Self {
        let author = Author::new(&capabilities, generation);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(LogStream::new(author.clone(), Stream::Stdout))
            .stderr(LogStream::new(author.clone(), Stream::Stderr))
            .allow_tcp(false)
            .allow_udp(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(capabilities.limits.max_handles);
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: outbound::Hooks::new(capabilities.outbound.clone(), author.clone()),
            limiter: Limiter::new(&capabilities),
            told_to_pause: Arc::default(),
            table,
            author,
            capabilities,
        }
    }

    /// A store for an instance of that generation, with its limits set. The epoch deadline starts one tick ahead: with none set, the
    /// first check would trap.
    pub fn store(engine: &wasmtime::Engine, capabilities: Arc<Capabilities>, generation: u64) -> Store<Self> {
        let Limits { max_handles, max_call_bytes, .. } = *capabilities.limits;
        let mut store = Store::new(engine, Self::new(capabilities, generation));
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(max_handles);
        store.set_hostcall_fuel(max_call_bytes);
        store.epoch_deadline_callback(|store| {
            store.data().told_to_pause.store(true, Ordering::Relaxed);
            // tokio's own, after which it looks at sockets and timers: a task that wakes itself is
            // polled 61 times before that.
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store.set_epoch_deadline(1);
        store
    }

    /// Whether an allocation was refused since the store was made.
    pub fn hit_memory_limit(&self) -> bool {
        self.limiter.refused
    }

    /// The same in words, for whoever is to do something about it.
    pub fn refused_allocation(&self) -> Option<String> {
        let Limiter { max_memory_bytes, max_table_elements, .. } = self.limiter;
        self.hit_memory_limit().then(|| {
            format!(
                "it asked for more than `--max-memory-bytes` ({max_memory_bytes}) or `--max-table-elements` \
                 ({max_table_elements}) allow: build it so that it needs less, or raise them"
            )
        })
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("service", &self.capabilities.service).finish_non_exhaustive()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Bounds memory and tables of an instance in total: a component has several of each, and a limit
/// on every single one would be a limit on none.
struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    refused: bool,
    max_memory_bytes: usize,
    max_table_elements: usize,
    gauge: prometheus::IntGauge,
}

impl Limiter {
    fn new(capabilities: &Capabilities) -> Self {
        Self {
            memory_bytes: 0,
            table_elements: 0,
            refused: false,
            max_memory_bytes: capabilities.limits.max_memory_bytes,
            max_table_elements: capabilities.limits.max_table_elements,
            gauge: capabilities.metrics.memory.with_label_values(&[&capabilities.service]),
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.max_memory_bytes {
            self.refused = true;
            return Ok(false);
        }
        self.gauge.add(i64::try_from(total - self.memory_bytes).unwrap_or(0));
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > self.max_table_elements {
            self.refused = true;
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.gauge.sub(i64::try_from(self.memory_bytes).unwrap_or(0));
    }
}
