//! The server process. A thread of its own starts it, waits for it, and starts it again when it dies.
//!
//! A thread, not a task, because of what happens when this program is killed with SIGKILL: Linux can
//! then send the child a signal (`PR_SET_PDEATHSIG`), but counts the *thread* that started it as the
//! parent, and threads of an async runtime come and go. `setpriv` of util-linux sets the signal,
//! since `prctl` between fork and exec would be unsafe code. Where it is missing, the next start
//! finds the orphan and stops it ([`stop_orphan`]).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use super::account;
use super::initialize::Home;

/// How long a fast shutdown (SIGINT: sessions are ended, a checkpoint is written) may take before an immediate one.
const FAST_SHUTDOWN: Duration = Duration::from_secs(15);
/// How long an immediate shutdown (SIGQUIT: recovery at the next start) may take before SIGKILL.
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// A server that lived this long has not died of its start: the next backoff is the first again.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// A log that is longer at a start is set aside as `postgres.log.1`.
const LONGEST_LOG_BYTES: u64 = 16 << 20;
const LOG_TAIL_BYTES: u64 = 4 << 10;
/// A pid cannot be waited for when it is not our child's.
const POLL: Duration = Duration::from_millis(20);

/// What the server process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not started yet.
    Starting,
    /// The process runs; whether it takes connections yet, a connection tells.
    Running { pid: u32 },
    /// It died and is started again after a pause.
    Restarting,
    /// By [`Postmaster::stop`], for good.
    Stopped,
}

/// Dropping it stops the server and waits for it.
#[derive(Debug)]
pub struct Postmaster {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    status: watch::Receiver<Status>,
}

#[derive(Debug)]
struct Shared {
    home: Home,
    arguments: Vec<String>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    /// Set from before the exec until after the wait, so that a signal never goes to another process.
    pid: Option<u32>,
}

impl Postmaster {
    pub fn start(home: Home, arguments: Vec<String>) -> Result<Self> {
        set_long_log_aside(&home.log())?;
        let shared = Arc::new(Shared { home, arguments, state: Mutex::default(), changed: Condvar::new() });
        let (sender, status) = watch::channel(Status::Starting);
        let supervised = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("postmaster".to_owned())
            .spawn(move || supervised.supervise(&sender))
            .context("cannot start a thread for postgres")?;
        Ok(Self { shared, thread: Some(thread), status })
    }

    pub fn pid(&self) -> Option<u32> {
        self.shared.lock().pid
    }

    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Fast, then immediate, then SIGKILL. Blocks until the process has ended.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        for (signal, patience) in
            [(Signal::INT, FAST_SHUTDOWN), (Signal::QUIT, IMMEDIATE_SHUTDOWN), (Signal::KILL, IMMEDIATE_SHUTDOWN)]
        {
            self.shared.signal(signal);
            if self.shared.wait_until_gone(patience) {
                break;
            }
            tracing::warn!(?signal, "postgres does not stop");
        }
        if thread.join().is_err() {
            tracing::error!("the thread of postgres panicked");
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supervise(&self, status: &watch::Sender<Status>) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let started = Instant::now();
            let outcome = match self.spawn() {
                Ok(Some(child)) => self.watch(child, status),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            if self.lock().stopping {
                break;
            }
            status.send_replace(Status::Restarting);
            if started.elapsed() > STABLE_AFTER {
                backoff = FIRST_BACKOFF;
            }
            match outcome {
                Ok(exit) => tracing::error!(%exit, log = log_tail(&self.home.log()), "postgres ended unexpectedly"),
                Err(error) => tracing::error!(error = format!("{error:#}"), "postgres does not start"),
            }
            self.pause(backoff);
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
        status.send_replace(Status::Stopped);
    }

    /// `None` when it is to stop.
    fn spawn(&self) -> Result<Option<Child>> {
        let mut state = self.lock();
        if state.stopping {
            return Ok(None);
        }
        let log = open_log(&self.home)?;
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C in a terminal goes to the whole foreground group. Postgres has to outlive the services.
        command.process_group(0);
        let child = command.spawn().context("cannot run postgres")?;
        state.pid = Some(child.id());
        Ok(Some(child))
    }

    fn command(&self) -> Command {
        let postgres = self.home.installation.program("postgres");
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = account::command(setpriv, self.home.account.as_ref(), &self.home.folder);
                command.args(["--pdeathsig", "INT"]).arg(postgres);
                command
            }
            None => self.home.command("postgres"),
        };
        command.arg("-D").arg(self.home.data()).args(&self.arguments);
        command
    }

    fn watch(&self, mut child: Child, status: &watch::Sender<Status>) -> Result<ExitStatus> {
        status.send_replace(Status::Running { pid: child.id() });
        let exit = child.wait().context("cannot wait for postgres");
        self.lock().pid = None;
        self.changed.notify_all();
        exit
    }

    fn signal(&self, signal: Signal) {
        let state = self.lock();
        if let Some(pid) = state.pid.and_then(as_pid)
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, ?signal, "cannot signal postgres");
        }
    }

    fn wait_until_gone(&self, patience: Duration) -> bool {
        let gone = |state: &mut State| state.pid.is_some();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, gone);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.pid.is_none()
    }

    fn pause(&self, length: Duration) {
        let running = |state: &mut State| !state.stopping;
        drop(self.changed.wait_timeout_while(self.lock(), length, running));
    }
}

/// Stops a server that a killed run of this program left behind. Only to be called under the lock of the cluster: then
/// nobody else can have started it.
pub fn stop_orphan(data: &Path) -> Result<()> {
    let path = data.join("postmaster.pid");
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(as_pid) else {
        return Ok(());
    };
    match works_in(pid, data) {
        Some(true) => {}
        // Nobody has the pid, or a process that is no server of ours, which Postgres would take for one.
        Some(false) => return std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display())),
        None => return Ok(()), // no way to tell: Postgres judges its own file
    }
    tracing::warn!(pid = pid.as_raw_nonzero(), data = %data.display(), "stopping the postgres of a run that was killed");
    for (signal, patience) in [(Signal::INT, FAST_SHUTDOWN), (Signal::QUIT, IMMEDIATE_SHUTDOWN)] {
        kill_process(pid, signal).or_else(ignore_gone).context("cannot stop the postgres of a killed run")?;
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if works_in(pid, data) != Some(true) {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
    }
    bail!("process {} still runs postgres in {}; stop it", pid.as_raw_nonzero(), data.display())
}

fn ignore_gone(error: Errno) -> Result<(), Errno> {
    if error == Errno::SRCH { Ok(()) } else { Err(error) }
}

/// A postmaster's working directory is its data directory; a zombie has none. `None` where there is no `/proc`, and for
/// processes that are not ours to look at.
fn works_in(pid: Pid, data: &Path) -> Option<bool> {
    match std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())) {
        Ok(place) => Some(data.canonicalize().is_ok_and(|data| data == place)),
        Err(error) if error.kind() == ErrorKind::NotFound && Path::new("/proc/self").exists() => Some(false),
        Err(_) => None,
    }
}

fn as_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// `setpriv`, if it knows the option (util-linux 2.33; busybox has one without).
fn setpriv() -> Option<&'static Path> {
    static FOUND: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    let look = || {
        let candidates = ["/usr/bin/setpriv", "/bin/setpriv"].map(PathBuf::from);
        candidates.into_iter().find(|program| {
            let help = Command::new(program).arg("--help").output();
            help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--pdeathsig"))
        })
    };
    FOUND.get_or_init(look).as_deref()
}

fn open_log(home: &Home) -> Result<std::fs::File> {
    let path = home.log();
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

fn set_long_log_aside(path: &Path) -> Result<()> {
    if std::fs::metadata(path).is_ok_and(|meta| meta.len() > LONGEST_LOG_BYTES) {
        std::fs::rename(path, path.with_extension("log.1"))
            .with_context(|| format!("cannot move {}", path.display()))?;
    }
    Ok(())
}

/// The end of the server's log, for error texts.
pub fn log_tail(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_else(|error| format!("(cannot read {}: {error})", path.display()))
}
