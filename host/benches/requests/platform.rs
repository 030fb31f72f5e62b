//! `comptoir up`, on a Postgres of its own, in a folder that goes with it.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::server::{components, program, resident_bytes};

pub struct Platform {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    folder: TempDir,
    pub gateway: SocketAddr,
    pub admin: SocketAddr,
}

impl Platform {
    /// Waits until it is ready.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let mut child = Command::new(program())
            .args(["up", "--free-ports", "--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(["--instance-idle-ms", "500", "--log", "warn", "--components"])
            .arg(components()?)
            .arg("--directory")
            .arg(folder.path())
            .current_dir(root)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("stderr is piped")?).lines();
        let mut said = Vec::new();
        while said.last().is_none_or(|line| line != "ready") {
            match lines.next() {
                Some(line) => said.push(line?),
                None => bail!("the platform ended before it was ready:\n{}", said.join("\n")),
            }
        }
        let address = |start: &str| {
            let line = said.iter().find_map(|line| line.strip_prefix(start)).context("a line of the start")?;
            let url = line.trim().strip_prefix("http://").context("an URL")?;
            Ok::<_, anyhow::Error>(url.split('/').next().context("an address")?.parse()?)
        };
        let (gateway, admin) = (address("gateway:")?, address("admin:")?);
        Ok(Self { child, lines, folder, gateway, admin })
    }

    /// The key of a group of staff.
    pub fn key(&self, group: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join(format!("secrets/key-{group}")))?.trim().to_owned())
    }

    /// Of the process; its Postgres is none of it.
    pub fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.child.id())
    }

    /// Told, not killed: it has a Postgres to stop.
    pub fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        self.lines.map_while(Result::ok).for_each(drop);
        let ended = self.child.wait()?;
        if !told.success() || !ended.success() {
            bail!("the platform ended with {ended}");
        }
        Ok(())
    }
}
