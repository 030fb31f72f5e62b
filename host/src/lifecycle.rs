//! Calls to the exports that only our own components have. Each runs in an instance of its own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use wasmtime::{Engine, Store};

use crate::bindings::exports::comptoir::service::background::Task;
use crate::bindings::exports::comptoir::service::lifecycle::Migration;
use crate::bindings::{Extension, ExtensionPre};
use crate::state::{Capabilities, State};

/// What a component says of itself.
#[derive(Debug, Default)]
pub struct Declared {
    /// The steps of its schema.
    pub migrations: Vec<Migration>,
    /// What it wants to be run again and again.
    pub tasks: Vec<Task>,
}

/// Asks one instance for everything.
pub async fn declared(
    pre: ExtensionPre<State>,
    engine: Arc<Engine>,
    capabilities: Arc<Capabilities>,
    generation: u64,
) -> Result<Declared> {
    let timeout = capabilities.limits.request_timeout();
    let (mut store, extension) = instantiate(&pre, &engine, capabilities, generation).await?;
    let (lifecycle, background) = (extension.comptoir_service_lifecycle(), extension.comptoir_service_background());
    Ok(Declared {
        migrations: in_time("migrations", timeout, lifecycle.call_migrations(&mut store)).await?,
        tasks: in_time("tasks", timeout, background.call_tasks(&mut store)).await?,
    })
}

/// One run of one task; the inner error is the component's own.
pub async fn run_task(
    pre: ExtensionPre<State>,
    engine: Arc<Engine>,
    capabilities: Arc<Capabilities>,
    generation: u64,
    name: String,
) -> Result<Result<(), String>> {
    let (mut store, extension) = instantiate(&pre, &engine, capabilities, generation).await?;
    let extension = &extension;
    store
        .run_concurrent(async move |accessor| extension.comptoir_service_background().call_run(accessor, name).await)
        .await
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)
}

async fn instantiate(
    pre: &ExtensionPre<State>,
    engine: &Engine,
    capabilities: Arc<Capabilities>,
    generation: u64,
) -> Result<(Store<State>, Extension)> {
    let timeout = capabilities.limits.request_timeout();
    let mut store = State::store(engine, capabilities, generation);
    match tokio::time::timeout(timeout, pre.instantiate_async(&mut store)).await {
        Ok(Ok(extension)) => Ok((store, extension)),
        Ok(Err(error)) => {
            let error = match store.data().refused_allocation() {
                Some(refused) => anyhow::Error::from(error).context(refused),
                None => error.into(),
            };
            Err(error.context(FAILED_ON_START))
        }
        Err(_) => Err(did_not_start(timeout)),
    }
}

/// What the host says of a component that it cannot make an instance of.
pub const FAILED_ON_START: &str = "the component failed on its start, before anything was asked of it: see its log \
                                   lines, and leave to the first request what can fail";

/// The same of one that computes on.
pub fn did_not_start(timeout: Duration) -> anyhow::Error {
    anyhow!(
        "the component did not start within {timeout:?}: leave to the first request what takes time, or raise \
         `--request-timeout-ms`"
    )
}

/// A call that returns what the component has at hand.
async fn in_time<T>(export: &str, timeout: Duration, call: impl Future<Output = wasmtime::Result<T>>) -> Result<T> {
    match tokio::time::timeout(timeout, call).await {
        Ok(Ok(list)) => Ok(list),
        Ok(Err(error)) => Err(anyhow::Error::from(error).context(format!("the component failed in `{export}`"))),
        Err(_) => Err(anyhow!(
            "the component's `{export}` did not return within {timeout:?}: it is to return a list, and to do nothing \
             else"
        )),
    }
}
