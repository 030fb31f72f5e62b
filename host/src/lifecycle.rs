//! Calls to the exports that only our own components have. Each runs in an instance of its own.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use wasmtime::{Engine, Store};

use crate::bindings::exports::comptoir::service::background::Task;
use crate::bindings::exports::comptoir::service::lifecycle::Migration;
use crate::bindings::{Extension, ExtensionPre};
use crate::state::{Capabilities, State};

/// The steps of the component's schema.
pub async fn migrations(
    pre: ExtensionPre<State>,
    engine: Arc<Engine>,
    capabilities: Arc<Capabilities>,
    generation: u64,
) -> Result<Vec<Migration>> {
    let timeout = capabilities.limits.request_timeout();
    let call = async {
        let (mut store, extension) = instantiate(&pre, &engine, capabilities, generation).await?;
        extension.comptoir_service_lifecycle().call_migrations(&mut store).await.map_err(anyhow::Error::from)
    };
    tokio::time::timeout(timeout, call)
        .await
        .map_err(|_| anyhow!("the component did not tell its migrations in time"))?
}

/// What the component wants to be run again and again.
pub async fn tasks(
    pre: ExtensionPre<State>,
    engine: Arc<Engine>,
    capabilities: Arc<Capabilities>,
    generation: u64,
) -> Result<Vec<Task>> {
    let timeout = capabilities.limits.request_timeout();
    let call = async {
        let (mut store, extension) = instantiate(&pre, &engine, capabilities, generation).await?;
        extension.comptoir_service_background().call_tasks(&mut store).await.map_err(anyhow::Error::from)
    };
    tokio::time::timeout(timeout, call).await.map_err(|_| anyhow!("the component did not tell its tasks in time"))?
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
    let mut store = State::store(engine, capabilities, generation);
    let extension = pre
        .instantiate_async(&mut store)
        .await
        .map_err(anyhow::Error::from)
        .context("the component trapped on its start")?;
    Ok((store, extension))
}
