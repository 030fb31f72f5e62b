//! What time it is. Injected, so that a test can say.

use crate::backend;
use jiff::Timestamp;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    #[cfg(all(feature = "testing", not(target_family = "wasm")))]
    Fixed(std::sync::Arc<std::sync::Mutex<Timestamp>>),
}

impl Clock {
    /// The host's.
    #[must_use]
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// In microseconds, as PostgreSQL keeps it: what is shown before it is stored is then what is shown
    /// after.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Source::System => backend::now(),
            #[cfg(all(feature = "testing", not(target_family = "wasm")))]
            Source::Fixed(now) => *lock(now),
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

#[cfg(all(feature = "testing", not(target_family = "wasm")))]
impl Clock {
    /// Stands still until it is advanced; clones show the same time.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Clock(Source::Fixed(std::sync::Arc::new(std::sync::Mutex::new(now))))
    }

    /// Moves a fixed clock.
    ///
    /// # Panics
    /// When the clock is the system's, or the time would leave jiff's range: a test is wrong.
    #[expect(clippy::expect_used, reason = "only tests call this, and they want to fail")]
    #[expect(clippy::panic, reason = "only tests call this, and they want to fail")]
    pub fn advance(&self, by: jiff::SignedDuration) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be advanced"),
            Source::Fixed(now) => {
                let mut now = lock(now);
                *now = now.checked_add(by).expect("a time within jiff's range");
            }
        }
    }
}

#[cfg(all(feature = "testing", not(target_family = "wasm")))]
fn lock(now: &std::sync::Mutex<Timestamp>) -> std::sync::MutexGuard<'_, Timestamp> {
    now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_would_cut_off_is_not_shown() {
        let fine: Timestamp = "2026-11-24T12:00:00.123456789Z".parse().unwrap();
        assert_eq!(Clock::fixed(fine).now().to_string(), "2026-11-24T12:00:00.123456Z");
        assert_eq!(Clock::system().now().subsec_nanosecond() % 1_000, 0);
    }
}
