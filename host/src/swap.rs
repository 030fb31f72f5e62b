//! How a version of a component comes into service, and how it goes. Whatever fails on the way, the
//! version that serves goes on serving.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, ensure};
use futures_util::future::join_all;
use notify::Watcher as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::background;
use crate::bindings::exports::comptoir::service::lifecycle::Migration;
use crate::component::{self, Binary, Linked, RENAME, Refusal, Stage};
use crate::generation::{Generation, Verdict};
use crate::lifecycle::{self, Declared};
use crate::migrate::{self, Applied, Connecting, Lock};
use crate::service::Service;

mod probe;
#[cfg(test)]
mod tests;

/// A file counts as written when it did not change for this long.
const SETTLE: Duration = Duration::from_millis(100);
/// Coarser than any file system's clock: a change that is older than this is seen as such.
const OLD: Duration = Duration::from_secs(5);
/// How often a file is looked at although no event came: bind mounts and network file systems send none.
const POLL: Duration = Duration::from_secs(2);
/// Between attempts while something outside the component is missing: a database that is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MOST: Duration = Duration::from_secs(5);

/// What an attempt to load a component led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Switched {
        generation: u64,
    },
    /// The very same bytes are already in service.
    Unchanged {
        generation: u64,
    },
    /// A newer component came while this one waited for its turn.
    Superseded,
}

impl Service {
    /// Takes a component into service: compile, link, migrate, instantiate, probe, switch. On a
    /// refusal nothing has changed but the record of it. One at a time, of all replicas in this
    /// process; of those that wait for the same replica, the newest. Replicas in other processes that share
    /// the database wait from its migrations to the switch. What was asked for is done, also when whoever
    /// asked has gone.
    pub async fn load(self: &Arc<Self>, binary: Binary) -> Result<Outcome, Refusal> {
        let service = self.clone();
        let loading = tokio::spawn(async move { service.load_in_turn(binary).await });
        loading.await.unwrap_or_else(|error| Err(Refusal::transient(Stage::Instantiate, error)))
    }

    async fn load_in_turn(self: &Arc<Self>, binary: Binary) -> Result<Outcome, Refusal> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) + 1;
        let _turn = self.turn.lock().await;
        if self.tickets.load(Ordering::Relaxed) != ticket {
            return Ok(Outcome::Superseded);
        }
        let started = Instant::now();
        // After a rollback it is not the last one that serves.
        if let Some(current) = self.current().filter(|current| *current.digest() == binary.digest) {
            return Ok(Outcome::Unchanged { generation: current.number });
        }
        let _loading = self.begin_loading(binary.digest.clone());
        let number = self.last_number.load(Ordering::Relaxed) + 1;
        let (generation, lock) = match self.prepare(&binary, number).await {
            Ok(prepared) => prepared,
            Err(refusal) => {
                self.report(&refusal);
                return Err(refusal);
            }
        };
        self.last_number.store(number, Ordering::Relaxed);
        self.switch(Arc::new(generation));
        let elapsed = started.elapsed();
        lock.release().await;
        self.metrics().swaps.with_label_values(&[self.name(), "switched", ""]).inc();
        self.metrics().swap_duration.with_label_values(&[self.name()]).observe(elapsed.as_secs_f64());
        Ok(Outcome::Switched { generation: number })
    }

    /// Everything before the switch.
    async fn prepare(self: &Arc<Self>, binary: &Binary, number: u64) -> Result<(Generation, Lock), Refusal> {
        let database = self.config().database.as_ref().map(|database| Connecting::to(&database.0));
        self.open_connections();
        self.reaches(Stage::Compile);
        let linked = Linked::load(&self.platform.cache, &self.linker, binary).await?;
        self.reaches(Stage::Instantiate);
        let Declared { migrations, tasks } = self.declared(&linked, number).await?;
        self.reaches(Stage::Migrate);
        let lock = self.migrate(database, &migrations).await?;
        let generation = Generation::new(
            number,
            linked,
            tasks,
            &self.platform.engine,
            &self.capabilities,
            self.metrics(),
            self.name(),
        )
        .map_err(|cause| Refusal::new(Stage::Link, cause))?;
        self.reaches(Stage::Probe);
        Ok((self.probe(generation).await?, lock))
    }

    async fn declared(&self, linked: &Linked, number: u64) -> Result<Declared, Refusal> {
        let (Some(extension), Some(capabilities)) = (&linked.extension, self.capabilities.first()) else {
            return Ok(Declared::default());
        };
        let declared =
            lifecycle::declared(extension.clone(), self.platform.engine.clone(), capabilities.clone(), number);
        let declared = self.on_shard(0, declared).await.map_err(|cause| Refusal::new(Stage::Instantiate, cause))?;
        background::check_names(&declared.tasks).map_err(|cause| Refusal::new(Stage::Instantiate, cause))?;
        Ok(declared)
    }

    async fn migrate(&self, database: Option<Connecting>, migrations: &[Migration]) -> Result<Lock, Refusal> {
        let Some(database) = database else {
            if migrations.is_empty() {
                return Ok(Lock::default());
            }
            let cause = anyhow!("the component has migrations, but was given no database: see `--database-url`");
            return Err(Refusal::new(Stage::Migrate, cause));
        };
        let Applied { steps, lock } = migrate::apply(database, migrations).await.map_err(|error| Refusal {
            stage: Stage::Migrate,
            transient: error.is_transient(),
            cause: error.into(),
        })?;
        if steps > 0 {
            tracing::info!(service = self.name(), applied = steps, "applied migrations");
            for capabilities in &self.capabilities {
                if let Some(pool) = &capabilities.database {
                    pool.refresh();
                }
            }
            self.open_connections();
        }
        Ok(lock)
    }

    /// For the first clients, on every core. It takes as long as most of what is done meanwhile; whether the database
    /// answers is what `/ready` tells.
    fn open_connections(&self) {
        for (capabilities, shard) in self.capabilities.iter().zip(&self.platform.shards) {
            if let Some(pool) = capabilities.database.clone() {
                shard.spawn(async move { pool.ping().await });
            }
        }
    }

    /// One request through a fresh instance on every core, so that the first clients find them warm.
    /// Our own components answer `GET /health`; of others it is only known that they must answer
    /// without a fault of their own.
    async fn probe(self: &Arc<Self>, generation: Generation) -> Result<Generation, Refusal> {
        let ours = generation.component.extension.is_some();
        let generation = Arc::new(generation);
        let probes = (0..generation.shards()).map(async |shard| {
            let (probed, timeout) = (generation.clone(), self.limits().request_timeout());
            let probe = async move { Ok(probe::first_request(&probed, shard, timeout).await) };
            let result = self.on_shard(shard, probe).await;
            match result.unwrap_or_else(|error| Err(Refusal::transient(Stage::Probe, error)))? {
                status if (ours && !status.is_success()) || status.is_server_error() => {
                    Err(Refusal::new(Stage::Probe, probe::unhealthy(status)))
                }
                _ => Ok(()),
            }
        });
        if let Some(refusal) = join_all(probes).await.into_iter().find_map(Result::err) {
            generation.retire();
            return Err(refusal);
        }
        Arc::into_inner(generation)
            .ok_or_else(|| Refusal::transient(Stage::Probe, anyhow!("the probe has not let go of the component")))
    }

    fn switch(self: &Arc<Self>, generation: Arc<Generation>) {
        let digest = generation.digest().short().to_owned();
        let number = generation.number;
        generation.tell(self.metrics().info.hold(self.name(), &digest, number));
        let started = Instant::now();
        let _switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        self.background.start(self, &generation);
        if let Some(terms) = self.limits().probation().filter(|_| self.current().is_some()) {
            generation.put_on_probation(terms);
        }
        let old = self.current.swap(Some(generation));
        self.metrics().switch_duration.with_label_values(&[self.name()]).observe(started.elapsed().as_secs_f64());
        self.progress.notify_waiters();
        match old {
            Some(old) => {
                tracing::info!(
                    service = self.name(),
                    replica = self.replica(),
                    generation = number,
                    digest,
                    "switched"
                );
                self.retire(old);
            }
            // Whoever starts a host is told by the line that announces its address.
            None => tracing::debug!(service = self.name(), replica = self.replica(), digest, "loaded"),
        }
    }

    /// Lets a generation finish what it does and keeps it ready for a rollback.
    fn retire(self: &Arc<Self>, old: Arc<Generation>) {
        old.retire();
        self.remember(&old);
        self.previous.store(Some(old.clone()));
        let since = old.retired_at();
        let service = self.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            old.drained().await;
            if old.retired_at() != since {
                return; // It came back into service, and perhaps left it again.
            }
            tracing::info!(
                service = service.name(),
                generation = old.number,
                drain_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                "drained"
            );
            // Its instances are told for as long as there are any.
            old.emptied().await;
        });
    }

    /// Takes a version that has failed its probation out of service, unless another serves by now.
    pub fn condemn(self: &Arc<Self>, number: u64, verdict: Verdict) {
        let refusal = Refusal::new(Stage::Probation, anyhow!("it was taken out of service: {verdict}"));
        match self.go_back(Some(number)) {
            Ok(_) => self.report(&refusal),
            Err(error) => tracing::warn!(service = self.name(), number, %verdict, %error, "no way back"),
        }
    }

    /// Puts the previous generation back into service, at once: a version that is being loaded goes
    /// on being loaded, and takes over when it is ready.
    pub fn rollback(self: &Arc<Self>) -> anyhow::Result<u64> {
        self.go_back(None)
    }

    /// `from`: only if that one serves.
    fn go_back(self: &Arc<Self>, from: Option<u64>) -> anyhow::Result<u64> {
        let _switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        let serving = self.current().map(|current| current.number);
        ensure!(from.is_none() || from == serving, "another generation serves by now");
        let previous = self.previous().context("there is no previous generation to go back to")?;
        previous.revive();
        let number = previous.number;
        self.background.start(self, &previous);
        let old = self.current.swap(Some(previous));
        if let Some(old) = old {
            self.retire(old);
        }
        self.metrics().swaps.with_label_values(&[self.name(), "rolled-back", ""]).inc();
        tracing::warn!(service = self.name(), replica = self.replica(), generation = number, "rolled back");
        Ok(number)
    }

    /// Runs something on a core: its runtime owns that core's connections.
    pub(crate) async fn on_shard<T: Send + 'static>(
        &self,
        shard: usize,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let shard = self.platform.shards.get(shard).context("the host has no core to run on")?;
        shard.spawn(work).await?
    }

    /// Loads the component's file, again and again while something outside it is missing, and then
    /// whenever the file changes. Ends with `stop`.
    pub async fn follow_file(self: Arc<Self>, stop: CancellationToken) {
        let path = self.config().component.clone();
        let mut events = match self.config().watch.then(|| watch(&path)).transpose() {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(path = %path.display(), error = format!("{error:#}"), "no file events, looking every 2 s");
                None
            }
        };
        let mut seen = None;
        let mut retry = RETRY_FIRST;
        loop {
            let mut again = false;
            if let Some(stamp) = settled(&path, &mut seen).await {
                again = self.load_file(&path, stamp).await;
                if again {
                    seen = None;
                } else {
                    seen = Some(stamp);
                    retry = RETRY_FIRST;
                }
            }
            if !again && !self.config().watch {
                return;
            }
            let pause = if again { retry } else { POLL };
            retry = if again { (retry * 2).min(RETRY_MOST) } else { retry };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = next_event(&mut events), if !again => {}
            }
        }
    }

    /// True: something outside the component is missing, try the same file again.
    async fn load_file(self: &Arc<Self>, path: &Path, settled: Stamp) -> bool {
        let binary = match read(path, settled).await {
            Ok(binary) => binary,
            Err(refusal) => {
                self.report(&refusal);
                return refusal.transient;
            }
        };
        match self.load(binary).await {
            Ok(_) => false,
            Err(refusal) => refusal.transient,
        }
    }
}

/// A file that has settled.
async fn read(path: &Path, settled: Stamp) -> Result<Binary, Refusal> {
    let file = path.to_owned();
    let binary = tokio::task::spawn_blocking(move || component::read_file(&file).map(Binary::new)).await;
    let binary = binary.unwrap_or_else(|error| Err(error.into())).map_err(|cause| Refusal::new(Stage::Read, cause))?;
    if stamp(path).await != Some(settled) {
        let cause = anyhow!("the file changed while it was read: {RENAME}");
        return Err(Refusal::transient(Stage::Read, cause));
    }
    Ok(binary)
}

/// What tells one state of a file from another. A changed permission shows in `changed` alone, and a
/// file that could not be read may be readable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    /// Seconds and nanoseconds: ctime.
    changed: (i64, i64),
    length: u64,
    inode: u64,
}

impl Stamp {
    /// It did not change for so long that nobody is still writing it: a host that starts need not wait.
    fn is_old(self) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let changed = u64::try_from(seconds).ok().zip(u32::try_from(nanoseconds).ok());
        let changed =
            changed.and_then(|(seconds, nanoseconds)| UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)));
        // A change that lies in the future is none that one could know the age of.
        changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > OLD)
    }
}

async fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = tokio::fs::metadata(path).await.ok()?;
    Some(Stamp {
        modified: metadata.modified().ok(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
        length: metadata.len(),
        inode: metadata.ino(),
    })
}

/// The file's stamp when it is new and no longer changes. A missing file is reported once, as a
/// stamp of its own, so that the reason can be told.
async fn settled(path: &Path, seen: &mut Option<Stamp>) -> Option<Stamp> {
    let missing = Stamp { modified: None, changed: (0, 0), length: 0, inode: 0 };
    let mut now = stamp(path).await.unwrap_or(missing);
    if *seen == Some(now) {
        return None;
    }
    loop {
        if now == missing || now.is_old() {
            return Some(now);
        }
        tokio::time::sleep(SETTLE).await;
        let later = stamp(path).await.unwrap_or(missing);
        if later == now {
            return Some(now);
        }
        now = later;
    }
}

/// Events of the folder: a file that is replaced by `mv` is another file.
struct FileEvents {
    changed: mpsc::Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

fn watch(path: &Path) -> anyhow::Result<FileEvents> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    let name = path.file_name().map(std::ffi::OsStr::to_owned);
    let (sender, changed) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns = event.is_ok_and(|event| {
            !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref())
        });
        if concerns {
            // A full channel says the same: look at the file.
            _ = sender.try_send(());
        }
    })?;
    watcher.watch(&folder, notify::RecursiveMode::NonRecursive)?;
    Ok(FileEvents { changed, _watcher: watcher })
}

async fn next_event(events: &mut Option<FileEvents>) {
    match events {
        Some(events) => {
            if events.changed.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}
