//! What follows from what a step came to.
//!
//! Pure, and the only place where a direction is chosen: forward, back, again, or the end.

use super::State;
use super::failure::Code;
use super::steps::{OnRefusal, PIVOT, Step};

/// How far a checkout is, as far as it matters for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub state: State,
    /// What is intended.
    pub step: Step,
    /// How often it may have been tried before this time.
    pub attempts: u32,
    /// Whether the customer called it off.
    pub cancel_requested: bool,
    /// Whether it has waited for others for so long that it is not worth it any more.
    pub out_of_patience: bool,
    /// Why it goes back, if it does.
    pub failure: Option<Code>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Done,
    /// There was nothing to do.
    Skipped,
    /// The other service has said no, and will not say anything else.
    Refused(Code),
    /// There is no answer, or none that can be relied upon: it may have been done.
    Unknown,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Forward(Step),
    /// With the reason, which stays the first one.
    Back(Step, Code),
    /// The same once more, after a pause.
    Again,
    Completed,
    /// There is nothing left to undo.
    Undone(Code),
}

/// What comes next, once a step has come to that.
pub fn decide(progress: Progress, report: Report) -> Turn {
    match progress.state {
        State::Compensating => back(progress, report),
        _ => forward(progress, report),
    }
}

fn forward(progress: Progress, report: Report) -> Turn {
    let Progress { step, attempts, cancel_requested, out_of_patience, .. } = progress;
    let revocable = step.is_before_pivot();
    match report {
        Report::Done | Report::Skipped | Report::Unknown if revocable && cancel_requested => {
            undo_with(step, Code::CheckoutCancelled)
        }
        Report::Done | Report::Skipped => step.next().map_or(Turn::Completed, Turn::Forward),
        Report::Unknown if revocable && out_of_patience => undo_with(step, Code::DependencyUnavailable),
        Report::Unknown => Turn::Again,
        Report::Refused(code) => match step.rule().map(|rule| rule.on_refusal) {
            // Tried before, it may have been done by now: a late request of somebody who was thought dead.
            Some(OnRefusal::Compensate) if attempts > 0 => undo_with(step, code),
            Some(OnRefusal::Compensate) => undone_from(step.way_back(), code),
            Some(OnRefusal::End) => Turn::Undone(code),
            Some(OnRefusal::GoOn) | None => step.next().map_or(Turn::Completed, Turn::Forward),
        },
    }
}

/// The way back has no choice: everything on it is done, however long it takes.
fn back(progress: Progress, report: Report) -> Turn {
    let code = progress.failure.unwrap_or(Code::DependencyUnavailable);
    match report {
        Report::Done | Report::Skipped => undone_from(progress.step.next_back(), code),
        Report::Refused(_) | Report::Unknown => Turn::Again,
    }
}

/// Everything up to this step, and the step itself.
fn undo_with(step: Step, code: Code) -> Turn {
    undone_from(step.undo().or_else(|| step.way_back()), code)
}

fn undone_from(first: Option<Step>, code: Code) -> Turn {
    first.map_or(Turn::Undone(code), |step| Turn::Back(step, code))
}

/// Whether a turn may not be taken when the customer has called the checkout off meanwhile.
pub fn is_pivot(turn: Turn) -> bool {
    turn == Turn::Forward(PIVOT)
}
