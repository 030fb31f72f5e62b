//! `.comptoir/`: everything that `up` keeps between two runs. Owns the layout, the lock that keeps a
//! second `up` out, and the secrets of the platform. What lies in `postgres/` is the cluster's.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::secrets::{Placeholders, load_or_create};
use crate::identity::Secret;

/// The groups of staff; each has one key, in `secrets/key-<group>`, for the consumer of that name in `kong.yml`.
pub const STAFF: [&str; 4] = ["hq", "logistics", "manager", "pos"];

/// The keys of services, in `secrets/<name>`. `token-key` signs customers' tokens; the gateway verifies them with it.
pub const OF_SERVICES: [&str; 1] = ["token-key"];

/// An open `.comptoir`. The lock is held until this is dropped.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    secrets: Secrets,
    _lock: File,
}

impl Directory {
    /// Makes what is missing. Fails when another `comptoir up` uses the folder.
    pub fn open(root: &Path) -> Result<Self> {
        create_folder(root, traversable_mode())?;
        let root = root.canonicalize().with_context(|| format!("cannot resolve {}", root.display()))?;
        let lock = lock(&root)?;
        let folder = root.join("secrets");
        create_folder(&folder, 0o700)?;
        create_folder(&root.join("cache"), 0o700)?;
        let secrets = Secrets::open(&folder)?;
        Ok(Self { root, secrets, _lock: lock })
    }

    /// For [`super::cluster::Settings::directory`].
    pub fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// Compiled components.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    pub fn secrets_directory(&self) -> PathBuf {
        self.root.join("secrets")
    }

    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// The platform's own secrets. Those of the databases are the cluster's.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Proves to a host that an identity comes from the gateway.
    pub gateway: Secret,
    /// Proves to a host that a call comes from another host.
    pub service: Secret,
    /// For what changes something on the admin port.
    pub admin_token: Secret,
    /// The API key of each group of [`STAFF`].
    pub staff: BTreeMap<String, Secret>,
    /// What services may ask for: each of [`OF_SERVICES`].
    pub of_services: BTreeMap<String, Secret>,
}

impl Secrets {
    fn open(folder: &Path) -> Result<Self> {
        let staff = STAFF
            .into_iter()
            .map(|group| Ok((group.to_owned(), load_or_create(&folder.join(format!("key-{group}")))?)))
            .collect::<Result<_>>()?;
        let of_services = OF_SERVICES
            .into_iter()
            .map(|name| Ok((name.to_owned(), load_or_create(&folder.join(name))?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            gateway: load_or_create(&folder.join("gateway-secret"))?,
            service: load_or_create(&folder.join("service-secret"))?,
            admin_token: load_or_create(&folder.join("admin-token"))?,
            staff,
            of_services,
        })
    }

    /// By the names that `kong.yml` uses: `COMPTOIR_GATEWAY_SECRET`, `COMPTOIR_KEY_HQ` and so on.
    pub fn placeholders(&self) -> Placeholders {
        let start = Placeholders::new().with("COMPTOIR_GATEWAY_SECRET", self.gateway.clone());
        let with_keys = self
            .staff
            .iter()
            .fold(start, |all, (group, key)| all.with(format!("COMPTOIR_KEY_{}", group.to_uppercase()), key.clone()));
        self.of_services.iter().fold(with_keys, |all, (name, key)| {
            all.with(format!("COMPTOIR_{}", name.to_uppercase().replace('-', "_")), key.clone())
        })
    }
}

/// Root's Postgres runs as another user, who has to get through this folder but needs not list it.
fn traversable_mode() -> u32 {
    if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 }
}

fn create_folder(path: &Path, mode: u32) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the permissions of {}", path.display()))
}

/// The kernel lets go of the lock when the process ends, however it ends: there are no stale locks.
fn lock(root: &Path) -> Result<File> {
    let path = root.join("lock");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).with_context(|| format!("cannot read {}", path.display()))?;
            bail!("{} is in use by another `comptoir up` (process {})", root.display(), holder.trim());
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_gets_in_and_the_secrets_stay_the_same() {
        let project = tempfile::tempdir().unwrap();
        let root = project.path().join(".comptoir");
        let first = Directory::open(&root).unwrap();
        assert_eq!(mode(&root), traversable_mode());
        assert_eq!(mode(&first.secrets_directory()), 0o700);
        assert_eq!(mode(&first.secrets_directory().join("key-hq")), 0o600);
        let before = first.secrets().clone();
        drop(first);
        let second = Directory::open(&root).unwrap();
        assert_eq!(second.secrets().gateway.reveal(), before.gateway.reveal());
        assert_eq!(second.secrets().staff["hq"].reveal(), before.staff["hq"].reveal());
    }

    #[test]
    fn a_second_up_is_told_who_was_first() {
        let project = tempfile::tempdir().unwrap();
        let _first = Directory::open(project.path()).unwrap();
        let message = Directory::open(project.path()).unwrap_err().to_string();
        assert!(message.contains("is in use by another `comptoir up`"), "{message}");
        assert!(message.contains(&std::process::id().to_string()), "{message}");
    }

    #[test]
    fn no_two_secrets_are_equal_and_none_is_printed() {
        let project = tempfile::tempdir().unwrap();
        let directory = Directory::open(project.path()).unwrap();
        let secrets = directory.secrets();
        assert_ne!(secrets.gateway.reveal(), secrets.service.reveal());
        assert!(!format!("{directory:?}").contains(secrets.gateway.reveal()));
    }

    #[test]
    fn kong_finds_its_placeholders() {
        let project = tempfile::tempdir().unwrap();
        let directory = Directory::open(project.path()).unwrap();
        let placeholders = directory.secrets().placeholders();
        let names: Vec<&str> = placeholders.names().collect();
        let expected = [
            "COMPTOIR_GATEWAY_SECRET",
            "COMPTOIR_KEY_HQ",
            "COMPTOIR_KEY_LOGISTICS",
            "COMPTOIR_KEY_MANAGER",
            "COMPTOIR_KEY_POS",
            "COMPTOIR_TOKEN_KEY",
        ];
        assert_eq!(names, expected);
    }
}
