//! The first minutes of a new version. One that fails too many requests while the version before it
//! is still warm is taken out of service again; here is only the judgement.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;

/// When a version has failed.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long a new version is watched; zero: not at all.
    pub window: Duration,
    /// Fewer failures than this say nothing.
    pub min_failures: u32,
    /// The share of all answers.
    pub max_failure_percent: u32,
}

/// A version that is watched.
#[derive(Debug)]
pub struct Probation {
    terms: Terms,
    until: Instant,
    answers: AtomicU32,
    failures: AtomicU32,
    decided: AtomicBool,
}

/// How a version does that is still watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub left: Duration,
    pub answers: u32,
    pub failures: u32,
}

/// Why a version is taken out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{failures} of its first {answers} answers were failures (5xx but 503, traps, missed deadlines), \
     which is more than {max_failure_percent} %"
)]
pub struct Verdict {
    pub failures: u32,
    pub answers: u32,
    max_failure_percent: u32,
}

impl Probation {
    pub fn begin(terms: Terms) -> Self {
        Self {
            until: Instant::now() + terms.window,
            terms,
            answers: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            decided: AtomicBool::new(false),
        }
    }

    /// None: it is over.
    pub fn progress(&self) -> Option<Progress> {
        let left = self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        let is_decided = self.decided.load(Ordering::Relaxed);
        let [answers, failures] = [&self.answers, &self.failures].map(|count| count.load(Ordering::Relaxed));
        (!is_decided).then_some(Progress { left, answers, failures })
    }

    /// Counts an answer. Returns a verdict once, when the version has failed.
    pub fn count(&self, status: StatusCode) -> Option<Verdict> {
        if self.decided.load(Ordering::Relaxed) {
            return None;
        }
        if Instant::now() >= self.until {
            self.decided.store(true, Ordering::Relaxed);
            return None;
        }
        let answers = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        if !is_failure(status) {
            return None;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let Terms { min_failures, max_failure_percent, .. } = self.terms;
        let too_many = u64::from(failures) * 100 > u64::from(answers) * u64::from(max_failure_percent);
        if failures < min_failures || !too_many || self.decided.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(Verdict { failures, answers, max_failure_percent })
    }
}

/// A 503 says that something behind the component is away, or that it is overloaded: the version
/// before would say the same.
fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { window: Duration::from_secs(600), min_failures: 5, max_failure_percent: 20 };

    fn count(probation: &Probation, status: StatusCode, times: u32) -> Vec<Verdict> {
        (0..times).filter_map(|_| probation.count(status)).collect()
    }

    #[test]
    fn fails_by_share_and_number_and_once() {
        let probation = Probation::begin(TERMS);
        assert_eq!(count(&probation, StatusCode::OK, 30), []);
        // 7 of 37 are 18.9 %, 8 of 38 are 21.1 %.
        assert_eq!(count(&probation, StatusCode::INTERNAL_SERVER_ERROR, 7), []);
        let verdict = count(&probation, StatusCode::GATEWAY_TIMEOUT, 1);
        assert_eq!(verdict, [Verdict { failures: 8, answers: 38, max_failure_percent: 20 }]);
        assert_eq!(count(&probation, StatusCode::INTERNAL_SERVER_ERROR, 100), []);
    }

    #[test]
    fn a_few_failures_say_nothing() {
        assert_eq!(count(&Probation::begin(TERMS), StatusCode::INTERNAL_SERVER_ERROR, 4), []);
    }

    #[test]
    fn what_clients_and_dependencies_do_is_not_held_against_it() {
        let probation = Probation::begin(TERMS);
        for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND, StatusCode::TOO_MANY_REQUESTS] {
            assert_eq!(count(&probation, status, 100), [], "{status}");
        }
    }

    #[test]
    fn tells_how_it_goes_while_it_lasts() {
        let probation = Probation::begin(Terms { min_failures: 2, ..TERMS });
        count(&probation, StatusCode::OK, 3);
        count(&probation, StatusCode::BAD_GATEWAY, 1);
        let progress = probation.progress().unwrap();
        assert_eq!((progress.answers, progress.failures), (4, 1));
        assert!(progress.left > Duration::ZERO && progress.left <= TERMS.window, "{progress:?}");
        count(&probation, StatusCode::BAD_GATEWAY, 1);
        assert_eq!(probation.progress(), None, "the verdict is there");
    }

    #[test]
    fn it_has_an_end() {
        let probation = Probation::begin(Terms { window: Duration::ZERO, ..TERMS });
        assert_eq!(probation.progress(), None);
        assert_eq!(count(&probation, StatusCode::INTERNAL_SERVER_ERROR, 100), []);
    }
}
