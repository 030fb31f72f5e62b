//! Compiled artifacts on disk, keyed by the component's digest and by everything that an artifact
//! depends on; bounded in number. One component is compiled at a time, in all processes that share
//! the folder, and none twice.

use std::fs::{File, FileTimes, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow, ensure};
use twox_hash::XxHash3_128;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::compile::Compiler;
use super::{Binary, Refusal, Stage};
use crate::limits::{CompileLimits, MAX_ARTIFACTS};

/// The folders in which compilers work.
const WORK: &str = "compile-";

/// The files that are kept.
const ARTIFACT: &str = "cwasm";

/// What an artifact ends with: the XXH3 of the rest, which tells a damaged file. It is not against people; whoever
/// could write here could write that as well.
const SEAL_BYTES: usize = 16;

/// Between two looks at whether another compiler is done.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Artifacts in a folder that only this user can write to.
#[derive(Clone, Debug)]
pub struct ArtifactCache {
    directory: PathBuf,
    compiler: Compiler,
}

impl ArtifactCache {
    /// Makes the folder when it is missing; refuses one that others can write to, because an
    /// artifact is machine code. Removes what hosts that were killed left behind.
    pub fn open(directory: &Path, limits: CompileLimits) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot create the cache {}", directory.display()))?;
        check_private(directory)?;
        // Whoever works has the lock: without it, there is nothing to be sure of.
        if let Some(_lock) = try_lock(directory)? {
            remove_leftovers(directory).context("cannot clean up the cache")?;
        }
        Ok(Self { directory: directory.to_owned(), compiler: Compiler::new(limits)? })
    }

    /// The compiled component, from the cache where possible.
    pub async fn component(&self, engine: &Engine, binary: &Binary) -> Result<Component, Refusal> {
        let Binary { bytes, digest } = binary;
        let host = |error: anyhow::Error| Refusal::transient(Stage::Compile, error);
        let path = self.directory.join(format!("{digest}-{:016x}.{ARTIFACT}", compatibility(engine)));
        if let Some(component) = cached(engine, &path).await? {
            return Ok(component);
        }
        let _lock = self.lock().await.map_err(host)?;
        // Whoever had the lock may have made it: replicas start together.
        if let Some(component) = cached(engine, &path).await? {
            return Ok(component);
        }
        let started = Instant::now();
        self.compile(&path, bytes).await?;
        let compile_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // No louder: the first line of a host that starts is to be the address that it serves on.
        tracing::debug!(digest = digest.short(), compile_ms, "compiled a component");
        match open(engine.clone(), path).await {
            Ok(component) => Ok(component),
            Err(Unusable::Artifact(error)) => Err(host(error.context("the fresh artifact cannot be loaded"))),
            Err(Unusable::Component(refusal)) => Err(refusal),
        }
    }

    /// Waits until no other compiler works for this cache, in whichever process. Ends with the process.
    async fn lock(&self) -> Result<File> {
        loop {
            match try_lock(&self.directory)? {
                Some(lock) => return Ok(lock),
                None => tokio::time::sleep(LOCK_PAUSE).await,
            }
        }
    }

    async fn compile(&self, path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
        let host = |error: anyhow::Error| Refusal::transient(Stage::Compile, error);
        let work = tempfile::Builder::new()
            .prefix(WORK)
            .tempdir_in(&self.directory)
            .context("cannot create a folder for the compiler")
            .map_err(host)?;
        let input = work.path().join("component.wasm");
        let output = work.path().join("artifact.cwasm");
        tokio::fs::write(&input, bytes).await.context("cannot write the compiler's input").map_err(host)?;
        self.compiler.run(&input, &output).await?;
        seal(&output)
            .and_then(|()| Ok(std::fs::rename(&output, path)?))
            .context("cannot keep the artifact")
            .map_err(host)?;
        if let Err(error) = prune(&self.directory) {
            tracing::warn!(error = format!("{error:#}"), "cannot remove old artifacts");
        }
        Ok(())
    }
}

/// An artifact that is missing, damaged, or writable by others is made again, never trusted.
async fn cached(engine: &Engine, path: &Path) -> Result<Option<Component>, Refusal> {
    if !path.exists() {
        return Ok(None);
    }
    match open(engine.clone(), path.to_owned()).await {
        Ok(component) => Ok(Some(component)),
        Err(Unusable::Component(refusal)) => Err(refusal),
        Err(Unusable::Artifact(error)) => {
            tracing::warn!(path = %path.display(), error = format!("{error:#}"), "rebuilding a cached artifact");
            // So that it is looked at once; if it cannot be removed, it will be replaced.
            _ = tokio::fs::remove_file(path).await;
            Ok(None)
        }
    }
}

/// Why there is no component in an artifact.
enum Unusable {
    /// Another would do.
    Artifact(anyhow::Error),
    /// Every other would be the same.
    Component(Refusal),
}

async fn open(engine: Engine, path: PathBuf) -> Result<Component, Unusable> {
    let opened = tokio::task::spawn_blocking(move || {
        check(&path).map_err(Unusable::Artifact)?;
        // SAFETY: the artifact is what our own compiler wrote: the file and its folder belong to this
        // user, nobody else can write to them, and its seal is intact. wasmtime checks version and
        // settings itself. The file is mapped, and from then on never written to: a new one takes its name.
        #[expect(unsafe_code, reason = "deserializing machine code is what this module exists for")]
        let component = unsafe { Component::deserialize_file(&engine, &path) };
        component.map_err(|error| Unusable::Component(misfit(error.into())))
    });
    opened.await.unwrap_or_else(|error| Err(Unusable::Artifact(error.into())))
}

/// Whether it is a file that nobody touched.
fn check(path: &Path) -> Result<()> {
    check_private(path)?;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len().checked_sub(SEAL_BYTES as u64).context("the artifact is too short")?;
    let found = fingerprint((&file).take(length))?;
    let mut seal = [0; SEAL_BYTES];
    file.read_exact(&mut seal)?;
    ensure!(found == u128::from_le_bytes(seal), "the artifact is damaged: it is not what its seal says");
    // By which `prune` tells what is in use; the file system's own record may be coarse, or off.
    file.set_times(FileTimes::new().set_accessed(SystemTime::now()))?;
    Ok(())
}

fn fingerprint(mut bytes: impl Read) -> std::io::Result<u128> {
    let mut hasher = XxHash3_128::new();
    let mut part = vec![0; 64 << 10];
    loop {
        let length = bytes.read(&mut part)?;
        if length == 0 {
            return Ok(hasher.finish_128());
        }
        hasher.write(part.get(..length).unwrap_or_default());
    }
}

/// What was compiled does not fit into the pool of instances: compiling it again changes nothing.
fn misfit(error: anyhow::Error) -> Refusal {
    if error.chain().any(|cause| cause.is::<std::io::Error>() || cause.is::<rustix::io::Errno>()) {
        return Refusal::transient(Stage::Compile, error.context("this machine has no room for the component's code"));
    }
    let text = format!("{error:#}");
    let advice = if text.contains("instance allocation") {
        "build it smaller, of fewer modules, functions and imports"
    } else if text.contains("table") {
        "build it with one table a module, or raise `--max-table-elements`"
    } else {
        "build it with one memory a module, and less to begin with (the linker's `--initial-memory`, less static \
         data); it may grow to `--max-memory-bytes` when it runs"
    };
    Refusal::new(Stage::Compile, anyhow!("the component asks for more than an instance is given: {text}; {advice}"))
}

/// The lock of a folder, unless somebody has it.
fn try_lock(directory: &Path) -> Result<Option<File>> {
    let lock = File::open(directory)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(anyhow!(error).context(format!("cannot lock the cache {}", directory.display())))
        }
    }
}

/// The folders of compilers whose host was killed.
fn remove_leftovers(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(WORK) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the artifacts beyond the limit that were not used for the longest time.
fn prune(directory: &Path) -> Result<()> {
    let mut artifacts = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == ARTIFACT) {
            artifacts.push((std::fs::metadata(&path)?.accessed()?, path));
        }
    }
    artifacts.sort();
    let surplus = artifacts.len().saturating_sub(MAX_ARTIFACTS);
    for (_, path) in artifacts.into_iter().take(surplus) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Appends what `check` looks for.
fn seal(path: &Path) -> Result<()> {
    let seal = fingerprint(File::open(path)?)?;
    OpenOptions::new().append(true).open(path)?.write_all(&seal.to_le_bytes())?;
    Ok(())
}

/// Only this user owns it and can write to it.
fn check_private(path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(path)?;
    let user = rustix::process::geteuid().as_raw();
    ensure!(metadata.uid() == user, "{} belongs to user {}, not to {user}", path.display(), metadata.uid());
    ensure!(metadata.mode() & 0o022 == 0, "{} can be written by others: chmod go-w it", path.display());
    Ok(())
}

/// A number that changes with wasmtime's version, the target, the settings and the seal.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    SEAL_BYTES.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
