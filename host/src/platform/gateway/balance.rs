//! The replicas of a service: whose turn it is, and who is out for now. Kong's rules
//! (lua-resty-healthcheck): failures of one kind in a row throw a target out, successes in a row
//! bring it back, a success forgets the failures. Who asks the targets is in [`super::probe`].

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use http::uri::Authority;
use http::{HeaderValue, StatusCode};

use super::config::{Checks, Rules};

/// What became of a request to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered(StatusCode),
    /// Refused, reset, closed, not to be reached.
    Failed,
    TimedOut,
}

/// What saw the outcome; the two have rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    Probe,
    Traffic,
}

/// The targets of an upstream, or the single host of a service.
#[derive(Debug)]
pub struct Pool {
    pub name: String,
    pub targets: Vec<Target>,
    pub checks: Option<Checks>,
    next: AtomicUsize,
}

#[derive(Debug)]
pub struct Target {
    /// `host:port` as `kong.yml` has it.
    pub name: String,
    /// Where it is. A name is looked up for each connection, as what it leads to may change.
    pub authority: Authority,
    /// The name as a header.
    pub host: HeaderValue,
    standing: AtomicU8,
    counters: Mutex<Counters>,
}

/// Healthy, and nothing counted against it: the usual case needs no lock.
const SPOTLESS: u8 = 0;
const HEALTHY: u8 = 1;
const UNHEALTHY: u8 = 2;

#[derive(Debug, Default)]
struct Counters {
    successes: u32,
    http_failures: u32,
    tcp_failures: u32,
    timeouts: u32,
}

impl Target {
    /// A target counts as healthy until something says otherwise.
    pub fn new(name: String, authority: Authority) -> Option<Self> {
        let host = HeaderValue::try_from(&name).ok()?;
        Some(Self { name, authority, host, standing: AtomicU8::new(SPOTLESS), counters: Mutex::default() })
    }

    pub fn is_healthy(&self) -> bool {
        self.standing.load(Ordering::Relaxed) != UNHEALTHY
    }

    /// Counts the outcome. Returns what the target counts as from now on, if that is new.
    fn judge(&self, outcome: Outcome, rules: &Rules) -> Option<bool> {
        let good = matches!(outcome, Outcome::Answered(status) if rules.good_statuses.contains(&status.as_u16()));
        if good && self.standing.load(Ordering::Relaxed) == SPOTLESS {
            return None;
        }
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if good {
            return self.count_success(&mut counters, rules.successes);
        }
        let (counter, limit) = match outcome {
            Outcome::Answered(status) if rules.bad_statuses.contains(&status.as_u16()) => {
                (&mut counters.http_failures, rules.http_failures)
            }
            Outcome::Answered(_) => return None,
            Outcome::Failed => (&mut counters.tcp_failures, rules.tcp_failures),
            Outcome::TimedOut => (&mut counters.timeouts, rules.timeouts),
        };
        if limit == 0 {
            return None;
        }
        *counter += 1;
        let out = *counter >= limit && self.is_healthy();
        counters.successes = 0;
        if out {
            *counters = Counters::default();
            self.standing.store(UNHEALTHY, Ordering::Relaxed);
            return Some(false);
        }
        if self.is_healthy() {
            self.standing.store(HEALTHY, Ordering::Relaxed);
        }
        None
    }

    fn count_success(&self, counters: &mut Counters, limit: u32) -> Option<bool> {
        if limit == 0 {
            return None;
        }
        let successes = counters.successes + 1;
        *counters = Counters::default();
        if self.is_healthy() {
            self.standing.store(SPOTLESS, Ordering::Relaxed);
            return None;
        }
        if successes < limit {
            counters.successes = successes;
            return None;
        }
        self.standing.store(SPOTLESS, Ordering::Relaxed);
        Some(true)
    }
}

impl Pool {
    pub fn new(name: String, targets: Vec<Target>, checks: Option<Checks>) -> Self {
        Self { name, targets, checks, next: AtomicUsize::new(0) }
    }

    /// Whose turn it is among the healthy: of those that were not tried, and else of all.
    pub fn pick(&self, tried: &[usize]) -> Option<(usize, &Target)> {
        let healthy = |(index, target): (usize, _)| Target::is_healthy(target).then_some((index, target));
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.targets.len().max(1);
        let ordered = (0..count).map(|step| turn.wrapping_add(step) % count);
        let mut candidates = ordered.filter_map(|index| healthy((index, self.targets.get(index)?)));
        let first = candidates.next()?;
        if !tried.contains(&first.0) {
            return Some(first);
        }
        Some(candidates.find(|(index, _)| !tried.contains(index)).unwrap_or(first))
    }

    /// Counts what became of a request. Logs when a target changes sides, and returns how it counts then.
    pub fn report(&self, target: &Target, outcome: Outcome, witness: Witness) -> Option<bool> {
        let checks = self.checks.as_ref()?;
        let rules = if witness == Witness::Probe { &checks.active } else { &checks.passive };
        let healthy = target.judge(outcome, rules)?;
        let (upstream, target) = (&self.name, &target.name);
        if healthy {
            tracing::info!(upstream, target, ?witness, "a target is back");
        } else {
            tracing::warn!(upstream, target, ?witness, ?outcome, "a target is out");
        }
        Some(healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            successes: 2,
            http_failures: 3,
            tcp_failures: 1,
            timeouts: 0,
            good_statuses: vec![200],
            bad_statuses: vec![503],
        }
    }

    fn pool(count: u16) -> Pool {
        let target = |port: u16| Target::new(format!("t{port}"), format!("t{port}:80").parse().unwrap()).unwrap();
        let checks = Checks { probe: None, active: rules(), passive: rules() };
        Pool::new("p".to_owned(), (1..=count).map(target).collect(), Some(checks))
    }

    const BAD: Outcome = Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE);
    const GOOD: Outcome = Outcome::Answered(StatusCode::OK);

    #[test]
    fn failures_in_a_row_throw_out_and_successes_in_a_row_bring_back() {
        let pool = pool(1);
        let tell = |outcome| pool.report(&pool.targets[0], outcome, Witness::Traffic);
        assert_eq!([BAD, BAD, GOOD, BAD, BAD].map(tell), [None; 5], "a success in between forgets");
        assert_eq!(tell(BAD), Some(false));
        assert!(pool.pick(&[]).is_none());
        assert_eq!([GOOD, BAD, GOOD].map(tell), [None; 3]);
        assert_eq!(tell(GOOD), Some(true));
        assert_eq!(tell(Outcome::Failed), Some(false), "one refused connection is enough");
    }

    #[test]
    fn what_the_rules_do_not_name_does_not_count() {
        let pool = pool(1);
        for _ in 0..10 {
            let bug = Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(pool.report(&pool.targets[0], bug, Witness::Traffic), None);
            assert_eq!(pool.report(&pool.targets[0], Outcome::TimedOut, Witness::Traffic), None);
        }
        assert!(pool.targets[0].is_healthy());
    }

    #[test]
    fn healthy_targets_take_turns() {
        let pool = pool(3);
        let turns = |count: usize| (0..count).map(|_| pool.pick(&[]).unwrap().0).collect::<Vec<_>>();
        assert_eq!(turns(6), [0, 1, 2, 0, 1, 2]);
        pool.report(&pool.targets[1], Outcome::Failed, Witness::Probe);
        assert!(!turns(6).contains(&1));
    }

    #[test]
    fn another_attempt_goes_elsewhere_while_there_is_an_elsewhere() {
        let pool = pool(3);
        for tried in [vec![0], vec![1], vec![2, 0], vec![0, 1]] {
            for _ in 0..6 {
                let (index, _) = pool.pick(&tried).unwrap();
                assert!(!tried.contains(&index), "{index} was tried: {tried:?}");
            }
        }
        assert!(pool.pick(&[0, 1, 2]).is_some(), "then one more time");
    }
}
