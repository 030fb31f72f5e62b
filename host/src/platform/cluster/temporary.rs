//! `comptoir postgres -- <command>`: a command with a cluster of its own, which is gone afterwards.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::account::{self, Account};
use super::{Cluster, Durability, Settings};

/// Where the command finds its superuser URL.
pub const TEST_POSTGRES: &str = "COMPTOIR_TEST_POSTGRES";

/// Tests run in parallel, each with pools of its own.
const MAX_CONNECTIONS: u32 = 400;
/// A terminal sends Ctrl-C to the command, too; one that has not heard of it by then is told.
const COURTESY: Duration = Duration::from_secs(2);
/// After that it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command with [`TEST_POSTGRES`] set, then stops and removes the cluster, also after SIGINT and SIGTERM.
/// Returns the command's exit code, or 128 and the signal that ended it.
pub async fn run_with_cluster(command: &[OsString]) -> Result<u8> {
    let (program, arguments) = command.split_first().context("there is no command to run")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    let folder = tempfile::Builder::new()
        .prefix("comptoir-postgres-")
        .permissions(Permissions::from_mode(mode))
        .tempdir_in(account::temporary_base(Account::choose(Path::new(""))?.as_ref()))
        .context("cannot make a temporary folder")?;
    let settings = Settings {
        directory: folder.path().join("postgres"),
        secrets: folder.path().join("secrets"),
        port: 0,
        durability: Durability::Fast,
        max_connections: MAX_CONNECTIONS,
    };
    let cluster = tokio::select! {
        cluster = Cluster::start(settings) => cluster?,
        _ = interrupted.recv() => return Ok(signal_code(Signal::INT)),
        _ = terminated.recv() => return Ok(signal_code(Signal::TERM)),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env(TEST_POSTGRES, cluster.administrator().url().reveal())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let status = tokio::select! {
        status = child.wait() => status.context("cannot wait for the command"),
        _ = interrupted.recv() => end(&mut child, COURTESY).await,
        _ = terminated.recv() => end(&mut child, Duration::ZERO).await,
    };
    cluster.stop().await?;
    folder.close().context("cannot remove the temporary cluster")?;
    status.map(exit_code)
}

async fn end(child: &mut Child, courtesy: Duration) -> Result<ExitStatus> {
    if let Ok(status) = tokio::time::timeout(courtesy, child.wait()).await {
        return status.context("cannot wait for the command");
    }
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM).context("cannot end the command")?;
    }
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        child.start_kill().context("cannot kill the command")?;
    }
    child.wait().await.context("cannot wait for the command")
}

/// As a shell does.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

fn signal_code(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(1)
}
