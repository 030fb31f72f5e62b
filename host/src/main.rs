//! `comptoir`: runs WASI HTTP components. See `ARCHITECTURE.md` for the map.
//!
//! Arguments -> telemetry -> configuration -> run -> exit code.

mod admin;
mod background;
mod bindings;
mod cli;
mod client;
mod component;
mod config;
mod dispatch;
mod engine;
mod generation;
mod guest_log;
mod host;
mod identity;
mod ids;
mod lifecycle;
mod limits;
mod log_budget;
mod metrics;
mod migrate;
mod outbound;
mod platform;
mod postgres;
mod problem;
mod serve;
mod server;
mod service;
mod shard;
mod signal;
mod spans;
mod state;
mod swap;
mod telemetry;
mod telling;

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::cli::{CheckArgs, Cli, Command};
use crate::config::ConfigErrors;

/// Requests allocate often and little.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A mistake in the configuration: EX_USAGE of sysexits(3).
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help that was asked for is no mistake. Where nobody listens, the exit code still tells.
            _ = told.print();
            return ExitCode::from(if told.use_stderr() { EXIT_CONFIG } else { 0 });
        }
    };
    match start(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            let misconfigured = error.is::<ConfigErrors>();
            ExitCode::from(if misconfigured { EXIT_CONFIG } else { 1 })
        }
    }
}

fn start(cli: Cli) -> Result<u8> {
    // The compiler is a child of a host and speaks through its exit code and one message.
    if let Command::Compile(args) = &cli.command {
        return component::compile::compile_file(args).map(|()| 0);
    }
    telemetry::start(cli.log_format, &cli.log).context("--log is malformed")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    runtime.block_on(run(cli.command))
}

async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Serve(args) => serve::run(*args).await?,
        Command::Up(args) => platform::up(*args).await?,
        Command::Gateway(args) => platform::gateway(args).await?,
        Command::Swap(args) => print(&client::swap(&args.service, &args.component, &args.admin).await?),
        Command::Rollback(args) => print(&client::rollback(&args.service, &args.admin).await?),
        Command::Check(args) => print(&check(&args).await?),
        Command::Healthcheck { admin } => client::health(admin).await?,
        Command::Postgres { command } => return platform::cluster::run_with_cluster(&command).await,
        Command::Compile(_) => {}
    }
    Ok(0)
}

/// Compiles and links a component in a cache of its own.
async fn check(args: &CheckArgs) -> Result<String> {
    let binary = component::Binary::new(component::read_file(&args.component)?);
    let work = tempfile::tempdir()?;
    // The one that would run it: what does not fit into its pool is refused.
    let engine = engine::new(&args.limits, 1)?;
    let linker = component::linker(&engine, !args.no_database).map_err(anyhow::Error::from)?;
    let cache = component::cache::ArtifactCache::open(work.path(), args.limits.compile)?;
    let linked = component::Linked::load(&cache, &linker, &binary).await?;
    let kind = if linked.extension.is_some() { "a Comptoir service" } else { "a plain WASI HTTP component" };
    Ok(format!("{}: {kind} (WASI HTTP {}), digest {}", args.component.display(), linked.wasi(), linked.digest))
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the last words of the process")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
