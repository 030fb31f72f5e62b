//! A data directory that is whole: made by `initdb` when it is new, with our password for the superuser.
//! Does not start the server.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::account::{self, Account};
use super::installation::Installation;
use super::{ADMINISTRATOR, Durability};
use crate::identity::Secret;
use crate::platform::secrets;

/// Only over loopback, only with a password, and not for replication.
const HOST_BASED_ACCESS: &str = "# Written by comptoir. Nobody gets in without a password.\n\
                                 host all all 127.0.0.1/32 scram-sha-256\n";

/// A cluster at rest.
#[derive(Clone, Debug)]
pub struct Home {
    pub folder: PathBuf,
    pub account: Option<Account>,
    pub installation: Installation,
}

impl Home {
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    pub fn command(&self, program: &str) -> Command {
        account::command(&self.installation.program(program), self.account.as_ref(), &self.folder)
    }
}

/// Finds the programs that fit the cluster in `folder`, which may be empty.
pub fn inspect(folder: PathBuf, account: Option<Account>) -> Result<Home> {
    let made_by = major_of(&folder.join("data"))?;
    let installation = Installation::find(made_by)
        .with_context(|| format!("cannot run the database cluster in {}", folder.display()))?;
    Ok(Home { folder, account, installation })
}

/// Makes the cluster if it is new. Returns the superuser's password.
pub fn ensure_initialized(home: &Home, password_file: &Path, durability: Durability) -> Result<Secret> {
    let known = password_file.exists();
    let password = secrets::load_or_create(password_file)?;
    if !home.data().exists() {
        initialize(home, &password, durability)?;
    } else if !known && let Err(error) = reset_password(home, &password) {
        // Without its file the password counts as lost next time, too.
        std::fs::remove_file(password_file).with_context(|| format!("cannot remove {}", password_file.display()))?;
        return Err(error);
    }
    Ok(password)
}

fn major_of(data: &Path) -> Result<Option<u32>> {
    if !data.exists() {
        return Ok(None);
    }
    let path = data.join("PG_VERSION");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is not a database cluster: cannot read PG_VERSION in it", data.display()))?;
    let major = text.trim().parse().with_context(|| format!("{} has no version in it: {text}", path.display()))?;
    Ok(Some(major))
}

/// In a folder of another name, which becomes `data` when everything is in it: an interruption leaves no half cluster.
fn initialize(home: &Home, password: &Secret, durability: Durability) -> Result<()> {
    let staging = home.folder.join("data.new");
    if staging.exists() {
        std::fs::remove_dir_all(&staging).with_context(|| format!("cannot remove {}", staging.display()))?;
    }
    let password_file = home.folder.join("data.new.password");
    std::fs::write(&password_file, "").context("cannot write the password for initdb")?;
    std::fs::set_permissions(&password_file, std::fs::Permissions::from_mode(0o600))?;
    std::fs::write(&password_file, password.reveal())?;
    if let Some(account) = &home.account {
        account.own(&password_file)?;
    }
    let made = run_initdb(home, &staging, &password_file, durability);
    std::fs::remove_file(&password_file).context("cannot remove the password for initdb")?;
    made?;
    std::fs::write(staging.join("pg_hba.conf"), HOST_BASED_ACCESS).context("cannot write pg_hba.conf")?;
    std::fs::rename(&staging, home.data()).context("cannot move the new cluster into place")?;
    tracing::info!(folder = %home.folder.display(), version = home.installation.major(), "made a database cluster");
    Ok(())
}

fn run_initdb(home: &Home, staging: &Path, password_file: &Path, durability: Durability) -> Result<()> {
    let mut command = home.command("initdb");
    command.arg("--pgdata").arg(staging).arg("--pwfile").arg(password_file);
    command.args(["--username", ADMINISTRATOR, "--auth=scram-sha-256", "--encoding=UTF8"]);
    // Postgres 17 brings its own C.UTF-8, which sorts the same on every system; before, the C library's is used, which
    // Linux has.
    let builtin = home.installation.major() >= 17;
    if builtin {
        command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    command.arg(if builtin && !cfg!(target_os = "linux") { "--locale=C" } else { "--locale=C.UTF-8" });
    if durability == Durability::Fast {
        command.arg("--no-sync");
    }
    let output = command.stdin(Stdio::null()).output().context("cannot run initdb")?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("initdb failed ({}):\n{}\n{}", output.status, out.trim(), err.trim());
    }
    Ok(())
}

/// The file with the password is gone, for example because somebody removed `.comptoir/secrets`. Who can write the data
/// directory owns the cluster, so single-user mode sets another.
fn reset_password(home: &Home, password: &Secret) -> Result<()> {
    tracing::warn!(folder = %home.folder.display(), "the superuser's password is lost; setting another");
    let mut child = home
        .command("postgres")
        .args(["--single", "-D"])
        .arg(home.data())
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run postgres in single-user mode")?;
    let statement = format!("alter role {ADMINISTRATOR} password '{}'\n", password.reveal());
    let mut input = child.stdin.take().context("single-user mode takes statements")?;
    input.write_all(statement.as_bytes()).context("cannot talk to postgres in single-user mode")?;
    drop(input);
    let output = child.wait_with_output().context("cannot wait for postgres in single-user mode")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && !errors.contains("ERROR:"),
        "cannot set the superuser's password ({}):\n{}",
        output.status,
        errors.trim()
    );
    Ok(())
}
