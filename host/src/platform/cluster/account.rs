//! As whom Postgres runs, and where that user can work. Postgres refuses to run as root, so root's
//! cluster belongs to another user, who has to be able to reach its folder.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// Where root's clusters lie when nobody else can reach the project, for example below `/root`.
const SHELTER: &str = "/var/lib/comptoir";

/// The first that exists.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// Another user than the one who runs this program.
#[derive(Clone, Debug)]
pub struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` when Postgres can run as we do. A cluster that is there keeps its owner.
    pub fn choose(directory: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        if let Ok(data) = std::fs::metadata(directory.join("data"))
            && data.uid() != 0
        {
            return Ok(Some(Self { name: format!("with the id {}", data.uid()), uid: data.uid(), gid: data.gid() }));
        }
        match USERS.into_iter().find_map(Self::look_up) {
            Some(account) => Ok(Some(account)),
            None => bail!("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`"),
        }
    }

    fn look_up(name: &str) -> Option<Self> {
        Some(Self { name: name.to_owned(), uid: id("-u", name)?, gid: id("-g", name)? })
    }

    pub fn own(&self, path: &Path) -> Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot give {} to the user {}", path.display(), self.name))
    }

    /// The first folder on the way to `path` that this user cannot pass.
    fn barrier(&self, path: &Path) -> Option<PathBuf> {
        let mut ancestors: Vec<&Path> = path.ancestors().skip(1).collect();
        ancestors.reverse();
        let closed = |folder: &&Path| match std::fs::metadata(folder) {
            Ok(meta) => !passable(meta.mode(), meta.uid() == self.uid, meta.gid() == self.gid),
            Err(_) => false, // not there yet: whoever makes it sees to it
        };
        ancestors.into_iter().find(closed).map(Path::to_owned)
    }
}

/// `program`, to be run in `folder` as `account`. Variables that steer Postgres from outside are not passed on.
pub fn command(program: &Path, account: Option<&Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Makes the folder of a cluster and returns where it really is. When the user of the cluster could not reach it,
/// it becomes a link to a folder in [`SHELTER`].
pub fn settle(directory: &Path, account: Option<&Account>) -> Result<PathBuf> {
    let parent = directory.parent().context("a cluster's folder has a parent")?;
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
    let name = directory.file_name().context("a cluster's folder has a name")?;
    let wanted = parent.canonicalize().with_context(|| format!("cannot resolve {}", parent.display()))?.join(name);
    let Some(account) = account else { return make(&wanted, None) };
    let target = match std::fs::read_link(&wanted) {
        Ok(target) => target,
        Err(_) => match account.barrier(&wanted) {
            None => wanted,
            Some(barrier) if wanted.exists() => {
                bail!("the user {} cannot pass {} to reach {}", account.name, barrier.display(), wanted.display())
            }
            Some(barrier) => shelter(&wanted, account, &barrier)?,
        },
    };
    make(&target, Some(account))
}

fn shelter(wanted: &Path, account: &Account, barrier: &Path) -> Result<PathBuf> {
    let digest = Sha256::digest(wanted.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let target = Path::new(SHELTER).join(name);
    std::fs::create_dir_all(SHELTER).with_context(|| format!("cannot make the folder {SHELTER}"))?;
    symlink(&target, wanted).with_context(|| format!("cannot link {} to {}", wanted.display(), target.display()))?;
    tracing::info!(
        user = account.name,
        barrier = %barrier.display(),
        folder = %target.display(),
        "the databases lie outside of the project, because their user cannot reach it"
    );
    Ok(target)
}

fn make(folder: &Path, account: Option<&Account>) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    if let Some(account) = account {
        account.own(folder)?;
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot set the permissions of {}", folder.display()))?;
    Ok(folder.to_owned())
}

/// A folder for temporary clusters that the user of the cluster can reach.
pub fn temporary_base(account: Option<&Account>) -> PathBuf {
    let usual = std::env::temp_dir();
    match account {
        Some(account) if account.barrier(&usual.join("x")).is_some() => PathBuf::from("/tmp"),
        _ => usual,
    }
}

/// The three permission classes of a folder exclude each other: the owner has the owner's, even if others have more.
fn passable(mode: u32, owner: bool, group: bool) -> bool {
    let execute = match (owner, group) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    mode & execute != 0
}

/// Asks the system's `id`, which knows every source of users, not only `/etc/passwd`.
fn id(flag: &str, user: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Ids that own nothing.
    fn stranger() -> Account {
        Account { name: "stranger".to_owned(), uid: 4_000_001, gid: 4_000_001 }
    }

    fn folder(mode: u32) -> tempfile::TempDir {
        tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(mode)).tempdir().unwrap()
    }

    #[test]
    fn permission_classes_exclude_each_other() {
        assert!(passable(0o711, false, false));
        assert!(!passable(0o700, false, false));
        assert!(passable(0o700, true, false));
        assert!(!passable(0o071, true, true));
        assert!(passable(0o710, false, true));
    }

    #[test]
    fn the_barrier_is_named() {
        let base = folder(0o755);
        let closed = base.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(stranger().barrier(&closed.join("a/b")), Some(closed.clone()));
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(stranger().barrier(&closed.join("a/b")), None);
    }

    #[test]
    fn an_existing_cluster_that_became_unreachable_is_not_abandoned() {
        let base = folder(0o700);
        let directory = base.path().join("postgres");
        std::fs::create_dir(&directory).unwrap();
        let message = settle(&directory, Some(&stranger())).unwrap_err().to_string();
        assert!(message.contains("cannot pass") && message.contains(&base.path().display().to_string()), "{message}");
    }
}
