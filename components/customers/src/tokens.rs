//! The two tokens of a sign-in. An access token is a JWT (RFC 7519) that the gateway verifies by itself
//! and nobody stores. A refresh token is a secret that is shown once, and kept as its hash alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sdk::{Clock, Context, Problem, Result, new_uuid_v7, random_bytes};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::CustomerId;
use crate::domain::session::ACCESS_LIVES;

/// What `kong.yml` knows our tokens by.
pub const ISSUER: &str = "comptoir-customers";
/// The host's secret that they are signed with.
pub const KEY_NAME: &str = "token-key";
/// RFC 7518, 3.2: as long as the hash, at least. The gateway asks for the same.
const KEY_BYTES_MIN: usize = 32;
/// A host gets its secrets when it starts.
const RETRY_AFTER_S: u32 = 60;

/// What begins every refresh token, so that one is noticed where it should not be.
const PREFIX: &str = "crt_";
const REFRESH_BYTES: usize = 32;

/// Signs with the host's key, which is asked for anew for every request.
pub struct Signer(EncodingKey);

/// The claims of an access token (RFC 7519, 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: Uuid,
}

impl Signer {
    /// 503 when the host has no key: nothing that we signed would be worth anything.
    pub fn new(context: &Context) -> Result<Signer> {
        let key = context.secrets.get(KEY_NAME);
        let key = key.ok_or_else(|| unavailable("the host was given no secret token-key: nobody can sign in"))?;
        if key.len() < KEY_BYTES_MIN {
            return Err(unavailable("the host's secret token-key has less than 32 bytes: nobody can sign in"));
        }
        Ok(Signer(EncodingKey::from_secret(key.as_bytes())))
    }

    /// An access token for that customer, from now on.
    pub fn access_token(&self, customer: CustomerId, clock: &Clock) -> Result<String> {
        let iat = clock.now().as_second();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: customer.to_string(),
            iat,
            exp: iat + ACCESS_LIVES.as_secs(),
            jti: new_uuid_v7(clock),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0).map_err(Problem::internal)
    }

    /// A text that is the same for the same secret, and tells nothing about it without the host's key:
    /// a plain hash of a password could be tried against all the passwords of the world.
    pub fn fingerprint(&self, secret: &[u8]) -> Result<String> {
        // No token begins so: the first part of one is base64 of `{`.
        let message = [b"fingerprint\0", secret].concat();
        jsonwebtoken::crypto::sign(&message, &self.0, Algorithm::HS256).map_err(Problem::internal)
    }
}

/// `Debug` shows no key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// A refresh token, in the only form in which it is ever whole.
pub struct RefreshToken(String);

impl RefreshToken {
    pub fn draw() -> RefreshToken {
        RefreshToken(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes::<REFRESH_BYTES>())))
    }

    /// What is stored of it.
    pub fn hash(&self) -> RefreshHash {
        RefreshHash(Sha256::digest(&self.0).to_vec())
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// `Debug` does not show it.
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// SHA-256 of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshHash(pub Vec<u8>);

impl RefreshHash {
    /// Of what a client shows; none if it has not the form of a token of ours.
    pub fn of(text: &str) -> Option<RefreshHash> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (bytes.len() == REFRESH_BYTES).then(|| RefreshHash(Sha256::digest(text).to_vec()))
    }
}

fn unavailable(cause: &'static str) -> Problem {
    Problem::unavailable(RETRY_AFTER_S)
        .code("sign-in-unavailable")
        .detail("nobody can sign in at the moment")
        .cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_stored_as_something_else_and_found_by_it() {
        let token = RefreshToken::draw();
        let hash = token.hash();
        assert_eq!(hash.0.len(), 32);
        assert!(!format!("{token:?}").contains(PREFIX));
        let text = token.into_text();
        assert_eq!((text.len(), &text[..4]), (47, PREFIX));
        assert_eq!(RefreshHash::of(&text), Some(hash));
        assert_ne!(RefreshToken::draw().into_text(), text);
    }

    #[test]
    fn what_is_no_token_of_ours_is_not_looked_for() {
        let text = RefreshToken::draw().into_text();
        for wrong in ["", "crt_", &text[4..], &text[..46], &format!("{text}A"), &format!("{text}=")] {
            assert_eq!(RefreshHash::of(wrong), None, "{wrong:?}");
        }
    }
}
