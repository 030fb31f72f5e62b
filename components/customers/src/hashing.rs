//! How passwords are kept: Argon2id (RFC 9106) with the least that OWASP's cheat sheet on password
//! storage asks for: 19 MiB, two passes, one lane. More memory would leave less of an instance's 128 MiB.
//!
//! A hash takes tens of milliseconds in which nothing is awaited. An instance has one thread, so it
//! computes one hash at a time, however many requests it has: no lock is needed to bound the memory,
//! and none could be held across an `await`. The other requests of the instance wait that long; so each
//! hash lets them go on before it begins. Those of other cores do not wait. [`BLOCKS`] is the bound in code: the memory of one hash, kept for
//! the life of the instance, because linear memory that was given back in pieces would have to grow again.

use std::cell::RefCell;

use argon2::password_hash::{Ident, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use sdk::{random_bytes, yield_now};

use crate::domain::password::Password;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of the hash, and of its salt (RFC 9106, 4).
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

thread_local! {
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
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

/// A PHC string with a salt of its own.
pub async fn hash(password: &Password) -> Result<String, HashError> {
    yield_now().await;
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
pub async fn verify(password: &Password, stored: Option<&str>) -> Result<bool, HashError> {
    yield_now().await;
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
        let stored = hash(&of("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(&of("correct horse battery"), Some(&stored)).await.unwrap());
        assert!(!verify(&of("correct horse batterz"), Some(&stored)).await.unwrap());
        assert!(!verify(&of("correct horse battery"), None).await.unwrap());
    }

    #[tokio::test]
    async fn no_two_hashes_are_equal() {
        assert_ne!(
            hash(&of("correct horse battery")).await.unwrap(),
            hash(&of("correct horse battery")).await.unwrap()
        );
    }

    /// The reference implementation's own: `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1`.
    #[tokio::test]
    async fn hashes_of_others_are_understood_with_their_own_parameters() {
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify(&of("password"), Some(stored)).await.unwrap());
        assert!(!verify(&of("passwore"), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_no_hash_is_an_error_and_no_wrong_password() {
        for stored in ["", "correct horse battery", "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q"] {
            assert!(verify(&of("correct horse battery"), Some(stored)).await.is_err(), "{stored}");
        }
    }
}
