//! One connection, what is known of its state, and the guard that decides what becomes of it: back into the pool, into
//! recovery, or closed. No round trip is spent on a connection that is at rest.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use futures_util::StreamExt as _;
use sqlx::postgres::PgStatement;
use sqlx::{AssertSqlSafe, Connection as _, Either, Executor as _, PgConnection, SqlSafeStr as _, Statement as _};
use tokio::runtime::Handle;

use crate::decode::Answer;
use crate::encode;
use crate::error::{self, Fault};
use crate::options::{HEAVY_BYTES, Options, RECOVERY_TIMEOUT};
use crate::statement::Statement;
use crate::types::{Error, Isolation, Value};

mod manager;

pub(crate) use self::manager::Manager;

/// Errors that may lie unread on a connection, at most: that of the abandoned statement, and one for luck.
const MAX_UNREAD_ERRORS: usize = 2;

/// What a connection was doing when it was last heard of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing is unread.
    AtRest,
    /// A statement was sent and its answer not read to the end.
    Running,
    /// Lost, or left in the middle of a preparation, which the statement cache would not know of.
    Unusable,
}

/// A failed statement, and whether trying again makes sense.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) remedy: Remedy,
}

/// What would help.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remedy {
    /// Nothing: the statement failed.
    None,
    /// Forget what the connection has prepared.
    Forget,
    /// Another connection: this one is lost, and the statement had no effect.
    Reconnect,
    /// This one is lost, and what the statement did is unknown.
    Lost,
}

impl Failure {
    fn refused(error: Error) -> Self {
        Self { error, remedy: Remedy::None }
    }
}

/// One connection.
pub(crate) struct Session {
    connection: PgConnection,
    state: State,
    in_transaction: bool,
    /// Something outlives the statements that ran here: not for others.
    spent: bool,
    /// Has answered or been idle before, so that its loss may have happened at any time since.
    used: bool,
    generation: u64,
    since: Instant,
}

impl Session {
    /// One statement: one round trip if it is prepared.
    pub(crate) async fn run<A: Answer>(
        &mut self,
        statement: &Statement,
        parameters: &[Value],
        limits: &Options,
    ) -> Result<A, Failure> {
        self.spent |= statement.spends_session;
        let prepared = self.prepare(statement).await?;
        let expected = match prepared.parameters() {
            Some(Either::Left(types)) => types,
            _ => &[],
        };
        let arguments = encode::arguments(expected, parameters).map_err(Failure::refused)?;
        let mut answer = A::expect(statement, prepared.columns()).map_err(Failure::refused)?;
        let (mut answered, mut result) = (false, Ok(()));
        let started = Instant::now();
        self.state = State::Running;
        let mut stream = self.connection.fetch_many(prepared.query_with(arguments));
        while let Some(item) = stream.next().await {
            answered |= item.is_ok();
            match item {
                Ok(Either::Right(row)) => answer.row(&row, limits).map_err(Failure::refused)?,
                Ok(Either::Left(done)) => answer.complete(done.rows_affected()),
                Err(error) => result = Err(error),
            }
        }
        drop(stream);
        match result {
            Ok(()) => self.state = State::AtRest,
            Err(error) => return Err(self.failed(error, !answered, statement.reads)),
        }
        self.used = true;
        answer.took(statement, expected, started.elapsed() <= limits.quick);
        if answer.bytes() + encode::bytes(parameters) > HEAVY_BYTES {
            self.connection.shrink_buffers();
        }
        Ok(answer)
    }

    /// No round trip if the statement is in the connection's cache.
    async fn prepare(&mut self, statement: &Statement) -> Result<PgStatement, Failure> {
        self.state = State::Unusable;
        let text = AssertSqlSafe(Arc::clone(&statement.text)).into_sql_str();
        match self.connection.prepare_with(text, &[]).await {
            Ok(prepared) => {
                self.state = State::AtRest;
                Ok(prepared)
            }
            // It was not executed.
            Err(error) => Err(self.failed(error, true, true)),
        }
    }

    /// Without effect so far: may the same statement be sent once more over another connection? `unanswered`: nothing
    /// came back; then a farewell of the server precedes any effect. `reads`: it has no effect anyway.
    fn failed(&mut self, error: sqlx::Error, unanswered: bool, reads: bool) -> Failure {
        let (error, remedy) = match error::classify(error) {
            Fault::Refused(error) => (error, Remedy::None),
            Fault::Stale(error) => (error, Remedy::Forget),
            Fault::Lost { error, terminated } => {
                self.state = State::Unusable;
                let harmless = self.used && unanswered && (terminated || reads);
                return Failure { error, remedy: if harmless { Remedy::Reconnect } else { Remedy::Lost } };
            }
        };
        // What the server still says after an error, "ready", `sqlx` reads before it sends the next statement.
        self.state = State::AtRest;
        self.used = true;
        // In a transaction the statements cannot be closed any more; afterwards it is simpler to close all of it.
        self.spent |= self.in_transaction && remedy == Remedy::Forget;
        Failure { error, remedy }
    }

    /// Opens a transaction.
    pub(crate) async fn begin(&mut self, isolation: Isolation) -> Result<(), Failure> {
        self.in_transaction = true;
        self.command(match isolation {
            Isolation::ReadCommitted => "begin isolation level read committed",
            Isolation::RepeatableRead => "begin isolation level repeatable read",
            Isolation::Serializable => "begin isolation level serializable",
        })
        .await
    }

    /// Ends it. Whatever PostgreSQL answers, the transaction is over.
    pub(crate) async fn commit(&mut self) -> Result<(), Failure> {
        let result = self.command("commit").await;
        self.in_transaction = false;
        result
    }

    /// Ends it the other way.
    pub(crate) async fn rollback(&mut self) -> Result<(), Failure> {
        let result = self.command("rollback").await;
        self.in_transaction = false;
        result
    }

    async fn command(&mut self, command: &'static str) -> Result<(), Failure> {
        if self.state == State::Unusable {
            return Err(lost());
        }
        self.state = State::Running;
        match self.connection.execute(command).await {
            Ok(_) => {
                self.state = State::AtRest;
                self.used = true;
                Ok(())
            }
            Err(error) => Err(self.failed(error, true, command.starts_with("begin"))),
        }
    }

    /// Reads what an abandoned statement left unread. An error among it is returned, as that of the statement.
    pub(crate) async fn settle(&mut self) -> Result<(), Failure> {
        if self.state == State::AtRest {
            return Ok(());
        }
        if self.state == State::Unusable {
            return Err(lost());
        }
        let mut result = Ok(());
        for _ in 0..=MAX_UNREAD_ERRORS {
            let Err(error) = self.connection.ping().await else {
                self.state = State::AtRest;
                return result;
            };
            self.state = State::Running;
            let failure = self.failed(error, false, false);
            if failure.remedy == Remedy::Lost {
                return Err(failure);
            }
            self.state = State::Running;
            result = result.and(Err(failure));
        }
        self.state = State::Unusable;
        result
    }

    /// Closes all prepared statements; the next use prepares again.
    pub(crate) async fn forget_statements(&mut self) -> Result<(), Failure> {
        self.state = State::Unusable;
        match self.connection.clear_cached_statements().await {
            Ok(()) => {
                self.state = State::AtRest;
                Ok(())
            }
            Err(error) => Err(self.failed(error, true, true)),
        }
    }

    /// A round trip without a statement.
    pub(crate) async fn ping(&mut self) -> Result<(), Failure> {
        self.state = State::Running;
        match self.connection.ping().await {
            Ok(()) => {
                self.state = State::AtRest;
                self.used = true;
                Ok(())
            }
            Err(error) => Err(self.failed(error, true, true)),
        }
    }

    /// Says goodbye to the server.
    pub(crate) async fn close(self) {
        // It is only polite: if the server does not hear it, it sees the socket close.
        let _ = self.connection.close().await;
    }

    /// Nobody waits for what is under way here, and nobody will.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Unusable;
    }

    fn fate(&self) -> Fate {
        match self.state {
            State::Unusable => Fate::Close,
            _ if self.spent => Fate::Close,
            State::AtRest if !self.in_transaction => Fate::Return,
            _ => Fate::Recover,
        }
    }

    async fn recover(&mut self) -> Result<(), Failure> {
        // The error of a statement that nobody waits for any more matters to nobody.
        let settled = self.settle().await;
        self.connection.shrink_buffers();
        if self.in_transaction && self.state == State::AtRest {
            return self.rollback().await;
        }
        settled
    }
}

/// The connection was lost earlier.
fn lost() -> Failure {
    let error = Error::Unavailable("the connection to the database was lost".into());
    Failure { error, remedy: Remedy::Lost }
}

enum Fate {
    Return,
    Recover,
    Close,
}

/// A session on loan. Dropped, at whatever moment, it does the right thing.
pub(crate) struct Lease {
    /// Empty only while it is dropped.
    object: Option<Object<Manager>>,
}

impl Lease {
    pub(crate) fn new(object: Object<Manager>) -> Self {
        Self { object: Some(object) }
    }

    /// How long ago it was taken out of the pool; zero if it was opened for this loan.
    pub(crate) fn held_for(&self) -> Duration {
        let taken = self.object.as_ref().and_then(|object| Object::metrics(object).recycled);
        taken.map(|taken| taken.elapsed()).unwrap_or_default()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else {
            return;
        };
        match object.fate() {
            Fate::Return => drop(object),
            Fate::Close => discard(object),
            Fate::Recover => match Handle::try_current() {
                Ok(runtime) if !std::thread::panicking() => {
                    let mut patient = Patient { object: Some(object) };
                    drop(runtime.spawn(async move { patient.recover().await }));
                }
                _ => discard(object),
            },
        }
    }
}

/// A session in recovery. If the runtime ends in the middle of it, the connection is closed.
struct Patient {
    object: Option<Object<Manager>>,
}

impl Patient {
    async fn recover(&mut self) {
        let Some(object) = self.object.as_mut() else {
            return;
        };
        let recovered = tokio::time::timeout(RECOVERY_TIMEOUT, object.recover()).await;
        if recovered.is_ok() && matches!(object.fate(), Fate::Return) {
            // Its place in the pool is kept until here, so that abandoned work holds back new work.
            drop(self.object.take());
        } else {
            tracing::debug!("closed a connection that did not come to rest");
        }
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            discard(object);
        }
    }
}

/// Makes room for another connection and closes the socket; a server that is still busy with it notices by itself.
fn discard(object: Object<Manager>) {
    drop(Object::take(object));
}

#[expect(clippy::expect_used, reason = "the object is taken by `drop` and by nothing else")]
impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.object.as_ref().expect("a lease holds a session until it is dropped")
    }
}

#[expect(clippy::expect_used, reason = "the object is taken by `drop` and by nothing else")]
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Session {
        self.object.as_mut().expect("a lease holds a session until it is dropped")
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("state", &self.state).field("in_transaction", &self.in_transaction).finish()
    }
}
