//! What a component may import. An import that is not added here is refused by name when the
//! component is linked: sockets above all.

use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiView as _, p2, p3};

use crate::bindings::comptoir::{postgres, service};
use crate::postgres::Postgres;
use crate::state::State;
use crate::telling::Telling;

/// `database`: whether the component is given one.
pub fn linker(engine: &Engine, database: bool) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    add_wasi_0_2(&mut linker)?;
    add_wasi_0_3(&mut linker)?;
    service::metrics::add_to_linker::<_, Telling>(&mut linker, |state| state)?;
    service::logging::add_to_linker::<_, Telling>(&mut linker, |state| state)?;
    service::secrets::add_to_linker::<_, Telling>(&mut linker, |state| state)?;
    if database {
        postgres::client::add_to_linker::<_, Postgres>(&mut linker, |state| state)?;
    }
    Ok(linker)
}

/// The proxy world, and what the standard libraries of common languages import whether they use it
/// or not: an environment without variables and a file system without a single directory.
fn add_wasi_0_2(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use p2::bindings::{cli, filesystem, random};
    let l = linker;
    wasmtime_wasi_http::p2::add_to_linker_async(l)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    Ok(())
}

fn add_wasi_0_3(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    p3::clocks::add_to_linker(linker)?;
    p3::random::add_to_linker(linker)?;
    p3::cli::add_to_linker(linker)?;
    p3::filesystem::add_to_linker(linker)
}
