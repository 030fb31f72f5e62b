//! Runs the background tasks of a service's current generation on its first core. A task never
//! overlaps with itself, not even across a swap; a run that takes too long is ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bindings::exports::comptoir::service::background::Task;
use crate::generation::Generation;
use crate::lifecycle;
use crate::service::Service;

/// The shortest pause between two runs.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// Tasks of one component.
const MAX_TASKS: usize = 16;
/// How a run can end: the values of the label `outcome`.
const OUTCOMES: [&str; 4] = ["ok", "error", "trap", "timeout"];

#[derive(Debug, Default)]
pub struct Background {
    /// Cancelled: the loops of the generation before end after the run that they are in.
    running: Mutex<CancellationToken>,
    /// One run of a task at a time.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Background {
    /// Runs this generation's tasks from now on, and no other's.
    pub fn start(&self, service: &Arc<Service>, generation: &Arc<Generation>) {
        let stop = CancellationToken::new();
        let before = std::mem::replace(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner), stop.clone());
        before.cancel();
        let Some(shard) = service.platform.shards.first() else { return };
        for task in generation.tasks.iter().take(MAX_TASKS) {
            for outcome in OUTCOMES {
                service.metrics().background_runs.with_label_values(&[service.name(), &task.name, outcome]);
            }
            shard.spawn(run_again_and_again(service.clone(), generation.clone(), task.clone(), stop.clone()));
        }
    }

    pub fn stop(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    fn turn(&self, task: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(task.to_owned()).or_default().clone()
    }
}

async fn run_again_and_again(service: Arc<Service>, generation: Arc<Generation>, task: Task, stop: CancellationToken) {
    let pause = Duration::from_millis(task.every_ms.into()).max(MIN_PAUSE);
    let turn = service.background.turn(&task.name);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let _turn = turn.lock().await;
        if stop.is_cancelled() {
            return;
        }
        let outcome = run_once(&service, &generation, &task.name).await;
        service.metrics().background_runs.with_label_values(&[service.name(), &task.name, outcome]).inc();
    }
}

/// Returns the outcome as a metric label.
async fn run_once(service: &Service, generation: &Generation, task: &str) -> &'static str {
    let (Some(extension), Some(capabilities)) = (&generation.component.extension, service.capabilities.first()) else {
        return "error";
    };
    let run =
        lifecycle::run_task(extension.clone(), service.platform.engine.clone(), capabilities.clone(), task.to_owned());
    let (outcome, error) = match tokio::time::timeout(service.limits().task_timeout(), run).await {
        Ok(Ok(Ok(()))) => return "ok",
        Ok(Ok(Err(message))) => ("error", message),
        Ok(Err(trap)) => ("trap", format!("{trap:#}")),
        Err(_) => ("timeout", "the run took longer than a task may".to_owned()),
    };
    tracing::warn!(service = service.name(), task, outcome, error, "a background task failed");
    outcome
}
