//! How passwords are kept: Argon2id (RFC 9106) with the least that OWASP's cheat sheet on password
//! storage asks for: 19 MiB, two passes, one lane. More memory would leave less of an instance's 128 MiB.
//!
//! A hash takes tens of milliseconds in which nothing is awaited. An instance has one thread, so it
//! computes one at a time, however many requests it has, and all its other requests wait as long. So
//! there is a line ([`Turn`]): one request at a time goes from its hash to its commit. Else those that
//! have hashed would hold their transactions while all the others hash, and of a hundred sign-ins at
//! once some would find none free (measured: 15).
//!
//! The line is no lock: no task can wake another, so each looks from time to time whether it is first.
//! [`BLOCKS`] is the memory of one hash, kept for the life of the instance, because linear memory that
//! was given back in pieces would have to grow again.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::{Ident, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use sdk::{random_bytes, sleep};

use crate::domain::password::Password;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of the hash, and of its salt (RFC 9106, 4).
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// How long one waits for each that is before it in the line; a hash takes longer, so few look in vain.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

thread_local! {
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
    static LINE: Arc<Mutex<Line>> = Arc::default();
}

/// Those who want to hash, in the order in which they came.
#[derive(Debug, Default)]
struct Line {
    tickets: VecDeque<u64>,
    next: u64,
}

/// A place in the line; whoever has one may hash, and holds it until what depends on the hash is
/// committed. Dropping it lets the next one go.
#[derive(Debug)]
pub struct Turn {
    /// That of the thread on which it was taken: natively, and only there, a task may go on on another.
    line: Arc<Mutex<Line>>,
    ticket: u64,
}

impl Turn {
    /// Waits until it is its turn. Nothing that others wait for, such as a transaction, may be held.
    pub async fn take() -> Turn {
        let turn = Turn::join(LINE.with(Arc::clone));
        loop {
            match turn.before() {
                0 => return turn,
                before => sleep(LOOK_AGAIN * before).await,
            }
        }
    }

    fn join(line: Arc<Mutex<Line>>) -> Turn {
        let ticket = {
            let mut line = lock(&line);
            let ticket = line.next;
            line.next += 1;
            line.tickets.push_back(ticket);
            ticket
        };
        Turn { line, ticket }
    }

    /// How many are to go first.
    fn before(&self) -> u32 {
        let place = lock(&self.line).tickets.iter().position(|ticket| *ticket == self.ticket);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or(0)
    }

    /// A PHC string with a salt of its own.
    pub fn hash(&self, password: &Password) -> Result<String, HashError> {
        let salt = random_bytes::<SALT_BYTES>();
        let params = params()?;
        let output = derive(password, &salt, params.clone())?;
        let salt = SaltString::encode_b64(&salt)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt.as_salt()),
            hash: Some(Output::new(&output)?),
        };
        Ok(hash.to_string())
    }

    /// Whether it is the password of this hash. Without a hash it is not, after the same work: how long the
    /// answer takes does not tell whether there is an account.
    pub fn verify(&self, password: &Password, stored: Option<&str>) -> Result<bool, HashError> {
        let Some(stored) = stored else {
            derive(password, &[0; SALT_BYTES], params()?)?;
            return Ok(false);
        };
        let stored = PasswordHash::new(stored)?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return Err(HashError("the stored hash has no salt or no hash".to_owned()));
        };
        known(stored.algorithm)?;
        let params = Params::try_from(&stored)?;
        let mut buffer = [0; Salt::MAX_LENGTH];
        let output = derive(password, salt.decode_b64(&mut buffer)?, params)?;
        // Compares in constant time.
        Ok(Output::new(&output)? == expected)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.line).tickets.retain(|ticket| *ticket != self.ticket);
    }
}

/// Never held across an `await`.
fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What should not happen: a stored hash that is none, parameters that are out of range.
#[derive(Debug, thiserror::Error)]
#[error("a password was not hashed: {0}")]
pub struct HashError(String);

impl From<argon2::Error> for HashError {
    fn from(err: argon2::Error) -> Self {
        HashError(err.to_string())
    }
}

impl From<argon2::password_hash::Error> for HashError {
    fn from(err: argon2::password_hash::Error) -> Self {
        HashError(err.to_string())
    }
}

fn known(algorithm: Ident<'_>) -> Result<(), HashError> {
    match algorithm == ARGON2ID_IDENT {
        true => Ok(()),
        false => Err(HashError("the stored hash is of another algorithm".to_owned())),
    }
}

fn params() -> Result<Params, HashError> {
    Ok(Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES))?)
}

fn derive(password: &Password, salt: &[u8], params: Params) -> Result<[u8; HASH_BYTES], HashError> {
    let count = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; HASH_BYTES];
    BLOCKS.with_borrow_mut(|blocks| {
        blocks.resize(count, Block::default());
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks.as_mut_slice())
    })?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Password {
        Password::new(text)
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let turn = Turn::take().await;
        let stored = turn.hash(&of("correct horse battery")).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(turn.verify(&of("correct horse battery"), Some(&stored)).unwrap());
        assert!(!turn.verify(&of("correct horse batterz"), Some(&stored)).unwrap());
        assert!(!turn.verify(&of("correct horse battery"), None).unwrap());
    }

    #[tokio::test]
    async fn no_two_hashes_are_equal() {
        let turn = Turn::take().await;
        assert_ne!(turn.hash(&of("correct horse battery")).unwrap(), turn.hash(&of("correct horse battery")).unwrap());
    }

    /// The reference implementation's own: `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1`.
    #[tokio::test]
    async fn hashes_of_others_are_understood_with_their_own_parameters() {
        let turn = Turn::take().await;
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(turn.verify(&of("password"), Some(stored)).unwrap());
        assert!(!turn.verify(&of("passwore"), Some(stored)).unwrap());
    }

    #[tokio::test]
    async fn what_is_no_hash_is_an_error_and_no_wrong_password() {
        let turn = Turn::take().await;
        for stored in ["", "correct horse battery", "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q"] {
            assert!(turn.verify(&of("correct horse battery"), Some(stored)).is_err(), "{stored}");
        }
    }

    #[tokio::test]
    async fn one_goes_at_a_time_in_the_order_in_which_they_came() {
        let order = RefCell::new(Vec::new());
        let one = async |name: u32| {
            let turn = Turn::take().await;
            order.borrow_mut().push((name, turn.before()));
            // While it holds its turn, others come and look.
            sleep(LOOK_AGAIN * 4).await;
            order.borrow_mut().push((name, turn.before()));
        };
        futures_util::future::join3(one(1), one(2), one(3)).await;
        assert_eq!(order.into_inner(), [(1, 0), (1, 0), (2, 0), (2, 0), (3, 0), (3, 0)]);
    }

    #[tokio::test]
    async fn whoever_gives_up_is_waited_for_by_nobody() {
        let first = Turn::take().await;
        let second = futures_util::FutureExt::now_or_never(Turn::take());
        assert!(second.is_none(), "it waits no longer, and has left the line");
        drop(first);
        assert!(futures_util::FutureExt::now_or_never(Turn::take()).is_some());
    }
}
