//! Secrets that the platform makes for itself: written once, kept in files that only their owner
//! reads, handed to `kong.yml` by name. The type that hides a value is [`Secret`].

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rand::Rng as _;
use rand::distr::Alphanumeric;

use crate::identity::Secret;

/// 40 of 62 characters: 238 bits.
const LENGTH: usize = 40;

/// Letters and digits only, so that a secret needs no quoting in YAML, SQL, a URL or a shell.
pub fn generate() -> Secret {
    let value: String = rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect();
    Secret::new(value)
}

/// The secret in the file, which is made when it is not there. A crash leaves a whole file or none.
pub fn load_or_create(path: &Path) -> Result<Secret> {
    if !path.exists() {
        create(path, &generate()).with_context(|| format!("cannot write the secret file {}", path.display()))?;
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o600))
        .with_context(|| format!("cannot keep others from reading {}", path.display()))?;
    Secret::read(path)
}

/// A temporary file has mode 0600 from the start, and the rename does not replace what another made meanwhile.
fn create(path: &Path, secret: &Secret) -> Result<()> {
    let folder = path.parent().context("a secret file lies in a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", secret.reveal())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error.into()),
    }
}

/// What `${NAME}` in `kong.yml` stands for. Kong itself replaces nothing, so in compose the file is
/// rendered before Kong starts; here the gateway does it.
#[derive(Clone, Debug, Default)]
pub struct Placeholders(BTreeMap<String, Secret>);

impl Placeholders {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.0.insert(name.into(), value);
        self
    }

    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let first = load_or_create(&path).unwrap();
        assert_eq!(first.reveal().len(), LENGTH);
        assert!(first.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let second = load_or_create(&path).unwrap();
        assert_eq!(first.reveal(), second.reveal());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_empty_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "\n").unwrap();
        assert!(load_or_create(&path).unwrap_err().to_string().contains("is empty"));
    }

    #[test]
    fn placeholders_do_not_print_their_values() {
        let placeholders = Placeholders::new().with("KEY", Secret::new("hunter2"));
        assert!(!format!("{placeholders:?}").contains("hunter2"));
    }
}
