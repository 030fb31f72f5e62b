//! An open transaction: a connection of its own until it ends. Dropped without `commit` it is rolled back.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, OwnedSemaphorePermit};

use crate::decode::{Answer, Collected};
use crate::encode;
use crate::error;
use crate::observe::Operation;
use crate::pool::Shared;
use crate::session::{Failure, Lease};
use crate::statement::Statement;
use crate::types::{Error, Rows, Value};

/// An open transaction. Statements of several tasks run one after the other.
pub struct Transaction {
    work: Mutex<Work>,
    /// Its place among the open transactions.
    _slot: OwnedSemaphorePermit,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Work {
    lease: Lease,
    since: Instant,
    /// One of its statements failed: nothing but a rollback is left.
    failed: bool,
}

impl Transaction {
    pub(crate) fn new(lease: Lease, slot: OwnedSemaphorePermit, shared: Arc<Shared>) -> Self {
        Self { work: Mutex::new(Work { lease, since: Instant::now(), failed: false }), _slot: slot, shared }
    }

    /// Runs one statement: one round trip once it is prepared.
    pub async fn query(&self, statement: &str, parameters: Vec<Value>) -> Result<Rows, Error> {
        let rows = async { Ok(self.once::<Collected>(statement, &parameters).await?.described()) };
        self.shared.observed(Operation::Query, rows).await
    }

    /// The same for a statement whose rows do not matter: the number of affected rows.
    pub async fn execute(&self, statement: &str, parameters: Vec<Value>) -> Result<u64, Error> {
        self.shared.observed(Operation::Execute, self.once::<u64>(statement, &parameters)).await
    }

    /// Makes it last. If the connection is lost meanwhile (`Error::Unavailable`), nobody knows whether it did. If a
    /// statement had failed, all is rolled back and this is an error (SQLSTATE 25P02).
    pub async fn commit(self) -> Result<(), Error> {
        let Self { work, _slot, shared } = self;
        let mut work = work.into_inner();
        shared.observed(Operation::Commit, work.commit(&shared)).await
    }

    /// Undoes it. A connection that is lost meanwhile undoes it too.
    pub async fn rollback(self) -> Result<(), Error> {
        let Self { work, _slot, shared } = self;
        let mut work = work.into_inner();
        shared.observed(Operation::Rollback, work.rollback(&shared)).await
    }

    /// A statement that nobody prepared.
    async fn once<A: Answer>(&self, text: &str, parameters: &[Value]) -> Result<A, Error> {
        let statement = self.shared.statement(text)?;
        let _held = self.shared.ledger.hold(encode::bytes(parameters))?;
        self.run(&statement, parameters).await
    }

    pub(crate) async fn run<A: Answer>(&self, statement: &Statement, parameters: &[Value]) -> Result<A, Error> {
        let mut work = self.work.lock().await;
        work.check_age(&self.shared)?;
        work.settle(&self.shared).await?;
        let result = self.shared.run(&mut work.lease, statement, parameters).await;
        work.noted(result)
    }
}

impl Work {
    async fn commit(&mut self, shared: &Shared) -> Result<(), Error> {
        let in_time = self.check_age(shared);
        if in_time.is_err() {
            self.rollback(shared).await?;
            return in_time;
        }
        self.settle(shared).await?;
        if self.failed {
            self.rollback(shared).await?;
            return Err(error::aborted());
        }
        let result = shared.within_deadline(&mut self.lease, async |session| session.commit().await).await;
        result.map_err(|failure| failure.error)
    }

    async fn rollback(&mut self, shared: &Shared) -> Result<(), Error> {
        let result = shared
            .within_deadline(&mut self.lease, async |session| {
                // What the statement before said does not matter any more.
                let _ = session.settle().await;
                session.rollback().await
            })
            .await;
        if let Err(Failure { error, .. }) = result {
            // The guard closes the connection, and that rolls back.
            tracing::debug!(%error, "a rollback was left to the end of the connection");
            self.lease.give_up();
        }
        Ok(())
    }

    /// A transaction that goes on for ever holds a connection, locks, and what vacuum would clean up.
    fn check_age(&mut self, shared: &Shared) -> Result<(), Error> {
        if self.since.elapsed() <= shared.transaction_timeout() {
            return Ok(());
        }
        self.failed = true;
        Err(Error::Timeout)
    }

    /// Reads what a cancelled or refused statement left unread.
    async fn settle(&mut self, shared: &Shared) -> Result<(), Error> {
        let result = shared.within_deadline(&mut self.lease, async |session| session.settle().await).await;
        self.noted(result)
    }

    fn noted<T>(&mut self, result: Result<T, Failure>) -> Result<T, Error> {
        result.map_err(|Failure { error, .. }| {
            self.failed |= matches!(error, Error::Database(_) | Error::Timeout);
            error
        })
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("work", &self.work).finish_non_exhaustive()
    }
}
