//! Runs the background tasks of a service's current generation on its first core. A task never
//! overlaps with itself, not even across a swap; a run that takes too long is ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio_util::sync::CancellationToken;

use crate::bindings::exports::comptoir::service::background::Task;
use crate::generation::Generation;
use crate::lifecycle;
use crate::service::Service;
use crate::telemetry::{cut, printable};

/// The shortest pause between two runs.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// Tasks of one component.
const MAX_TASKS: usize = 16;
/// How a run can end: the values of the label `outcome`.
const OUTCOMES: [&str; 4] = ["ok", "error", "trap", "timeout"];
const MAX_NAME_BYTES: usize = 40;

/// Whether the names of a component's tasks can be metric labels.
pub fn check_names(tasks: &[Task]) -> Result<()> {
    let is_valid = |name: &str| {
        (1..=MAX_NAME_BYTES).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match tasks.iter().find(|task| !is_valid(&task.name)) {
        Some(Task { name, .. }) => bail!(
            "the component has a background task `{}`: its name must be 1 to {MAX_NAME_BYTES} lower-case letters, \
             digits or hyphens",
            printable(cut(name, 2 * MAX_NAME_BYTES))
        ),
        None => Ok(()),
    }
}

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

    /// Waits until no run is under way; only after `stop`.
    pub async fn ended(&self) {
        let turns: Vec<_> =
            self.turns.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        for turn in turns {
            drop(turn.lock().await);
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
    let run = lifecycle::run_task(
        extension.clone(),
        service.platform.engine.clone(),
        capabilities.clone(),
        generation.number,
        task.to_owned(),
    );
    let (outcome, error) = match tokio::time::timeout(service.limits().task_timeout(), run).await {
        Ok(Ok(Ok(()))) => return "ok",
        Ok(Ok(Err(message))) => ("error", message),
        Ok(Err(trap)) => ("trap", format!("{trap:#}")),
        Err(_) => ("timeout", "the run took longer than a task may".to_owned()),
    };
    tracing::warn!(
        service = service.name(),
        generation = generation.number,
        task,
        outcome,
        error = &*printable(&error),
        "a background task failed"
    );
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_a_name_that_is_a_label() {
        let check = |name: &str| check_names(&[Task { name: name.to_owned(), every_ms: 1000 }]);
        for good in ["a", "expire-carts-2", &"x".repeat(40)] {
            check(good).unwrap();
        }
        for bad in ["", "Expire", "expire carts", "expire_carts", "é", "a\nb", &"x".repeat(41)] {
            let refusal = check(bad).unwrap_err().to_string();
            assert!(refusal.contains("1 to 40 lower-case letters") && !refusal.contains('\n'), "{refusal}");
        }
    }
}
