//! Every limit that the host puts on a component and on its clients, with its default and its
//! reason. Does not enforce any: the place that does is named beside each.

use std::time::Duration;

use crate::generation::Terms;

/// Bytes of a component, whichever way it comes: the file, the admin port, a command. Ours have one
/// or two millions [`component`]
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// Bytes of the answer to the probe, which says little more than that all is well [`swap`]
pub const MAX_PROBE_BODY_BYTES: usize = 1 << 20;

/// Compiled components that a cache keeps, a few megabytes each: eight services in as many versions
/// [`component::cache`]
pub const MAX_ARTIFACTS: usize = 64;

/// The limits of one service. Each is a flag of `serve` and `up`, and an environment variable.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Requests in flight at once, per service; more are answered 503 with `Retry-After`, not queued
    /// [`dispatch`]
    #[arg(long, env = "COMPTOIR_MAX_REQUESTS", default_value_t = 1024)]
    pub max_requests: usize,

    /// Open client connections, per service and core; more wait in the kernel's backlog [`server`]
    #[arg(long, env = "COMPTOIR_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,

    /// Bytes of a request's body; more is answered 413 [`dispatch`]
    #[arg(long, env = "COMPTOIR_MAX_REQUEST_BODY_BYTES", default_value_t = 8 << 20)]
    pub max_request_body_bytes: u64,

    /// Bytes of a request's headers; more is answered 431 [`server`]
    #[arg(long, env = "COMPTOIR_MAX_REQUEST_HEADER_BYTES", default_value_t = 32 << 10)]
    pub max_request_header_bytes: usize,

    /// Milliseconds from the first byte of a request until its response's head; then 504 [`generation`]
    #[arg(long, env = "COMPTOIR_REQUEST_TIMEOUT_MS", default_value_t = 15_000)]
    pub request_timeout_ms: u64,

    /// Milliseconds in which a client must take some of what is sent to it; then its connection ends
    /// [`server`]
    #[arg(long, env = "COMPTOIR_WRITE_TIMEOUT_MS", default_value_t = 60_000)]
    pub write_timeout_ms: u64,

    /// Milliseconds that a response's body may take after its head; then it is cut off [`dispatch`]
    #[arg(long, env = "COMPTOIR_STREAM_TIMEOUT_MS", default_value_t = 600_000)]
    pub stream_timeout_ms: u64,

    /// Milliseconds that an instance without work stays warm [`generation`]
    #[arg(long, env = "COMPTOIR_INSTANCE_IDLE_MS", default_value_t = 10_000)]
    pub instance_idle_ms: u64,

    /// Requests that one instance handles at once; a database call or an outbound call in one does
    /// not hold up the others [`generation`]
    #[arg(long, env = "COMPTOIR_INSTANCE_CONCURRENCY", default_value_t = 32)]
    pub instance_concurrency: usize,

    /// Requests after which an instance is replaced, so that a guest that leaks stays small
    /// [`generation`]
    #[arg(long, env = "COMPTOIR_INSTANCE_REUSE", default_value_t = 4096)]
    pub instance_reuse: usize,

    /// Instances per core and version; requests wait for one of them when there are as many. A guest of
    /// WASI 0.2 handles one request at a time in each [`generation`]
    #[arg(long, env = "COMPTOIR_MAX_INSTANCES", default_value_t = 64)]
    pub max_instances: usize,

    /// Bytes that one call of a guest may hand to the host: statements, parameters, headers, log lines
    /// [`state`]
    #[arg(long, env = "COMPTOIR_MAX_CALL_BYTES", default_value_t = 16 << 20)]
    pub max_call_bytes: usize,

    /// Bytes of linear memory of one instance, all its memories together [`state`]
    #[arg(long, env = "COMPTOIR_MAX_MEMORY_BYTES", default_value_t = 128 << 20)]
    pub max_memory_bytes: usize,

    /// Elements of all tables of one instance [`state`]
    #[arg(long, env = "COMPTOIR_MAX_TABLE_ELEMENTS", default_value_t = 100_000)]
    pub max_table_elements: usize,

    /// Handles to resources that one instance may hold [`state`]
    #[arg(long, env = "COMPTOIR_MAX_HANDLES", default_value_t = 10_000)]
    pub max_handles: usize,

    /// Milliseconds in which a new version is watched: one that fails too often goes back to the version
    /// before it by itself; 0 turns that off [`generation`]
    #[arg(long, env = "COMPTOIR_PROBATION_MS", default_value_t = 60_000)]
    pub probation_ms: u64,

    /// Failures below which a new version stays, whatever their share: 5xx but 503, traps, missed
    /// deadlines [`generation`]
    #[arg(long, env = "COMPTOIR_PROBATION_MIN_FAILURES", default_value_t = 5)]
    pub probation_min_failures: u32,

    /// Percent of failures up to which a new version stays [`generation`]
    #[arg(long, env = "COMPTOIR_PROBATION_MAX_FAILURE_PERCENT", default_value_t = 20)]
    pub probation_max_failure_percent: u32,

    /// Lines that a service's component may have in the log within a second; more are dropped,
    /// counted in `component_log_lines_dropped_total`, and told once a second [`log_budget`]
    #[arg(long, env = "COMPTOIR_MAX_LOG_LINES_PER_SECOND", default_value_t = 1000)]
    pub max_log_lines_per_second: u32,

    /// Milliseconds that one run of a background task may take [`background`]
    #[arg(long, env = "COMPTOIR_TASK_TIMEOUT_MS", default_value_t = 60_000)]
    pub task_timeout_ms: u64,

    /// Outbound calls under way at once, per service, until their responses are read; more fail at once
    /// [`outbound`]
    #[arg(long, env = "COMPTOIR_MAX_OUTBOUND_REQUESTS", default_value_t = 512)]
    pub max_outbound_requests: usize,

    /// Bytes of the body of a peer's response; one that goes on breaks off [`outbound`]
    #[arg(long, env = "COMPTOIR_MAX_OUTBOUND_RESPONSE_BYTES", default_value_t = 16 << 20)]
    pub max_outbound_response_bytes: u64,

    /// Milliseconds that an outbound call may take until its response's head, and that a peer may
    /// pause within its response, whatever the guest asks for [`outbound`]
    #[arg(long, env = "COMPTOIR_OUTBOUND_TIMEOUT_MS", default_value_t = 10_000)]
    pub outbound_timeout_ms: u64,

    /// Connections to Postgres, per service (spread over the cores; up to a quarter of them are shared by
    /// statements that are quick) [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: usize,

    /// Milliseconds that a query waits for a free connection [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_DATABASE_WAIT_MS", default_value_t = 2_000)]
    pub database_wait_ms: u64,

    /// Milliseconds that one statement may run [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_STATEMENT_TIMEOUT_MS", default_value_t = 5_000)]
    pub statement_timeout_ms: u64,

    /// Open transactions, per service (spread over the cores, and fewer than connections that are not
    /// shared); more wait as for a connection [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_MAX_TRANSACTIONS", default_value_t = 12)]
    pub max_transactions: usize,

    /// Milliseconds that a transaction may be open; then its statements fail, and it is rolled back
    /// [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_TRANSACTION_TIMEOUT_MS", default_value_t = 30_000)]
    pub transaction_timeout_ms: u64,

    /// Rows of one result [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_MAX_ROWS", default_value_t = 10_000)]
    pub max_rows: usize,

    /// Bytes of one result [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_MAX_RESULT_BYTES", default_value_t = 16 << 20)]
    pub max_result_bytes: usize,

    #[command(flatten)]
    pub compile: CompileLimits,
}

/// The limits of a compilation, which has a process of its own and puts them on itself.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct CompileLimits {
    /// Bytes of address space that compiling a component may take; one that needs more is refused
    /// [`component::compile`]
    #[arg(long, env = "COMPTOIR_COMPILE_MEMORY_BYTES", default_value_t = 2 << 30)]
    pub compile_memory_bytes: u64,

    /// Seconds of CPU time, of all cores together, that compiling a component may take; one that needs
    /// more is refused [`component::compile`]
    #[arg(long, env = "COMPTOIR_COMPILE_CPU_S", default_value_t = 120)]
    pub compile_cpu_s: u64,
}

impl Limits {
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }

    pub fn stream_timeout(&self) -> Duration {
        Duration::from_millis(self.stream_timeout_ms)
    }

    pub fn instance_idle(&self) -> Duration {
        Duration::from_millis(self.instance_idle_ms)
    }

    pub fn task_timeout(&self) -> Duration {
        Duration::from_millis(self.task_timeout_ms)
    }

    /// None: a new version is not watched.
    pub fn probation(&self) -> Option<Terms> {
        (self.probation_ms > 0).then(|| Terms {
            window: Duration::from_millis(self.probation_ms),
            min_failures: self.probation_min_failures,
            max_failure_percent: self.probation_max_failure_percent,
        })
    }

    pub fn outbound_timeout(&self) -> Duration {
        Duration::from_millis(self.outbound_timeout_ms)
    }
}
