//! Compilation, in a child process that bounds itself: a long-lived engine keeps memory for each
//! compilation, and a hostile component can exhaust only the child. Both ends are here; what becomes
//! of the result is the cache's affair.

use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, nice, setrlimit};
use tokio::process::Command;

use super::{RENAME, Refusal, Stage};
use crate::cli::CompileArgs;
use crate::limits::CompileLimits;

/// A component of a few megabytes takes seconds, even where the machine is busy; what takes longer
/// than this is refused.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(120);

/// How far the compiler stands back, from 0 to 19: serving goes first.
const NICENESS: i32 = 10;

/// Our allocator reserves 1 GiB of address space to begin with, which would all count as memory.
const ARENA: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "16MiB");

/// Characters of what the compiler said that are passed on.
const MAX_MESSAGE: usize = 2_000;

/// The program that has the subcommand `compile`: this one.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    limits: CompileLimits,
}

impl Compiler {
    pub fn new(limits: CompileLimits) -> Result<Self> {
        let program = std::env::current_exe().context("cannot tell the path of this program")?;
        Ok(Self { program, limits })
    }

    /// From one component file to one artifact; waits for the child, and ends it when nobody waits.
    pub async fn run(&self, input: &Path, output: &Path) -> Result<(), Refusal> {
        let child = Command::new(&self.program)
            .arg("compile")
            .args([input, output])
            .args(["--compile-memory-bytes", &self.limits.compile_memory_bytes.to_string()])
            .args(["--compile-cpu-s", &self.limits.compile_cpu_s.to_string()])
            .env(ARENA.0, ARENA.1)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let took_too_long = |_| {
            let cause = anyhow!("compiling the component took longer than {COMPILE_TIMEOUT:?}: build it smaller");
            Refusal::new(Stage::Compile, cause)
        };
        let finished = tokio::time::timeout(COMPILE_TIMEOUT, child)
            .await
            .map_err(took_too_long)?
            .context("cannot start the compiler")
            .map_err(|error| Refusal::transient(Stage::Compile, error))?;
        if finished.status.success() {
            return Ok(());
        }
        Err(Refusal::new(Stage::Compile, why(&finished, self.limits)))
    }
}

/// Why the child failed, and what to do. A signal leaves no words behind.
fn why(finished: &Output, limits: CompileLimits) -> anyhow::Error {
    let said = String::from_utf8_lossy(&finished.stderr);
    let said: String = said.trim().trim_start_matches("error: ").chars().take(MAX_MESSAGE).collect();
    if ran_out_of_memory(&said) {
        return anyhow!(
            "compiling the component takes more than {} bytes of memory: build it smaller, or give the \
             compiler more with `--compile-memory-bytes`",
            limits.compile_memory_bytes
        );
    }
    match finished.status.signal().map(Signal::from_named_raw) {
        None if said.is_empty() => anyhow!("the compiler failed ({}) and did not say why", finished.status),
        None => anyhow!("{said}"),
        Some(Some(Signal::XCPU)) => anyhow!(
            "compiling the component takes more than {} s of CPU time: build it smaller, or give the compiler \
             more with `--compile-cpu-s`",
            limits.compile_cpu_s
        ),
        Some(Some(Signal::KILL)) => anyhow!(
            "the compiler was killed, most likely because this machine or container ran out of memory: give it \
             more, or build the component smaller, and load it again"
        ),
        Some(_) => anyhow!("the component crashes the compiler ({}): {said}", finished.status),
    }
}

/// Whoever asks in vain says so in words of its own: Rust's allocator, the system's `mmap`, and
/// threads that find no room for a stack.
fn ran_out_of_memory(said: &str) -> bool {
    ["memory allocation of", "out of memory", "Cannot allocate memory", "Resource temporarily unavailable"]
        .iter()
        .any(|words| said.contains(words))
}

/// What `comptoir compile` does, within its limits.
pub fn compile_file(args: &CompileArgs) -> Result<()> {
    contain(args.limits).context("the compiler cannot limit itself")?;
    let bytes = super::read_file(&args.input)?;
    super::check_whole(&bytes)?;
    let artifact = crate::engine::compiler()?.precompile_component(&bytes).map_err(|error| {
        anyhow::Error::from(error).context(format!(
            "the file is damaged, or a component of a kind that this host does not run: build it again, {RENAME}"
        ))
    })?;
    let output = &args.output;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(output)?;
    std::io::Write::write_all(&mut file, &artifact).with_context(|| format!("cannot write {}", output.display()))
}

/// Bounds this process, and lets others go first.
fn contain(limits: CompileLimits) -> rustix::io::Result<()> {
    limit(Resource::As, limits.compile_memory_bytes, 0)?;
    // The soft limit tells what it was; the hard one ends whoever does not listen.
    limit(Resource::Cpu, limits.compile_cpu_s, 1)?;
    // A compiler that crashes is no reason to fill a disk.
    limit(Resource::Core, 0, 0)?;
    nice(NICENESS).map(|_| ())
}

/// A limit, unless there is a stricter one already, which only a privileged process could raise.
fn limit(resource: Resource, soft: u64, margin: u64) -> rustix::io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let hard = soft.saturating_add(margin).min(most);
    setrlimit(resource, Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) })
}
