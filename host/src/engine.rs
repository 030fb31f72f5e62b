//! The wasmtime engine: one configuration for compiling and for running, and the epoch ticker.
//! Does not know components.

use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

use anyhow::{Context as _, Result};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::Limits;

/// How often a guest that computes without a pause gives other requests of its thread a turn.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Component instances of the whole process at once, all services and generations together, where there are so many:
/// more than one service may have, so that none takes the room of all. An instance takes address space and no memory
/// until it is used.
const MAX_INSTANCES: usize = 1024;

/// A version that comes, or one that goes, and what is asked of a component besides requests.
const GENERATIONS: usize = 3;

/// The largest `max_memory_bytes` that can be configured; the pool reserves address space for it.
pub const MAX_MEMORY_BYTES: usize = 1 << 30;

/// The engine that runs components. `services`: those of the process, each counted once for every core that it is on.
/// Compilation happens elsewhere (`compile`), with the same settings.
pub fn new(limits: &Limits, services: usize) -> Result<Engine> {
    let instances = services.saturating_mul(limits.max_instances).saturating_mul(GENERATIONS).clamp(1, MAX_INSTANCES);
    let instances = u32::try_from(instances)?;
    let mut pool = PoolingAllocationConfig::new();
    // A component of ours has about four core instances, one memory and two tables.
    pool.total_component_instances(instances)
        .total_core_instances(4 * instances)
        .total_memories(instances)
        .total_tables(2 * instances)
        // One runs an instance's code, another waits while a guest of WASI 0.2 does. Each costs a system call at the start.
        .total_stacks(2 * instances)
        .table_elements(limits.max_table_elements)
        .max_memory_size(MAX_MEMORY_BYTES)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        // Keeping the first pages of a slot saves the page faults of the next instance.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(16 << 10);
    let mut config = settings();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(anyhow::Error::from).context("cannot start wasmtime")
}

/// An engine that only compiles: the same code, without the address space of a pool.
pub fn compiler() -> Result<Engine> {
    Engine::new(&settings()).map_err(anyhow::Error::from).context("cannot start wasmtime")
}

/// Everything that an artifact depends on.
fn settings() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true).wasm_component_model_async(true).epoch_interruption(true).memory_init_cow(true);
    config
}

/// Advances the epoch for as long as somebody holds the engine.
pub fn start_ticker(engine: &Arc<Engine>) -> std::io::Result<()> {
    let engine: Weak<Engine> = Arc::downgrade(engine);
    std::thread::Builder::new().name("epoch".into()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH_TICK);
        }
    })?;
    Ok(())
}
