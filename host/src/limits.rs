//! Every limit that the host puts on a component and on its clients, with its default and its
//! reason. Does not enforce any: the place that does is named beside each.

use std::time::Duration;

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

    /// Bytes of linear memory of one instance, all its memories together [`state`]
    #[arg(long, env = "COMPTOIR_MAX_MEMORY_BYTES", default_value_t = 128 << 20)]
    pub max_memory_bytes: usize,

    /// Elements of all tables of one instance [`state`]
    #[arg(long, env = "COMPTOIR_MAX_TABLE_ELEMENTS", default_value_t = 100_000)]
    pub max_table_elements: usize,

    /// Handles to resources that one instance may hold [`state`]
    #[arg(long, env = "COMPTOIR_MAX_HANDLES", default_value_t = 10_000)]
    pub max_handles: usize,

    /// Lines that a service's component may have in the log within a second; more are dropped,
    /// counted in `component_log_lines_dropped_total`, and told once a second [`log_budget`]
    #[arg(long, env = "COMPTOIR_MAX_LOG_LINES_PER_SECOND", default_value_t = 1000)]
    pub max_log_lines_per_second: u32,

    /// Milliseconds that one run of a background task may take [`background`]
    #[arg(long, env = "COMPTOIR_TASK_TIMEOUT_MS", default_value_t = 60_000)]
    pub task_timeout_ms: u64,

    /// Milliseconds that an outbound call may take until its response's head, whatever the guest
    /// asks for [`outbound`]
    #[arg(long, env = "COMPTOIR_OUTBOUND_TIMEOUT_MS", default_value_t = 10_000)]
    pub outbound_timeout_ms: u64,

    /// Connections to Postgres, per service (spread over the cores) [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: usize,

    /// Milliseconds that a query waits for a free connection [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_DATABASE_WAIT_MS", default_value_t = 2_000)]
    pub database_wait_ms: u64,

    /// Milliseconds that one statement may run [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_STATEMENT_TIMEOUT_MS", default_value_t = 5_000)]
    pub statement_timeout_ms: u64,

    /// Rows of one result [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_MAX_ROWS", default_value_t = 10_000)]
    pub max_rows: usize,

    /// Bytes of one result [`comptoir_postgres`]
    #[arg(long, env = "COMPTOIR_MAX_RESULT_BYTES", default_value_t = 16 << 20)]
    pub max_result_bytes: usize,
}

impl Limits {
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
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

    pub fn outbound_timeout(&self) -> Duration {
        Duration::from_millis(self.outbound_timeout_ms)
    }
}
