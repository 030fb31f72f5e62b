//! Where the programs of PostgreSQL lie on this machine, and of which version they are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// The oldest release that is tested; older ones are out of support or lack what `ensure_database` counts on.
const OLDEST_MAJOR: u32 = 14;

const HOW_TO_INSTALL: &str = "install it (Debian, Ubuntu: apt install postgresql; Fedora: dnf install postgresql-server \
                              postgresql-contrib; macOS: brew install postgresql@17), or name the folder of initdb in PG_BIN";

/// Folders outside of `PATH`: every entry of `parent` whose name starts with `prefix`, and in it `bin`.
struct Place {
    parent: &'static str,
    prefix: &'static str,
    bin: &'static str,
}

const PLACES: &[Place] = &[
    Place { parent: "/usr/lib/postgresql", prefix: "", bin: "bin" }, // Debian, Ubuntu
    Place { parent: "/usr", prefix: "pgsql-", bin: "bin" },          // PGDG on Fedora, RHEL
    Place { parent: "/usr/lib", prefix: "postgresql", bin: "bin" },  // openSUSE
    Place { parent: "/usr/libexec", prefix: "postgresql", bin: "" }, // Alpine
    Place { parent: "/opt/homebrew/opt", prefix: "postgresql@", bin: "bin" },
    Place { parent: "/usr/local/opt", prefix: "postgresql@", bin: "bin" },
    Place { parent: "/opt/local/lib", prefix: "postgresql", bin: "bin" }, // MacPorts
    Place { parent: "/Applications/Postgres.app/Contents/Versions", prefix: "", bin: "bin" },
];

/// One version of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    bin: PathBuf,
    major: u32,
}

impl Installation {
    /// For a cluster that exists, the version that made it; else what `PATH` names, else the newest.
    pub fn find(made_by: Option<u32>) -> Result<Self> {
        if let Some(bin) = std::env::var_os("PG_BIN") {
            let bin = PathBuf::from(bin);
            ensure!(has_programs(&bin), "PG_BIN is {}, where there is no initdb and postgres", bin.display());
            return choose(&[Self::inspect(&bin)?], made_by);
        }
        let mut elsewhere: Vec<Self> =
            PLACES.iter().flat_map(folders).filter_map(|bin| Self::inspect(&bin).ok()).collect();
        elsewhere.sort_by_key(|found| std::cmp::Reverse(found.major));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).filter(|bin| has_programs(bin));
        let mut found: Vec<Self> = on_path.filter_map(|bin| Self::inspect(&bin).ok()).collect();
        found.append(&mut elsewhere);
        choose(&found, made_by)
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    pub fn major(&self) -> u32 {
        self.major
    }

    fn inspect(bin: &Path) -> Result<Self> {
        let program = bin.join("postgres");
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let major = parse_major(&text).with_context(|| format!("{} tells no version: {text}", program.display()))?;
        Ok(Self { bin: bin.to_owned(), major })
    }
}

fn choose(found: &[Installation], made_by: Option<u32>) -> Result<Installation> {
    ensure!(!found.is_empty(), "PostgreSQL is not installed: {HOW_TO_INSTALL}");
    let fits = |candidate: &&Installation| match made_by {
        Some(major) => candidate.major == major,
        None => candidate.major >= OLDEST_MAJOR,
    };
    if let Some(fitting) = found.iter().find(fits) {
        return Ok(fitting.clone());
    }
    let present: Vec<String> = found.iter().map(|candidate| candidate.major.to_string()).collect();
    let present = present.join(", ");
    match made_by {
        Some(major) => bail!(
            "it was made by PostgreSQL {major}, and this machine has {present}: install PostgreSQL {major} beside it, \
             or move the folder away to start with empty databases"
        ),
        None => bail!("PostgreSQL {OLDEST_MAJOR} or newer is needed, and this machine has {present}: {HOW_TO_INSTALL}"),
    }
}

fn folders(place: &Place) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place.parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| starts_with(&entry.file_name(), place.prefix))
        .map(|entry| entry.path().join(place.bin))
        .filter(|bin| has_programs(bin))
        .collect()
}

fn starts_with(name: &OsStr, prefix: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(prefix))
}

fn has_programs(bin: &Path) -> bool {
    bin.join("initdb").is_file() && bin.join("postgres").is_file()
}

/// `postgres (PostgreSQL) 17.2 (Debian 17.2-1.pgdg12+1)`, `postgres (PostgreSQL) 18beta1`
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Installation> {
        majors.iter().map(|&major| Installation { bin: PathBuf::from(format!("/pg/{major}")), major }).collect()
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_major("postgres (PostgreSQL) 17.2 (Debian 17.2-1.pgdg12+1)"), Some(17));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_major("postgres (PostgreSQL)"), None);
    }

    #[test]
    fn a_new_cluster_takes_the_first_that_is_new_enough() {
        assert_eq!(choose(&installed(&[12, 15, 17]), None).unwrap().major(), 15);
        let message = choose(&installed(&[9, 12]), None).unwrap_err().to_string();
        assert!(message.contains("14 or newer") && message.contains("9, 12"), "{message}");
    }

    #[test]
    fn a_cluster_keeps_the_version_that_made_it() {
        assert_eq!(choose(&installed(&[17, 15]), Some(15)).unwrap().major(), 15);
        let message = choose(&installed(&[17]), Some(15)).unwrap_err().to_string();
        assert!(message.contains("made by PostgreSQL 15, and this machine has 17"), "{message}");
    }

    #[test]
    fn a_machine_without_postgres_is_told_what_to_install() {
        let message = choose(&[], None).unwrap_err().to_string();
        for word in ["apt install postgresql", "dnf install postgresql-server", "brew install", "PG_BIN"] {
            assert!(message.contains(word), "{message}");
        }
    }
}
