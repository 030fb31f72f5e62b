//! The table of steps, and what follows from what a step came to: against a model that knows nothing of the table.

use std::time::Duration;

use proptest::prelude::*;

use super::decision::{Progress, Report, Turn, decide};
use super::failure::Code;
use super::steps::{OnRefusal, PIVOT, STEPS, Step};
use super::{LEASE, PATIENCE, RESERVED_FOR_S, State, pause_after};

#[test]
fn the_steps_are_those_of_the_design() {
    let way: Vec<&str> = STEPS.iter().map(|rule| rule.step.as_str()).collect();
    assert_eq!(
        way,
        [
            "cart",
            "price",
            "customer",
            "reserve",
            "order",
            "authorize",
            "pin",
            "capture",
            "commit",
            "confirm",
            "sale",
            "consume",
            "loyalty"
        ]
    );
    let back = |step: Step| {
        let mut way = Vec::new();
        let mut next = step.way_back();
        while let Some(step) = next {
            way.push(step.as_str());
            next = step.next_back();
        }
        way
    };
    assert_eq!(back(Step::Reserve), [] as [&str; 0]);
    assert_eq!(back(Step::Order), ["release"]);
    assert_eq!(back(Step::Authorize), ["cancel-order", "release"]);
    for step in [Step::Pin, Step::Capture] {
        assert_eq!(back(step), ["void", "cancel-order", "release"]);
    }
}

#[test]
fn what_is_past_the_pivot_is_never_undone() {
    let past = STEPS.iter().skip_while(|rule| rule.step != PIVOT).skip(1);
    assert!(past.clone().count() > 0);
    for rule in past {
        assert_eq!(rule.undo, None, "{:?}", rule.step);
        assert_ne!(rule.on_refusal, OnRefusal::Compensate, "{:?}", rule.step);
        assert!(!rule.step.is_before_pivot());
    }
    assert!(!PIVOT.is_before_pivot());
    assert!(Step::Pin.is_before_pivot());
}

#[test]
fn a_lease_outlasts_the_calls_of_a_step_and_a_reservation_the_patience() {
    let call = sdk::client::DEADLINE_DEFAULT;
    assert!(LEASE.unsigned_abs() >= call * 3 + Duration::from_secs(2));
    let most = PATIENCE.unsigned_abs() + 2 * (LEASE.unsigned_abs() + pause_after(99));
    assert!(Duration::from_secs(u64::try_from(RESERVED_FOR_S).unwrap()) >= most);
}

#[test]
fn pauses_double_up_to_five_seconds() {
    let pauses = [1, 2, 3, 4, 5, 6, 99, u32::MAX].map(|attempts| pause_after(attempts).as_millis());
    assert_eq!(pauses, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
}

/// What the model knows of a checkout: what has been done elsewhere, and may have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct World {
    reserved: bool,
    ordered: bool,
    authorized: bool,
    captured: bool,
    /// In the order in which they were done.
    undone: Vec<Step>,
    done: Vec<Step>,
}

/// What happens to one try of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Refused,
    LostBefore,
    LostAfter,
}

impl World {
    /// The effect of a step, whoever knows of it.
    fn does(&mut self, step: Step) {
        match step {
            Step::Reserve => self.reserved = true,
            Step::Order => self.ordered = true,
            Step::Authorize => self.authorized = true,
            Step::Capture => self.captured = true,
            Step::Release => self.reserved = false,
            Step::CancelOrder => self.ordered = false,
            Step::Void => self.authorized = false,
            _ => {}
        }
        match step {
            Step::Release | Step::CancelOrder | Step::Void => self.undone.push(step),
            _ => self.done.push(step),
        }
    }
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        1 => Just(Fate::Refused),
        2 => Just(Fate::LostBefore),
        2 => Just(Fate::LostAfter),
    ]
}

/// The way back cannot be refused: what is undone is undone whether it was done or not.
fn is_refusable(state: State, step: Step, world: &World) -> bool {
    // Captured once, a provider does not say anything else.
    state == State::Running && !(step == Step::Capture && world.captured)
}

struct Walk {
    world: World,
    turns: Vec<Turn>,
    end: Turn,
}

/// Whoever calls it off does so before that try; patience ends before that one.
fn walk(fates: &[Fate], called_off: usize, patience: usize) -> Walk {
    let mut world = World::default();
    let mut turns = Vec::new();
    let mut progress = Progress {
        state: State::Running,
        step: Step::Cart,
        attempts: 0,
        cancel_requested: false,
        out_of_patience: false,
        failure: None,
    };
    let mut pivoted = false;
    for tries in 0.. {
        // What the database guards: nobody calls off what is past its pivot.
        progress.cancel_requested |= tries >= called_off && !pivoted && progress.state == State::Running;
        progress.out_of_patience = tries >= patience;
        // Whatever is left over goes well: faults stop.
        let fate = fates.get(tries).copied().unwrap_or(Fate::Answered);
        let report = match fate {
            Fate::Refused if is_refusable(progress.state, progress.step, &world) => {
                Report::Refused(Code::PaymentDeclined)
            }
            Fate::Answered | Fate::Refused => {
                world.does(progress.step);
                Report::Done
            }
            Fate::LostAfter => {
                world.does(progress.step);
                Report::Unknown
            }
            Fate::LostBefore => Report::Unknown,
        };
        let turn = decide(progress, report);
        turns.push(turn);
        match turn {
            Turn::Again => progress.attempts += 1,
            Turn::Forward(step) => {
                pivoted |= step == PIVOT;
                (progress.step, progress.attempts) = (step, 0);
            }
            Turn::Back(step, code) => {
                (progress.state, progress.step, progress.attempts) = (State::Compensating, step, 0);
                progress.failure = Some(code);
            }
            Turn::Completed | Turn::Undone(_) => return Walk { world, turns, end: turn },
        }
        assert!(tries < 200, "it does not end: {turns:?}");
    }
    unreachable!("the loop has an end")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is lost and refused: it ends, forward with everything or back with nothing.
    #[test]
    fn a_checkout_ends_with_everything_or_with_nothing(
        fates in proptest::collection::vec(any_fate(), 0..60),
        called_off in 0..80_usize,
        patience in 0..80_usize,
    ) {
        let Walk { world, turns, end } = walk(&fates, called_off, patience);
        match end {
            Turn::Completed => {
                prop_assert!(world.captured && world.reserved && world.ordered && world.authorized);
                prop_assert!(world.undone.is_empty(), "{:?}", world.undone);
                for rule in STEPS.iter().filter(|rule| rule.on_refusal == OnRefusal::Compensate) {
                    prop_assert!(world.done.contains(&rule.step), "{:?}", rule.step);
                }
            }
            // Orders has said no after the capture, and undoes the rest itself.
            Turn::Undone(_) if world.captured => {
                prop_assert!(world.done.contains(&Step::Capture));
                prop_assert!(world.undone.is_empty(), "{:?}", world.undone);
                prop_assert_eq!(turns.iter().filter(|turn| matches!(turn, Turn::Back(..))).count(), 0);
            }
            Turn::Undone(_) => {
                prop_assert!(!world.reserved && !world.ordered && !world.authorized, "{world:?}");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// The way back is the reverse of the way forward, and the reason is the first one.
    #[test]
    fn the_way_back_is_in_reverse_and_has_one_reason(
        fates in proptest::collection::vec(any_fate(), 0..60),
        called_off in 0..80_usize,
        patience in 0..80_usize,
    ) {
        let Walk { turns, end, .. } = walk(&fates, called_off, patience);
        let back: Vec<(Step, Code)> = turns.iter().filter_map(|turn| match turn {
            Turn::Back(step, code) => Some((*step, *code)),
            _ => None,
        }).collect();
        let order = [Step::Void, Step::CancelOrder, Step::Release];
        let steps: Vec<Step> = back.iter().map(|(step, _)| *step).collect();
        prop_assert!(order.ends_with(&steps), "{steps:?}");
        if let (Turn::Undone(code), false) = (end, back.is_empty()) {
            prop_assert!(back.iter().all(|(_, reason)| *reason == code));
        }
        let forward: Vec<Step> = turns.iter().filter_map(|turn| match turn {
            Turn::Forward(step) => Some(*step),
            _ => None,
        }).collect();
        let table: Vec<Step> = STEPS.iter().skip(1).map(|rule| rule.step).collect();
        prop_assert!(table.starts_with(&forward), "{forward:?}");
    }

    /// Called off before its pivot it is not paid for; past it, it is as if nobody had said anything.
    #[test]
    fn what_is_called_off_in_time_is_not_captured(called_off in 0..20_usize) {
        let Walk { world, end, .. } = walk(&[], called_off, usize::MAX);
        let before_pivot = STEPS.iter().take_while(|rule| rule.step != PIVOT).count();
        prop_assert_eq!(world.captured, called_off >= before_pivot);
        let expected = if world.captured { Turn::Completed } else { Turn::Undone(Code::CheckoutCancelled) };
        prop_assert_eq!(end, expected);
    }
}
