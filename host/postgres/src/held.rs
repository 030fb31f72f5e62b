//! What a pool holds in memory for its component, counted, so that many that wait cannot hold any amount.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::types::Error;

/// The sum of everything held, and what it may be. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    sum: Arc<AtomicUsize>,
    max: usize,
}

impl Ledger {
    pub(crate) fn new(max: usize) -> Self {
        Self { sum: Arc::default(), max }
    }

    /// Counts `bytes` until what is returned is dropped.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Held, Error> {
        let held = Held { sum: Arc::clone(&self.sum), bytes };
        if self.sum.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.max {
            let max = self.max;
            return Err(Error::Limit(format!("statements and their parameters have more than {max} bytes together")));
        }
        Ok(held)
    }
}

/// A share of the sum.
#[derive(Debug)]
pub(crate) struct Held {
    sum: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
