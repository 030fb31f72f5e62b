//! What callers do with the database: statements on their own, and the beginning of transactions.
//!
//! A pool belongs to one runtime (a shard has one of its own): a connection is driven by the runtime that opened it. The
//! runtime needs tokio's timer and I/O.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, PoolError, TimeoutType, Timeouts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::decode::{Answer, Collected};
use crate::encode;
use crate::error;
use crate::held::Ledger;
use crate::lane::Lanes;
use crate::observe::{Observe, Operation, Outcome};
use crate::options::{DEADLINE_GRACE, Options, RECOVERY_TIMEOUT};
use crate::prepared::Prepared;
use crate::session::{Failure, Lease, Manager, Remedy, Session};
use crate::statement::Statement;
use crate::transaction::Transaction;
use crate::types::{Error, Isolation, Rows, Value};

/// A connection that was lost before it was taken says so at once. What is lost later was lost in the middle of a
/// statement, which somebody may have killed on purpose.
const LOST_BEFORE: Duration = Duration::from_millis(250);

/// Connections to one database. Cheap to clone; opens connections when they are needed.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// What a pool is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// Connections at most; 0 once the pool is closed.
    pub max: usize,
    /// Open and free.
    pub idle: usize,
    /// Open and in somebody's hands, or coming to rest after somebody dropped them.
    pub in_use: usize,
    /// Callers without a connection yet.
    pub waiting: usize,
    /// Transactions that were begun and not ended.
    pub open_transactions: usize,
}

/// A pool and its transactions hold on to this.
pub(crate) struct Shared {
    connections: managed::Pool<Manager>,
    lanes: Arc<Lanes>,
    transactions: Arc<Semaphore>,
    pub(crate) ledger: Ledger,
    options: Options,
    observer: Arc<dyn Observe>,
}

impl Pool {
    /// A pool that nobody observes. Does no I/O.
    pub fn new(options: Options) -> Self {
        Self::with_observer(options, Arc::new(()))
    }

    /// A pool that tells `observer` about every operation.
    pub fn with_observer(options: Options, observer: Arc<dyn Observe>) -> Self {
        let options = Options { max_connections: options.max_connections.max(1), ..options };
        let builder = managed::Pool::builder(Manager::new(&options)).max_size(options.own_connections());
        #[expect(clippy::expect_used, reason = "`build` fails for timeouts without a runtime only")]
        let connections = builder.runtime(Runtime::Tokio1).build().expect("a runtime was given");
        let transactions = Arc::new(Semaphore::new(options.transaction_slots()));
        let ledger = Ledger::new(options.max_held_bytes);
        let lanes = Arc::new(Lanes::new(&options));
        Self { shared: Arc::new(Shared { connections, lanes, transactions, ledger, options, observer }) }
    }

    /// Runs one statement in a transaction of its own.
    pub async fn query(&self, statement: &str, parameters: Vec<Value>) -> Result<Rows, Error> {
        let shared = &*self.shared;
        let rows = async { Ok(shared.once::<Collected>(statement, &parameters).await?.described()) };
        shared.observed(Operation::Query, rows).await
    }

    /// The same for a statement whose rows do not matter: the number of affected rows.
    pub async fn execute(&self, statement: &str, parameters: Vec<Value>) -> Result<u64, Error> {
        let shared = &*self.shared;
        shared.observed(Operation::Execute, shared.once::<u64>(statement, &parameters)).await
    }

    /// Looks at a statement that is to run many times. Does no I/O.
    pub fn prepare(&self, text: &str) -> Result<Prepared, Error> {
        let statement = self.shared.statement(text);
        if statement.is_err() {
            // It will not run, and whoever counts what fails wants to know.
            self.shared.observer.operation(Operation::Query, Outcome::from(&statement), Duration::ZERO);
        }
        Ok(Prepared { statement: statement?, shared: Arc::clone(&self.shared) })
    }

    /// Opens a transaction. Over `max_open_transactions` it waits as long as for a connection, then it is `Error::Limit`.
    pub async fn begin(&self, isolation: Isolation) -> Result<Transaction, Error> {
        self.shared.observed(Operation::Begin, self.open(isolation)).await
    }

    async fn open(&self, isolation: Isolation) -> Result<Transaction, Error> {
        let slot = self.shared.slot().await?;
        let mut lease = self.shared.acquire().await?;
        let mut result = self.shared.within_deadline(&mut lease, async |session| session.begin(isolation).await).await;
        if let Err(Failure { remedy: Remedy::Reconnect, .. }) = result {
            lease = self.shared.reconnect(lease).await?;
            result = self.shared.within_deadline(&mut lease, async |session| session.begin(isolation).await).await;
        }
        result.map_err(|failure| failure.error)?;
        Ok(Transaction::new(lease, slot, Arc::clone(&self.shared)))
    }

    /// Whether the database answers. While all connections are in use it is asked over another one, so that a busy
    /// component does not look like a broken one.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut lease = match self.shared.connection(Duration::ZERO).await {
            Ok(lease) => lease,
            Err(PoolError::Timeout(TimeoutType::Wait)) => return self.shared.connections.manager().knock().await,
            Err(error) => return Err(self.shared.unavailable(error)),
        };
        let mut result = self.shared.within_deadline(&mut lease, async |session| session.ping().await).await;
        if let Err(Failure { remedy: Remedy::Reconnect, .. }) = result {
            lease = self.shared.reconnect(lease).await?;
            result = self.shared.within_deadline(&mut lease, async |session| session.ping().await).await;
        }
        result.map_err(|failure| failure.error)
    }

    /// A snapshot for metrics.
    pub fn status(&self) -> Status {
        let status = self.shared.connections.status();
        let (idle, in_use) = self.shared.lanes.status();
        let slots = self.shared.options.transaction_slots();
        Status {
            max: if status.max_size == 0 { 0 } else { self.shared.options.max_connections },
            idle: idle + status.available,
            in_use: in_use + status.size.saturating_sub(status.available),
            waiting: status.waiting,
            open_transactions: slots.saturating_sub(self.shared.transactions.available_permits()),
        }
    }

    /// Connections opened so far are closed instead of used again: for after a migration, whose predecessor's plans and
    /// types they remember.
    pub fn refresh(&self) {
        self.shared.connections.manager().refresh();
        self.shared.lanes.refresh();
    }

    /// Refuses new work, says goodbye on idle connections, and closes the others when they come back.
    pub async fn close(&self) {
        let idle = self.shared.connections.retain(|_, _| false).removed;
        self.shared.connections.close();
        self.shared.connections.manager().close();
        self.shared.lanes.close();
        self.shared.transactions.close();
        let goodbyes = async {
            for session in idle {
                session.close().await;
            }
        };
        // If the server does not listen, the sockets close without it.
        let _ = tokio::time::timeout(RECOVERY_TIMEOUT, goodbyes).await;
    }
}

impl Shared {
    /// A statement that nobody prepared.
    async fn once<A: Answer>(&self, text: &str, parameters: &[Value]) -> Result<A, Error> {
        let statement = self.statement(text)?;
        let _held = self.ledger.hold(encode::bytes(parameters))?;
        self.alone(&statement, parameters).await
    }

    /// A statement over a connection that others use at the same time; none if it should have one of its own.
    pub(crate) async fn together(&self, statement: &Statement, parameters: &[Value]) -> Option<Collected> {
        let answer = self.lanes.ask(statement, parameters).await?;
        self.observer.waited(Duration::ZERO);
        Some(answer)
    }

    /// A statement on its own, once more if that can only help.
    pub(crate) async fn alone<A: Answer>(&self, statement: &Statement, parameters: &[Value]) -> Result<A, Error> {
        let mut lease = self.acquire().await?;
        let failure = match self.run(&mut lease, statement, parameters).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        match failure.remedy {
            Remedy::Reconnect if lease.held_for() < LOST_BEFORE => lease = self.reconnect(lease).await?,
            Remedy::Forget => {
                let forgotten = self.within_deadline(&mut lease, async |session| session.forget_statements().await);
                forgotten.await.map_err(|failure| failure.error)?;
            }
            Remedy::None => return Err(failure.error),
            Remedy::Lost | Remedy::Reconnect => {
                self.connections.manager().refresh();
                return Err(failure.error);
            }
        }
        self.run(&mut lease, statement, parameters).await.map_err(|failure| failure.error)
    }

    /// A statement on a connection at hand, within the deadline of the host.
    pub(crate) async fn run<A: Answer>(
        &self,
        session: &mut Session,
        statement: &Statement,
        parameters: &[Value],
    ) -> Result<A, Failure> {
        let deadline = self.options.statement_timeout + DEADLINE_GRACE;
        let run = session.run(statement, parameters, &self.options);
        match tokio::time::timeout(deadline, run).await {
            Ok(result) => result,
            Err(_) => Err(overdue(session)),
        }
    }

    /// Anything else on a connection, within the same deadline.
    pub(crate) async fn within_deadline<T>(
        &self,
        session: &mut Session,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let deadline = self.options.statement_timeout + DEADLINE_GRACE;
        match tokio::time::timeout(deadline, work(session)).await {
            Ok(result) => result,
            Err(_) => Err(overdue(session)),
        }
    }

    pub(crate) fn statement(&self, text: &str) -> Result<Statement, Error> {
        Statement::check(text, self.options.max_statement_bytes, &self.ledger)
    }

    /// A connection in place of one that was lost while it was idle. The others are as old, so they are lost too.
    async fn reconnect(&self, lost: Lease) -> Result<Lease, Error> {
        self.connections.manager().refresh();
        drop(lost);
        self.acquire().await
    }

    async fn acquire(&self) -> Result<Lease, Error> {
        // Most of the time one is free: no clock, no timer.
        match self.connection(Duration::ZERO).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {}
            result => {
                self.observer.waited(Duration::ZERO);
                return result.map_err(|error| self.unavailable(error));
            }
        }
        let start = Instant::now();
        let result = self.connection(self.options.acquire_timeout).await;
        self.observer.waited(start.elapsed());
        result.map_err(|error| self.unavailable(error))
    }

    async fn connection(&self, wait: Duration) -> Result<Lease, PoolError<Error>> {
        let timeouts = Timeouts { wait: Some(wait), create: Some(self.options.acquire_timeout), recycle: None };
        self.connections.timeout_get(&timeouts).await.map(Lease::new)
    }

    fn unavailable(&self, error: PoolError<Error>) -> Error {
        let millis = self.options.acquire_timeout.as_millis();
        Error::Unavailable(match error {
            PoolError::Backend(error) => return error,
            PoolError::Timeout(TimeoutType::Wait) => {
                let max = self.options.max_connections;
                format!("no free connection within {millis} ms: all {max} are in use")
            }
            PoolError::Timeout(_) => {
                return error::connecting(&sqlx::Error::PoolTimedOut, self.options.acquire_timeout);
            }
            PoolError::Closed => "the pool is closed".into(),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => "no connection".into(),
        })
    }

    pub(crate) fn transaction_timeout(&self) -> Duration {
        self.options.transaction_timeout
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Error> {
        let slot = Arc::clone(&self.transactions).acquire_owned();
        match tokio::time::timeout(self.options.acquire_timeout, slot).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(Error::Unavailable("the pool is closed".into())),
            Err(_) => {
                let (max, millis) = (self.options.transaction_slots(), self.options.acquire_timeout.as_millis());
                Err(Error::Limit(format!("no transaction ended within {millis} ms: all {max} are open")))
            }
        }
    }

    /// Reports how `work` went, also if it is dropped.
    pub(crate) async fn observed<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let observer = &*self.observer;
        let mut report = Report { observer, operation, outcome: Outcome::Cancelled, start: Instant::now() };
        let result = work.await;
        report.outcome = Outcome::from(&result);
        result
    }
}

/// The server did not even say that the statement was cancelled.
fn overdue(session: &mut Session) -> Failure {
    session.give_up();
    Failure { error: Error::Timeout, remedy: Remedy::None }
}

/// Reports when it is dropped.
struct Report<'a> {
    observer: &'a dyn Observe,
    operation: Operation,
    outcome: Outcome,
    start: Instant,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        self.observer.operation(self.operation, self.outcome, self.start.elapsed());
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("options", &self.shared.options).field("status", &self.status()).finish()
    }
}
