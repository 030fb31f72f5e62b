//! How long tokens live, when a refresh token was used twice, and when an account is locked.

use jiff::{SignedDuration, Timestamp};

use sha2::{Digest, Sha256};

use super::Status;
use super::profile::email_key;

/// How long an access token is good: nobody can take it back, so not for long.
pub const ACCESS_LIVES: SignedDuration = SignedDuration::from_mins(10);
/// How long a refresh token waits to be used.
pub const REFRESH_LIVES: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long one can go on refreshing; then the password is asked for again.
pub const FAMILY_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long after a token was replaced its use is taken for a race or a lost answer, and not for a theft.
/// It buys nothing in that time either.
pub const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// As many wrong passwords within [`FAILURES_COUNT_FOR`] lock an account.
pub const FAILURES_MAX: usize = 10;
/// How long a wrong password counts.
pub const FAILURES_COUNT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What wrong passwords for that e-mail address are counted under, whether there is an account or not.
pub fn account(email: &str) -> Vec<u8> {
    Sha256::digest(email_key(email)).to_vec()
}

/// Since when wrong passwords count that are looked at now.
pub fn failures_since(now: Timestamp) -> Timestamp {
    now.checked_sub(FAILURES_COUNT_FOR).unwrap_or(Timestamp::MIN)
}

/// For how many more seconds an account is locked; none if it is not. `failures` are the latest
/// [`FAILURES_MAX`] that count, in any order: it opens when the first of them counts no longer.
pub fn locked_for_s(failures: &[Timestamp], now: Timestamp) -> Option<u32> {
    let first = failures.iter().min().filter(|_| failures.len() >= FAILURES_MAX)?;
    let left = FAILURES_COUNT_FOR - now.duration_since(*first);
    // A part of a second is waited for as well.
    let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    Some(u32::try_from(seconds).unwrap_or(0).max(1))
}

/// When the first and every further token of a family ends.
pub fn token_expires_at(now: Timestamp, family_expires_at: Timestamp) -> Timestamp {
    after(now, REFRESH_LIVES).min(family_expires_at)
}

pub fn family_expires_at(now: Timestamp) -> Timestamp {
    after(now, FAMILY_LIVES)
}

/// What is known of a refresh token that somebody shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub owner: Status,
    pub revoked: bool,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another takes its place.
    Rotate,
    /// It was replaced a moment ago: refused, and nothing more.
    Raced,
    /// It was replaced, and whoever did that is not who shows it now: one of them has stolen it.
    Reused,
    Refuse,
}

impl Shown {
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        if self.revoked || self.owner != Status::Active {
            return Verdict::Refuse;
        }
        match self.used_at {
            Some(used_at) if now.duration_since(used_at) < GRACE => Verdict::Raced,
            Some(_) => Verdict::Reused,
            None if self.expires_at <= now => Verdict::Refuse,
            None => Verdict::Rotate,
        }
    }
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
