//! Every limit of the capability with its default and the reason for it, in one place.

use std::fmt;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

/// How long the connection of an abandoned operation may take to come to rest before it is closed instead of reused.
pub(crate) const RECOVERY_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a busy backend looks whether its client is still there. Needs PostgreSQL >= 14, on Linux or another system
/// that reports closed sockets: elsewhere the server refuses the connection.
const CLIENT_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// A statement that sent or received more than this leaves large buffers behind, which are given back.
pub(crate) const HEAVY_BYTES: usize = 256 << 10;

/// What the host adds to the server's deadline before it gives up on the connection.
pub(crate) const DEADLINE_GRACE: Duration = Duration::from_secs(1);

/// How a `Pool` connects, and its limits. Every pool (one a shard) has them for itself.
#[derive(Clone)]
pub struct Options {
    /// Server, database, user, password, `application_name`.
    pub connect: PgConnectOptions,
    /// Connections at most; default 16. A quarter of them, three at most, is shared by statements that are quick. Mind the
    /// server's `max_connections`: all pools of all services share it.
    pub max_connections: usize,
    /// How long a caller waits for a free connection, and how long connecting may take; default 2 s.
    pub acquire_timeout: Duration,
    /// A statement that reads, and was answered in this time whenever it ran lately, is sent over a shared connection the
    /// next time; default 10 ms.
    pub quick: Duration,
    /// How long it may then wait for its answer before it is asked again on a connection of its own; default 100 ms.
    pub patience: Duration,
    /// The server cancels a statement after this; default 5 s. The host itself gives up one second later.
    pub statement_timeout: Duration,
    /// Rows of one result at most; default 10,000.
    pub max_rows: usize,
    /// Bytes of one result at most, as its values lie in memory; default 16 MiB.
    pub max_result_bytes: usize,
    /// Bytes of the text of one statement at most; default 64 KiB. Texts are kept in the statement cache.
    pub max_statement_bytes: usize,
    /// Bytes of prepared statements, and of the statements and parameters of all operations under way, those that wait
    /// for a connection included; default 64 MiB.
    pub max_held_bytes: usize,
    /// Transactions open at one time at most; default 12. Always fewer than own connections if there are two or more, so
    /// that a component that queries beside its transactions cannot wait for itself.
    pub max_open_transactions: usize,
    /// A transaction that has been open for this long takes no more statements, and cannot commit; default 30 s.
    pub transaction_timeout: Duration,
    /// The server rolls back a transaction that was not used for this long; default 10 s.
    pub transaction_idle_timeout: Duration,
    /// Prepared statements that a connection keeps; default 200.
    pub statement_cache: usize,
    /// A connection is not used for longer than this, so that no plan, cached type or memory grows old; default 30 min.
    pub max_lifetime: Duration,
}

impl Options {
    /// The defaults.
    pub fn new(connect: PgConnectOptions) -> Self {
        Self {
            connect,
            max_connections: 16,
            acquire_timeout: Duration::from_secs(2),
            quick: Duration::from_millis(10),
            patience: Duration::from_millis(100),
            statement_timeout: Duration::from_secs(5),
            max_rows: 10_000,
            max_result_bytes: 16 << 20,
            max_statement_bytes: 64 << 10,
            max_held_bytes: 64 << 20,
            max_open_transactions: 12,
            transaction_timeout: Duration::from_secs(30),
            transaction_idle_timeout: Duration::from_secs(10),
            statement_cache: 200,
            max_lifetime: Duration::from_secs(30 * 60),
        }
    }

    /// What a connection is opened with: the deadlines travel in the startup message and cost no round trip.
    pub(crate) fn session(&self) -> PgConnectOptions {
        let connect = self.connect.clone().statement_cache_capacity(self.statement_cache.max(1));
        // `sqlx` would log statements, and those that are slow on the level of warnings.
        connect.disable_statement_logging().options([
            ("statement_timeout", millis(self.statement_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.transaction_idle_timeout)),
            ("client_connection_check_interval", millis(CLIENT_CHECK_INTERVAL)),
        ])
    }

    /// Connections that many use at once. More than three carry no more.
    pub(crate) fn shared_connections(&self) -> usize {
        (self.max_connections / 4).min(3)
    }

    /// Those that belong to somebody, for a statement or a transaction.
    pub(crate) fn own_connections(&self) -> usize {
        self.max_connections.saturating_sub(self.shared_connections()).max(1)
    }

    /// `max_open_transactions`, but never all of the connections if there are two or more.
    pub(crate) fn transaction_slots(&self) -> usize {
        let spared = self.own_connections().saturating_sub(1).max(1);
        self.max_open_transactions.clamp(1, spared)
    }
}

/// Without the password, and whatever else the connect options may carry.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("host", &self.connect.get_host())
            .field("port", &self.connect.get_port())
            .field("database", &self.connect.get_database())
            .field("user", &self.connect.get_username())
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("quick", &self.quick)
            .field("patience", &self.patience)
            .field("statement_timeout", &self.statement_timeout)
            .field("max_rows", &self.max_rows)
            .field("max_result_bytes", &self.max_result_bytes)
            .field("max_statement_bytes", &self.max_statement_bytes)
            .field("max_held_bytes", &self.max_held_bytes)
            .field("max_open_transactions", &self.max_open_transactions)
            .field("transaction_timeout", &self.transaction_timeout)
            .field("transaction_idle_timeout", &self.transaction_idle_timeout)
            .field("statement_cache", &self.statement_cache)
            .field("max_lifetime", &self.max_lifetime)
            .finish_non_exhaustive()
    }
}

/// Whole milliseconds, never 0: to the server that would mean "no limit".
fn millis(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}
