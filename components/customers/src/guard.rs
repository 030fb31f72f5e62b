//! The lock-out: every password that somebody shows, to sign in or to change it, is counted here.
//!
//! An account is looked at twice. First before the password is hashed, so that one that is locked costs
//! nothing; then in the transaction that decides, where sign-ins of one account take turns. So the right
//! password, tried in the midst of many wrong ones at once, is refused like those once ten were wrong.

use axum::http::StatusCode;
use jiff::Timestamp;
use sdk::{Executor, Problem, Result, Tx, metrics};

use crate::domain::session::{self, failures_since, locked_for_s};
use crate::store::sessions;

/// Passwords shown for one e-mail address.
#[derive(Clone, Debug)]
pub struct Guard {
    account: Vec<u8>,
}

/// What is decided about a password that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Right,
    Wrong,
    /// For so many seconds.
    Locked(u32),
}

impl Guard {
    pub fn of(email: &str) -> Guard {
        Guard { account: session::account(email) }
    }

    /// 429 while the account is locked.
    pub async fn admit(&self, db: &impl Executor, now: Timestamp) -> Result<()> {
        match self.locked_for_s(db, now).await? {
            Some(seconds) => Err(locked(seconds)),
            None => Ok(()),
        }
    }

    /// Waits for its turn, which lasts until the transaction ends. Comes before any other lock.
    pub async fn take_turn(&self, tx: &Tx) -> Result<()> {
        Ok(sessions::lock_account(tx, &self.account).await?)
    }

    /// Decides, and counts. What is counted has to be committed, and so this is no error.
    pub async fn decide(&self, tx: &Tx, right: bool, now: Timestamp) -> Result<Decision> {
        if let Some(seconds) = self.locked_for_s(tx, now).await? {
            return Ok(Decision::Locked(seconds));
        }
        if right {
            sessions::forgive(tx, &self.account).await?;
            return Ok(Decision::Right);
        }
        sessions::fail(tx, &self.account, now).await?;
        Ok(Decision::Wrong)
    }

    async fn locked_for_s(&self, db: &impl Executor, now: Timestamp) -> Result<Option<u32>> {
        let failures = sessions::failures(db, &self.account, failures_since(now)).await?;
        Ok(locked_for_s(&failures, now))
    }
}

/// 429 for an account that may not exist: the answer is the same.
pub fn locked(seconds: u32) -> Problem {
    metrics::counter("customers_sign_ins_total", &[("outcome", "locked")], 1.0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "account-locked")
        .detail("too many wrong passwords: wait as long as Retry-After says, in seconds")
        .retry_after(seconds)
}
