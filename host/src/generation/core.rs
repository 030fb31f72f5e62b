//! The requests of one core that wait for an instance, and who takes which. An instance takes them
//! from here as its event loop turns; another is made when none is about to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// A request in line.
pub trait Job: Send + 'static {
    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
}

/// What is known of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is being made.
    Making,
    /// It takes a request when its event loop turns.
    Open,
    /// It has as many requests as it may have, or its guest pushes back.
    Full,
    /// Its guest computes without a pause, and its event loop stands still.
    Computing,
}

/// One core of a generation.
pub struct Core<J: Job> {
    state: Mutex<State<J>>,
    max_instances: usize,
    make: Box<dyn Fn(Seat<J>) + Send + Sync>,
}

struct State<J> {
    waiting: VecDeque<J>,
    /// The oldest first, and filled first, so that the youngest can idle and go.
    instances: Vec<Entry>,
    last_id: u64,
}

struct Entry {
    id: u64,
    condition: Condition,
    /// Of one that has looked and found nothing.
    waker: Option<Waker>,
}

/// The place of one instance, from the moment at which it is begun until it takes no more requests.
pub struct Seat<J: Job> {
    core: Arc<Core<J>>,
    id: u64,
}

impl<J: Job> Core<J> {
    /// `make` begins to make an instance, and does not wait for it. When there are `max_instances`,
    /// requests wait for those.
    pub fn new(max_instances: usize, make: impl Fn(Seat<J>) + Send + Sync + 'static) -> Arc<Self> {
        let state = State { waiting: VecDeque::new(), instances: Vec::new(), last_id: 0 };
        Arc::new(Self { state: Mutex::new(state), max_instances, make: Box::new(make) })
    }

    pub fn push(self: &Arc<Self>, job: J) {
        let mut state = self.lock();
        state.waiting.push_back(job);
        self.see_to_it(&mut state);
    }

    /// Makes sure that somebody will take what waits.
    fn see_to_it(self: &Arc<Self>, state: &mut State<J>) {
        if state.waiting.is_empty() {
            return;
        }
        if let Some(open) = state.instances.iter_mut().find(|entry| entry.condition == Condition::Open) {
            // Without a waker its event loop is turning, and looks before it stands still.
            if let Some(waker) = open.waker.take() {
                waker.wake();
            }
            return;
        }
        let making = state.instances.iter().any(|entry| entry.condition == Condition::Making);
        if making || state.instances.len() >= self.max_instances {
            return;
        }
        state.last_id += 1;
        let id = state.last_id;
        state.instances.push(Entry { id, condition: Condition::Making, waker: None });
        (self.make)(Seat { core: self.clone(), id });
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Job> Seat<J> {
    /// The next request, or none and a wake-up when there is one.
    pub fn next(&self, waker: &Waker) -> Option<J> {
        let mut state = self.core.lock();
        let job = pop(&mut state.waiting);
        if let Some(entry) = state.instances.iter_mut().find(|entry| entry.id == self.id) {
            entry.waker = job.is_none().then(|| waker.clone());
        }
        job
    }

    /// The first in line, to tell it that no instance could be made.
    pub fn first(&self) -> Option<J> {
        pop(&mut self.core.lock().waiting)
    }

    pub fn set(&self, condition: Condition) {
        let mut state = self.core.lock();
        let Some(entry) = state.instances.iter_mut().find(|entry| entry.id == self.id) else { return };
        if entry.condition != condition {
            entry.condition = condition;
            self.core.see_to_it(&mut state);
        }
    }

    /// It takes no more requests.
    pub fn leave(&self) {
        let mut state = self.core.lock();
        let before = state.instances.len();
        state.instances.retain(|entry| entry.id != self.id);
        if state.instances.len() < before {
            self.core.see_to_it(&mut state);
        }
    }
}

fn pop<J: Job>(waiting: &mut VecDeque<J>) -> Option<J> {
    while let Some(job) = waiting.pop_front() {
        if !job.is_abandoned() {
            return Some(job);
        }
    }
    None
}

impl<J: Job> Drop for Seat<J> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<J: Job> fmt::Debug for Core<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    impl Job for u32 {
        fn is_abandoned(&self) -> bool {
            *self == ABANDONED
        }
    }

    const ABANDONED: u32 = 0;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Of the instances that a core had made.
    type Seats = Arc<Mutex<Vec<Seat<u32>>>>;

    fn core() -> (Arc<Core<u32>>, Seats) {
        let seats = Seats::default();
        let made = seats.clone();
        (Core::new(3, move |seat| made.lock().unwrap().push(seat)), seats)
    }

    fn only(seats: &Mutex<Vec<Seat<u32>>>) -> Seat<u32> {
        let mut seats = seats.lock().unwrap();
        assert_eq!(seats.len(), 1);
        seats.pop().unwrap()
    }

    #[test]
    fn a_crowd_has_one_instance_made_and_shares_it_in_order() {
        let (core, seats) = core();
        for job in 1..=20 {
            core.push(job);
        }
        let seat = only(&seats);
        seat.set(Condition::Open);
        for job in 1..=20 {
            assert_eq!(seat.next(Waker::noop()), Some(job));
        }
        assert_eq!(seat.next(Waker::noop()), None);
        core.push(21);
        assert!(seats.lock().unwrap().is_empty());
    }

    #[test]
    fn an_instance_that_found_nothing_is_woken_once() {
        let (core, seats) = core();
        core.push(1);
        let seat = only(&seats);
        seat.set(Condition::Open);
        assert_eq!(seat.next(Waker::noop()), Some(1));
        let woken = Arc::new(Woken::default());
        assert_eq!(seat.next(&woken.clone().into()), None);
        core.push(2);
        core.push(3);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn another_is_made_when_one_is_full_or_computes_or_has_left() {
        for condition in [Some(Condition::Full), Some(Condition::Computing), None] {
            let (core, seats) = core();
            core.push(1);
            let first = only(&seats);
            first.set(Condition::Open);
            assert_eq!(first.next(Waker::noop()), Some(1));
            match condition {
                Some(condition) => first.set(condition),
                None => first.leave(),
            }
            assert!(seats.lock().unwrap().is_empty(), "made one that nobody waits for");
            core.push(2);
            let second = only(&seats);
            second.set(Condition::Open);
            assert_eq!(second.next(Waker::noop()), Some(2), "{condition:?}");
        }
    }

    #[test]
    fn what_waits_is_seen_to_when_its_instance_goes() {
        let (core, seats) = core();
        core.push(1);
        core.push(2);
        let first = only(&seats);
        assert_eq!(first.first(), Some(1));
        drop(first);
        let second = only(&seats);
        second.set(Condition::Open);
        second.set(Condition::Computing);
        let third = only(&seats);
        third.set(Condition::Open);
        assert_eq!(third.next(Waker::noop()), Some(2));
    }

    #[test]
    fn when_there_are_as_many_as_may_be_what_waits_goes_on_waiting() {
        let (core, seats) = core();
        core.push(1);
        let mut full = Vec::new();
        for _ in 0..3 {
            full.push(only(&seats));
            full.last().unwrap().set(Condition::Full);
        }
        assert!(seats.lock().unwrap().is_empty());
        drop(full.remove(1));
        assert_eq!(only(&seats).first(), Some(1));
    }

    #[test]
    fn the_oldest_is_filled_first() {
        let (core, seats) = core();
        core.push(1);
        let old = only(&seats);
        old.set(Condition::Full);
        core.push(2);
        let young = only(&seats);
        young.set(Condition::Open);
        assert_eq!(young.next(Waker::noop()), Some(1));
        assert_eq!(young.next(Waker::noop()), Some(2));
        let woken = [Arc::new(Woken::default()), Arc::new(Woken::default())];
        assert_eq!(young.next(&woken[1].clone().into()), None);
        old.set(Condition::Open);
        assert_eq!(old.next(&woken[0].clone().into()), None);
        core.push(3);
        assert_eq!(woken.map(|woken| woken.0.load(Ordering::Relaxed)), [1, 0]);
    }

    #[test]
    fn what_nobody_waits_for_is_left_out() {
        let (core, seats) = core();
        for job in [1, ABANDONED, ABANDONED, 2] {
            core.push(job);
        }
        let seat = only(&seats);
        seat.set(Condition::Open);
        assert_eq!((seat.next(Waker::noop()), seat.next(Waker::noop())), (Some(1), Some(2)));
    }
}
