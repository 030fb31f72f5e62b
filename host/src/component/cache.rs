//! Compiled artifacts on disk, keyed by the component's digest and by everything that an artifact
//! depends on. Compilation happens in a child process: a long-lived engine keeps memory for each
//! compilation, and a hostile component can exhaust only the child.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::{Digest, Refusal, Stage, hex};

/// A component of a few megabytes takes seconds; what takes longer than this is refused.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(120);

/// Artifacts in a folder that only this user can write to.
#[derive(Clone, Debug)]
pub struct ArtifactCache {
    directory: PathBuf,
    /// The program that has the subcommand `compile`: this one.
    compiler: PathBuf,
}

impl ArtifactCache {
    /// Makes the folder when it is missing; refuses one that others can write to, because an
    /// artifact is machine code.
    pub fn open(directory: &Path) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot create the cache {}", directory.display()))?;
        check_private(directory)?;
        let compiler = std::env::current_exe().context("cannot tell the path of this program")?;
        Ok(Self { directory: directory.to_owned(), compiler })
    }

    /// The compiled component, from the cache where possible.
    pub async fn component(&self, engine: &Engine, digest: &Digest, bytes: Arc<[u8]>) -> Result<Component, Refusal> {
        let path = self.directory.join(format!("{digest}-{:016x}.cwasm", compatibility(engine)));
        if let Some(component) = self.cached(engine, &path).await {
            return Ok(component);
        }
        self.compile(&path, bytes).await?;
        read(engine.clone(), path)
            .await
            .map_err(|error| Refusal::transient(Stage::Compile, error.context("the fresh artifact cannot be loaded")))
    }

    /// An artifact that is missing, damaged, or of another version is made again, never trusted.
    async fn cached(&self, engine: &Engine, path: &Path) -> Option<Component> {
        if !path.exists() {
            return None;
        }
        match read(engine.clone(), path.to_owned()).await {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), error = format!("{error:#}"), "rebuilding a cached artifact");
                None
            }
        }
    }

    async fn compile(&self, path: &Path, bytes: Arc<[u8]>) -> Result<(), Refusal> {
        let host = |error: anyhow::Error| Refusal::transient(Stage::Compile, error);
        let work = tempfile::Builder::new()
            .prefix("compile-")
            .tempdir_in(&self.directory)
            .context("cannot create a folder for the compiler")
            .map_err(host)?;
        let input = work.path().join("component.wasm");
        let output = work.path().join("artifact.cwasm");
        tokio::fs::write(&input, &bytes).await.context("cannot write the compiler's input").map_err(host)?;
        let child = Command::new(&self.compiler)
            .arg("compile")
            .args([&input, &output])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let finished = tokio::time::timeout(COMPILE_TIMEOUT, child)
            .await
            .map_err(|_| Refusal::new(Stage::Compile, anyhow!("compiling took longer than {COMPILE_TIMEOUT:?}")))?
            .context("cannot start the compiler")
            .map_err(host)?;
        if !finished.status.success() {
            let message = String::from_utf8_lossy(&finished.stderr);
            return Err(Refusal::new(Stage::Compile, anyhow!("{}", message.trim().trim_start_matches("error: "))));
        }
        seal(&output)
            .and_then(|()| Ok(std::fs::rename(&output, path)?))
            .context("cannot keep the artifact")
            .map_err(host)
    }
}

/// What `comptoir compile` does: one component file into one artifact.
pub fn compile_file(input: &Path, output: &Path) -> Result<()> {
    let bytes = std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    super::check_magic(&bytes)?;
    let artifact = crate::engine::compiler()?.precompile_component(&bytes).map_err(anyhow::Error::from)?;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(output)?;
    std::io::Write::write_all(&mut file, &artifact).with_context(|| format!("cannot write {}", output.display()))
}

/// Appends the artifact's digest, by which `read` tells a damaged file.
fn seal(path: &Path) -> Result<()> {
    let mut bytes = std::fs::read(path)?;
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    std::fs::write(path, bytes)?;
    Ok(())
}

async fn read(engine: Engine, path: PathBuf) -> Result<Component> {
    tokio::task::spawn_blocking(move || read_blocking(&engine, &path)).await?
}

fn read_blocking(engine: &Engine, path: &Path) -> Result<Component> {
    check_private(path)?;
    let bytes = std::fs::read(path)?;
    let Some((artifact, seal)) = bytes.split_last_chunk::<32>() else { bail!("the artifact is too short") };
    ensure!(Sha256::digest(artifact)[..] == seal[..], "the artifact is damaged: its digest is not {}", hex(seal));
    // SAFETY: the artifact is what our own compiler wrote: the file and its folder belong to this
    // user, nobody else can write to them, and its digest is intact. wasmtime checks version and
    // settings itself.
    #[expect(unsafe_code, reason = "deserializing machine code is what this module exists for")]
    let component = unsafe { Component::deserialize(engine, artifact) };
    component.map_err(anyhow::Error::from)
}

/// Only this user owns it and can write to it.
fn check_private(path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(path)?;
    let user = rustix::process::geteuid().as_raw();
    ensure!(metadata.uid() == user, "{} belongs to user {}, not to {user}", path.display(), metadata.uid());
    ensure!(metadata.mode() & 0o022 == 0, "{} can be written by others: chmod go-w it", path.display());
    Ok(())
}

/// A number that changes with wasmtime's version, the target and the settings.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
