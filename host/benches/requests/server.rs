//! The servers that are measured.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// A server in a process of its own, killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Of a host; and what it demands there.
    pub admin: Option<SocketAddr>,
}

/// The token of every host's admin port.
pub const ADMIN_TOKEN: &str = "bench";

impl Server {
    pub fn host(database: &str, more: &[&str]) -> Result<Self> {
        let admin = free_address()?;
        let mut token = tempfile::NamedTempFile::new()?;
        token.write_all(ADMIN_TOKEN.as_bytes())?;
        let mut command = Command::new(program());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", &admin.to_string(), "--no-watch"])
            .args(["--log", "warn", "--database-url", database, "--admin-token-file"])
            .arg(token.path())
            .args(more)
            .arg(component("products")?);
        let mut host = Self::start(command)?;
        host.admin = Some(admin);
        Ok(host)
    }

    pub fn twin(pool: &str, database: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--twin", pool]).env("TWIN_DATABASE", database);
        Self::start(command)
    }

    /// Waits for the line that names the address.
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("stderr is piped")?).lines();
        let mut seen = Vec::new();
        for line in lines.by_ref() {
            let line = line?;
            if let Some(url) = line.strip_prefix("Serving HTTP on http://") {
                let address = url.trim_end_matches('/').parse()?;
                // Keeps the pipe from filling up.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
                return Ok(Self { child, address, admin: None });
            }
            seen.push(line);
        }
        bail!("a server ended before it served:\n{}", seen.join("\n"))
    }
}

impl Server {
    /// What lies in physical memory, all of it counted.
    pub fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.child.id())
    }
}

pub fn resident_bytes(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process has VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}

/// The host, as it ships.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_comptoir"))
}

/// Where `make components` leaves them.
pub fn components() -> Result<PathBuf> {
    let target = program().parent().and_then(|profile| profile.parent()).context("target directory")?.to_owned();
    Ok(target.join("wasm32-wasip2/component"))
}

pub fn component(name: &str) -> Result<PathBuf> {
    let path = components()?.join(format!("{name}.wasm"));
    ensure!(path.is_file(), "there is no {}: run `make components`", path.display());
    Ok(path)
}

/// The kernel chooses; nobody else does before the server has it, as likely as not.
fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait().map(drop)) {
            eprintln!("cannot end a server: {error}");
        }
    }
}
