//! A private PostgreSQL cluster in a folder: made on first use, listening on loopback only, one
//! database and one role for each service. Owns the server process and its passwords. Does not know
//! what the databases are for; the components bring their own schemas.

use std::fmt;
use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use self::account::Account;
use self::initialize::Home;
use self::postmaster::{Postmaster, Status, log_tail};
use crate::identity::Secret;

mod account;
mod databases;
mod initialize;
mod installation;
mod postmaster;
mod temporary;
#[cfg(test)]
mod tests;

pub use self::temporary::run_with_cluster;

/// The superuser of the cluster. Services never get to know it.
const ADMINISTRATOR: &str = "comptoir";
/// A crash's recovery reads the write-ahead log from the last checkpoint on: a minute or two at worst.
const READY_WITHIN: Duration = Duration::from_secs(180);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How often a server that starts is asked whether it is ready.
const POLL: Duration = Duration::from_millis(20);
/// Another process may take the free port before Postgres does.
const PORT_ATTEMPTS: usize = 5;

/// Where and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Becomes a link to elsewhere when it lies where the cluster's user cannot go (a project of root's).
    pub directory: PathBuf,
    /// Where the files with passwords lie.
    pub secrets: PathBuf,
    /// 0 takes a free one.
    pub port: u16,
    pub durability: Durability,
    /// Of the whole server. Each takes a process and some megabytes when it is used.
    pub max_connections: u32,
}

/// What a crash of the machine may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Durable,
    /// Everything: for tests.
    Fast,
}

/// A running cluster. Dropping it stops the server, which blocks; [`Cluster::stop`] is kinder.
#[derive(Debug)]
pub struct Cluster {
    postmaster: Postmaster,
    port: u16,
    password: Secret,
    secrets: PathBuf,
    /// Last, so that the lock is let go of after the server has stopped.
    _lock: FolderLock,
}

impl Cluster {
    /// Makes the cluster if it is new, stops what a killed run left behind, and returns when a connection succeeds.
    pub async fn start(settings: Settings) -> Result<Self> {
        let prepared = settings.clone();
        let (lock, home, password) = tokio::task::spawn_blocking(move || prepare(&prepared)).await??;
        for attempt in 1..=PORT_ATTEMPTS {
            let port = if settings.port == 0 { free_port()? } else { settings.port };
            let postmaster = Postmaster::start(home.clone(), arguments(&settings, port))?;
            let administrator = administrator(port, &password);
            match wait_until_ready(&home, &postmaster, &administrator).await {
                Ok(()) => {
                    let cluster = Self { postmaster, port, password, secrets: settings.secrets, _lock: lock };
                    tracing::info!(pid = cluster.pid(), port, "postgres takes connections");
                    return Ok(cluster);
                }
                Err(error) => {
                    tokio::task::spawn_blocking(move || drop(postmaster)).await?;
                    let unlucky = settings.port == 0 && attempt < PORT_ATTEMPTS && !is_free(port);
                    if !unlucky {
                        return Err(error.context("cannot start PostgreSQL"));
                    }
                }
            }
        }
        bail!("cannot start PostgreSQL: no free port in {PORT_ATTEMPTS} attempts")
    }

    /// The database of a service, owned by a role that reaches no other. Makes what is missing; safe to repeat.
    pub async fn ensure_database(&self, service: &str) -> Result<Database> {
        databases::ensure(&self.administrator(), &self.secrets, service)
            .await
            .with_context(|| format!("cannot prepare the database of {service}"))
    }

    /// The superuser, in the database `postgres`.
    pub fn administrator(&self) -> Database {
        administrator(self.port, &self.password)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server process; `None` while it is being restarted.
    pub fn pid(&self) -> Option<u32> {
        self.postmaster.pid()
    }

    /// A fast shutdown: sessions end, everything committed is on disk.
    pub async fn stop(mut self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.postmaster.stop()).await.context("cannot stop PostgreSQL")
    }
}

/// How to reach a database.
#[derive(Clone)]
pub struct Database {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub user: String,
    pub password: Secret,
}

impl Database {
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .database(&self.name)
            .username(&self.user)
            .password(self.password.reveal())
            .ssl_mode(PgSslMode::Disable) // loopback; a server of ours has no certificate
            .disable_statement_logging() // statements that make roles carry passwords
    }

    pub fn url(&self) -> Secret {
        let Self { host, port, name, user, password } = self;
        Secret::new(format!("postgres://{user}:{}@{host}:{port}/{name}", password.reveal()))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.name)
    }
}

fn administrator(port: u16, password: &Secret) -> Database {
    Database {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
        name: "postgres".to_owned(),
        user: ADMINISTRATOR.to_owned(),
        password: password.clone(),
    }
}

/// Everything that blocks: the folder, its lock, an orphan, `initdb`.
fn prepare(settings: &Settings) -> Result<(FolderLock, Home, Secret)> {
    let account = Account::choose(&settings.directory)?;
    let folder = account::settle(&settings.directory, account.as_ref())?;
    let lock = lock(&folder)?;
    let home = initialize::inspect(folder, account)?;
    postmaster::stop_orphan(&home.data())?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&settings.secrets)
        .with_context(|| format!("cannot make the folder {}", settings.secrets.display()))?;
    let password_file = settings.secrets.join(format!("postgres-{ADMINISTRATOR}"));
    let password = initialize::ensure_initialized(&home, &password_file, settings.durability)?;
    Ok((lock, home, password))
}

/// Let go of in words: a program that is just being started has the file too, and would keep the lock for a moment.
#[derive(Debug)]
struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // What does not work now, the end of the last who has the file does.
        _ = self.0.unlock();
    }
}

/// Two of us on one folder would take each other's server for an orphan.
fn lock(folder: &std::path::Path) -> Result<FolderLock> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => {
            bail!("the database cluster in {} is in use by another process", folder.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// On the command line, which wins over every file: what the files say does not matter.
fn arguments(settings: &Settings, port: u16) -> Vec<String> {
    let max_connections = settings.max_connections;
    let mut parameters = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        format!("max_connections={max_connections}"),
        "cluster_name=comptoir".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "log_destination=stderr".to_owned(),
        "logging_collector=off".to_owned(),
        "log_checkpoints=off".to_owned(),
        "jit=off".to_owned(), // short statements: compiling them costs more than running them
    ];
    if settings.durability == Durability::Fast {
        let fast =
            ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"];
        parameters.extend(fast.map(str::to_owned));
    }
    parameters.into_iter().flat_map(|parameter| ["-c".to_owned(), parameter]).collect()
}

/// A server that is ready takes a connection; one that died does not get ready.
async fn wait_until_ready(home: &Home, postmaster: &Postmaster, administrator: &Database) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    let (status, options) = (postmaster.status(), administrator.options());
    loop {
        // Whoever else may have the port does not answer, or refuses the password.
        let connecting = PgConnection::connect_with(&options);
        let error = match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(Ok(connection)) => return connection.close().await.context("cannot close the first connection"),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let died = matches!(*status.borrow(), Status::Restarting | Status::Stopped);
        let late = Instant::now() > deadline;
        let refused = error.as_ref().is_some_and(is_permanent);
        // The sessions of a server that was killed still end; until then its memory cannot be taken over.
        let transient = died && log_tail(&home.log()).contains("pre-existing shared memory block");
        if late || refused || (died && !transient) {
            let log = log_tail(&home.log());
            let reason = error.map_or_else(|| "no answer".to_owned(), |error| error.to_string());
            bail!("it does not take connections: {reason}\nthe end of {}:\n{log}", home.log().display());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A wrong password stays wrong (class 28); everything else may be the start.
fn is_permanent(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("28")))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The part of a name that goes into SQL and file names.
fn check_name(service: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts_well = service.starts_with(|first: char| first.is_ascii_lowercase());
    ensure!(
        starts_well && service.len() <= 40 && service.bytes().all(good),
        "{service:?} cannot name a database: a-z first, then a-z, 0-9 or _, 40 at most"
    );
    Ok(())
}
