//! Opens connections, refuses old ones, and says when there are none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;

use super::{Fate, Session, State};
use crate::error;
use crate::options::Options;
use crate::types::Error;

/// Opens connections and refuses old ones.
pub(crate) struct Manager {
    connect: PgConnectOptions,
    connect_timeout: Duration,
    max_lifetime: Duration,
    generation: AtomicU64,
    /// Connections under way, or opened, that their callers did not wait for. Each has left its place in the pool to the
    /// next caller, who takes it over: there are never more of them than free places.
    orphans: Mutex<Vec<Opening>>,
    start: Instant,
    /// The second since `start`, plus one, in which a failure to connect was logged last.
    complained: AtomicU64,
}

/// A connection that is being opened, by a task of its own.
type Opening = JoinHandle<Result<Session, sqlx::Error>>;

impl Manager {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            connect: options.session(),
            connect_timeout: options.acquire_timeout,
            max_lifetime: options.max_lifetime,
            generation: AtomicU64::new(0),
            orphans: Mutex::default(),
            start: Instant::now(),
            complained: AtomicU64::new(0),
        }
    }

    /// While the database is away every caller fails; one line a second is enough.
    fn cannot_connect(&self, error: &sqlx::Error) -> Error {
        let now = self.start.elapsed().as_secs() + 1;
        if self.complained.swap(now, Ordering::Relaxed) != now {
            tracing::warn!(%error, "cannot connect to the database");
        }
        error::connecting(error, self.connect_timeout)
    }

    /// No connection opened before is handed out again.
    pub(crate) fn refresh(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn is_old(&self, session: &Session) -> bool {
        session.generation != self.generation.load(Ordering::Relaxed) || session.since.elapsed() > self.max_lifetime
    }

    /// Lets go of connections that nobody has taken over.
    pub(crate) fn close(&self) {
        self.orphans().clear();
    }

    fn orphans(&self) -> MutexGuard<'_, Vec<Opening>> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opening takes several round trips, which an impatient caller may never wait for. So it is a task of its own:
    /// what one caller gave up, the next one gets, and a crowd that gives up early does not keep the pool empty.
    fn open(&self) -> Opening {
        let (connect, timeout) = (self.connect.clone(), self.connect_timeout);
        let generation = self.generation.load(Ordering::Relaxed);
        tokio::spawn(async move {
            let connection = tokio::time::timeout(timeout, PgConnection::connect_with(&connect)).await;
            let connection = connection.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
            Ok(Session {
                connection,
                state: State::AtRest,
                in_transaction: false,
                spent: false,
                used: false,
                generation,
                since: Instant::now(),
            })
        })
    }

    /// Whether a connection can be opened.
    pub(crate) async fn knock(&self) -> Result<(), Error> {
        let session = self.opened(self.open()).await.map_err(|error| self.cannot_connect(&error))?;
        session.close().await;
        Ok(())
    }

    async fn opened(&self, opening: Opening) -> Result<Session, sqlx::Error> {
        let mut adoption = Adoption { manager: self, opening: Some(opening) };
        let result = match adoption.opening.as_mut() {
            Some(opening) => opening.await,
            None => return Err(sqlx::Error::WorkerCrashed),
        };
        adoption.opening = None;
        result.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }
}

/// A caller who waits for a connection to be opened. One that gives up leaves it to the next.
struct Adoption<'a> {
    manager: &'a Manager,
    opening: Option<Opening>,
}

impl Drop for Adoption<'_> {
    fn drop(&mut self) {
        self.manager.orphans().extend(self.opening.take());
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        loop {
            let orphan = self.orphans().pop();
            let Some(orphan) = orphan else { break };
            // What went wrong for somebody else may be over by now.
            if let Ok(mut session) = self.opened(orphan).await
                && !self.is_old(&session)
            {
                session.used = true;
                return Ok(session);
            }
        }
        self.opened(self.open()).await.map_err(|error| self.cannot_connect(&error))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        if self.is_old(session) || !matches!(session.fate(), Fate::Return) {
            return Err(RecycleError::message("it is old"));
        }
        session.used = true;
        Ok(())
    }
}
