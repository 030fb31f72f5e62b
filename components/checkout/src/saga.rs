//! A checkout, step by step. Whoever has its lease takes them: the request that brought it, one that asks again,
//! or the task.
//!
//! The intention of a step is written before it is tried, in the statement that writes what came of the one
//! before. So a crash loses at most an answer, and whoever goes on tries that step again. What is written names
//! the fence: somebody who was slower than the lease finds that it is not theirs any more, and what they ask others
//! for late is refused there, because what was compensated is barred.

mod calls;

use std::time::Duration;

use jiff::Timestamp;
use sdk::outbox::Event;
use sdk::{Context, Result, log, metrics};

use crate::domain::basket::Cart;
use crate::domain::checkout::{Checkout, StepState, Taken};
use crate::domain::decision::{Report, Turn, decide, is_pivot};
use crate::domain::failure::{Code, Failure};
use crate::domain::steps::{PIVOT, Step};
use crate::domain::{LEASE, State, later, pause_after};
use crate::store::{self, Saved, Written};
use crate::{events, patience::Patience};

use calls::Came;

/// How far somebody got.
#[derive(Debug)]
pub enum Got {
    /// To its end, which is written.
    Ended(Box<Checkout>),
    /// Somebody is away: it is tried again at `due_at`, by whoever claims it.
    Waits(Box<Checkout>),
    /// Somebody else has it.
    Fenced,
}

/// Goes on with a checkout that is claimed, for as long as `patience` allows for waiting.
///
/// # Errors
/// When the database fails: then the checkout is claimed again when its lease ends.
pub async fn drive(context: &Context, checkout: Checkout, patience: &mut Patience) -> Result<Got> {
    let mut worker = Worker { context, checkout, cart: None, steps: Vec::new(), basket: false };
    worker.begin(worker.now());
    loop {
        let came = worker.call().await;
        let now = worker.now();
        let turn = worker.decide(came, now);
        match turn {
            Turn::Again => {
                if let Some(got) = worker.again(patience, now).await? {
                    return Ok(got);
                }
            }
            turn => {
                if let Some(got) = worker.turn(turn, now).await? {
                    return Ok(got);
                }
            }
        }
    }
}

/// Somebody who has the lease of a checkout.
struct Worker<'a> {
    context: &'a Context,
    checkout: Checkout,
    /// Read, and not written yet.
    cart: Option<Cart>,
    /// Since the last write; the last one is the intention.
    steps: Vec<Taken>,
    /// Whether the basket was priced since the last write.
    basket: bool,
}

impl Worker<'_> {
    fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// Intends the step that the checkout is at.
    fn begin(&mut self, now: Timestamp) {
        let (step, retries) = (self.checkout.step, self.checkout.attempts);
        self.steps.push(Taken { step, state: StepState::Intended, retries, began_at: now, ended_at: None, note: None });
    }

    /// What follows from what the step came to. The step is ended, unless it is to be tried again.
    fn decide(&mut self, came: Came, now: Timestamp) -> Turn {
        let (report, state, note) = match &came {
            Came::Done => (Report::Done, StepState::Done, None),
            Came::Skipped(why) => (Report::Skipped, StepState::Skipped, Some((*why).to_owned())),
            Came::Refused(failure) => {
                (Report::Refused(failure.code), StepState::Refused, Some(failure.code.as_str().to_owned()))
            }
            Came::Unknown(reason) => (Report::Unknown, StepState::Unknown, Some(reason.to_string())),
        };
        let turn = decide(self.checkout.progress(now), report);
        if turn != Turn::Again {
            if let Turn::Back(_, code) | Turn::Undone(code) = turn
                && self.checkout.failure.is_none()
            {
                let told = match came {
                    Came::Refused(failure) if failure.code == code => failure,
                    _ => Failure::own(code),
                };
                self.checkout.failure = Some(told);
            }
            self.end_step(state, note, now);
        }
        turn
    }

    fn end_step(&mut self, state: StepState, note: Option<String>, now: Timestamp) {
        let retries = self.checkout.attempts;
        if let Some(taken) = self.steps.last_mut() {
            (taken.state, taken.note, taken.retries, taken.ended_at) = (state, note, retries, Some(now));
            let seconds = now.duration_since(taken.began_at).as_secs_f64();
            metrics::histogram("checkout_step_seconds", &[("step", taken.step.as_str())], seconds);
        }
    }

    /// The same once more: here, if there is time, or by whoever claims it after the pause.
    async fn again(&mut self, patience: &mut Patience, now: Timestamp) -> Result<Option<Got>> {
        let checkout = &mut self.checkout;
        metrics::counter("checkout_retries_total", &[("step", checkout.step.as_str())], 1.0);
        checkout.attempts = checkout.attempts.saturating_add(1);
        checkout.updated_at = now;
        let pause = pause_after(u32::try_from(checkout.attempts).unwrap_or(u32::MAX));
        let stays = patience.allows(self.context, pause);
        checkout.due_at = if stays { later(now, LEASE) } else { later(now, pause) };
        if let Some(taken) = self.steps.last_mut() {
            taken.retries = self.checkout.attempts;
        }
        match self.save(Vec::new()).await? {
            Saved::No => Ok(Some(Got::Fenced)),
            Saved::Yes { .. } if !stays => Ok(Some(Got::Waits(Box::new(self.checkout.clone())))),
            Saved::Yes { cancel_requested } => {
                self.checkout.cancel_requested = cancel_requested;
                self.begin_again();
                patience.spend(pause).await;
                Ok(None)
            }
        }
    }

    /// The intention that is written is still the one that is tried.
    fn begin_again(&mut self) {
        let last = self.steps.pop();
        self.steps.clear();
        self.steps.extend(last);
    }

    /// Another step, or the end. Steps that only read are not written one by one.
    async fn turn(&mut self, turn: Turn, now: Timestamp) -> Result<Option<Got>> {
        let before = (self.checkout.state, self.checkout.step);
        let ended = self.move_on(turn, now)?;
        if ended.is_empty() && !self.checkout.step.writes() {
            return Ok(None);
        }
        let ends = self.checkout.state.is_final();
        match self.save(ended).await? {
            Saved::Yes { .. } if ends => {
                self.report_end();
                Ok(Some(Got::Ended(Box::new(self.checkout.clone()))))
            }
            Saved::Yes { cancel_requested } => {
                self.checkout.cancel_requested = cancel_requested;
                self.begin_again();
                Ok(None)
            }
            Saved::No if is_pivot(turn) => self.called_off(before).await,
            Saved::No => Ok(Some(Got::Fenced)),
        }
    }

    /// The events of it: one, at the end.
    fn move_on(&mut self, turn: Turn, now: Timestamp) -> Result<Vec<Event>> {
        let checkout = &mut self.checkout;
        (checkout.updated_at, checkout.due_at) = (now, later(now, LEASE));
        checkout.attempts = 0;
        match turn {
            Turn::Forward(step) => checkout.step = step,
            Turn::Back(step, _) => (checkout.state, checkout.step) = (State::Compensating, step),
            Turn::Completed => checkout.state = State::Completed,
            Turn::Undone(Code::CheckoutCancelled) => checkout.state = State::Cancelled,
            Turn::Undone(_) => checkout.state = State::Failed,
            Turn::Again => {}
        }
        if !self.checkout.state.is_final() {
            self.begin(now);
            return Ok(Vec::new());
        }
        self.checkout.ended_at = Some(now);
        self.checkout.version += 1;
        // The order has it, if there is one; here it is of no use any more.
        self.checkout.fulfilment.address = None;
        Ok(vec![events::ended(&self.checkout)?])
    }

    /// The pivot was not written: somebody else has the checkout, or the customer called it off at this very
    /// moment.
    async fn called_off(&mut self, before: (State, Step)) -> Result<Option<Got>> {
        let found = store::get(&self.context.db, self.checkout.id).await?;
        if !found.is_some_and(|found| found.fence == self.checkout.fence && found.cancel_requested) {
            return Ok(Some(Got::Fenced));
        }
        // The step before is taken once more, which changes nothing, and leads back this time.
        self.steps.pop();
        (self.checkout.state, self.checkout.step) = before;
        self.checkout.cancel_requested = true;
        Ok(None)
    }

    async fn save(&mut self, events: Vec<Event>) -> Result<Saved> {
        let written = Written { steps: &self.steps, events, basket: self.basket };
        let saved = store::save(self.context, &self.checkout, written).await?;
        if saved != Saved::No {
            self.basket = false;
            if self.checkout.step == PIVOT {
                // As it is written: the first one counts.
                self.checkout.pivoted_at.get_or_insert(self.checkout.updated_at);
            }
        }
        Ok(saved)
    }

    fn report_end(&self) {
        let Checkout { id, state, failure, .. } = &self.checkout;
        let outcome = failure.as_ref().map_or(state.as_str(), |failure| failure.code.as_str());
        metrics::counter("checkouts_total", &[("outcome", outcome)], 1.0);
        log::info!("a checkout has ended", checkout = id, outcome = outcome);
    }
}

/// Waits until it may have ended: looks, and looks again. Whoever finds it unclaimed goes on with it.
///
/// # Errors
/// When the database fails.
pub async fn join(context: &Context, checkout: Checkout, patience: &mut Patience) -> Result<Checkout> {
    let mut checkout = checkout;
    let mut pause = LOOK_AGAIN;
    loop {
        if checkout.state.is_final() {
            return Ok(checkout);
        }
        let now = context.clock.now();
        if checkout.due_at <= now
            && let Some(claimed) = store::claim(&context.db, Some(checkout.id), now, 1).await?.pop()
            && let Got::Ended(ended) = drive(context, claimed, patience).await?
        {
            return Ok(*ended);
        }
        if !patience.allows(context, pause) {
            return Ok(checkout);
        }
        patience.spend(pause).await;
        pause = pause.saturating_mul(2).min(LOOK_AGAIN_MAX);
        let found = store::get(&context.db, checkout.id).await?;
        checkout = found.unwrap_or(checkout);
    }
}

/// How soon whoever waits for another looks again: first, and at the latest.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOK_AGAIN_MAX: Duration = Duration::from_millis(250);
