//! How many lines a service's components may write to the log: a bucket of tokens, one a line, that
//! fills within a second. What is beyond is dropped and counted, and told once a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::IntCounter;
use tokio::runtime::Handle;

/// Lines that are dropped within this time are told in one line.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// Shared by all instances of a service.
#[derive(Debug)]
pub struct LogBudget {
    service: Arc<str>,
    dropped: IntCounter,
    bucket: Mutex<Bucket>,
}

impl LogBudget {
    pub fn new(service: Arc<str>, lines_per_second: u32, dropped: IntCounter) -> Arc<Self> {
        Arc::new(Self { service, dropped, bucket: Mutex::new(Bucket::new(lines_per_second, Instant::now())) })
    }

    /// Whether one more line may be written.
    pub fn take(self: &Arc<Self>) -> bool {
        let mut bucket = self.lock();
        if bucket.take(Instant::now()) {
            return true;
        }
        self.dropped.inc();
        bucket.untold += 1;
        if bucket.untold == 1 {
            drop(bucket);
            self.tell_soon();
        }
        false
    }

    fn tell_soon(self: &Arc<Self>) {
        let budget = self.clone();
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    tokio::time::sleep(TELL_AFTER).await;
                    budget.tell();
                });
            }
            // An instance that goes down with its runtime.
            Err(_) => self.tell(),
        }
    }

    fn tell(&self) {
        let lines = std::mem::take(&mut self.lock().untold);
        tracing::warn!(service = &*self.service, lines, "dropped log lines: see --max-log-lines-per-second");
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Bucket {
    capacity: f64,
    tokens: f64,
    filled_at: Instant,
    /// Lines that were dropped and are not told yet.
    untold: u64,
}

impl Bucket {
    fn new(per_second: u32, now: Instant) -> Self {
        let capacity = f64::from(per_second);
        Self { capacity, tokens: capacity, filled_at: now, untold: 0 }
    }

    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled_at).as_secs_f64() * self.capacity;
        self.tokens = (self.tokens + gained).min(self.capacity);
        self.filled_at = now;
        let there_is_one = self.tokens >= 1.0;
        if there_is_one {
            self.tokens -= 1.0;
        }
        there_is_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_within_a_second_and_no_further() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        let taken = |bucket: &mut Bucket, ms| {
            let now = start + Duration::from_millis(ms);
            (0..1000).filter(|_| bucket.take(now)).count()
        };
        assert_eq!(taken(&mut bucket, 0), 100);
        assert_eq!(taken(&mut bucket, 0), 0);
        assert_eq!(taken(&mut bucket, 250), 25);
        assert_eq!(taken(&mut bucket, 60_000), 100);
        assert_eq!(taken(&mut Bucket::new(0, start), 60_000), 0);
    }
}
