//! `jwt`: a customer says who they are with a token that the customers service signed. Here its
//! signature and its end are verified; whom it is about is the service's to read.

use std::collections::HashMap;
use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::platform::gateway::document::Section;

/// Who may sign, by the `iss` of a token.
#[derive(Default)]
pub struct Issuers(HashMap<String, Issuer>);

/// A credential of a consumer.
pub struct Issuer {
    /// The consumer's place.
    pub consumer: usize,
    /// The credential's `key`, as Kong passes it on.
    pub identifier: HeaderValue,
    key: DecodingKey,
}

/// What of a token's claims matters before its signature is known to be good.
#[derive(Deserialize)]
struct Claims {
    iss: String,
}

/// Why a token does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    Missing,
    Duplicate,
    /// It is none, or signed by somebody else, or not as it says.
    Invalid,
    Expired,
}

impl Issuers {
    /// Returns false when another consumer has an issuer of this name.
    pub fn add(&mut self, consumer: usize, issuer: String, secret: &str) -> bool {
        let Ok(identifier) = HeaderValue::try_from(&issuer) else { return false };
        let key = DecodingKey::from_secret(secret.as_bytes());
        self.0.insert(issuer, Issuer { consumer, identifier, key }).is_none()
    }

    fn verify(&self, token: &str) -> Result<&Issuer, TokenError> {
        let claims = jsonwebtoken::dangerous::insecure_decode::<Claims>(token).map_err(|_| TokenError::Invalid)?;
        let issuer = self.0.get(&claims.claims.iss).ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        jsonwebtoken::decode::<Claims>(token, &issuer.key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenError::Expired,
            _ => TokenError::Invalid,
        })?;
        Ok(issuer)
    }
}

/// `Debug` shows no key.
impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The plugin. Everything that could be configured is as it must be.
#[derive(Clone, Copy, Debug)]
pub struct Jwt;

impl Jwt {
    pub fn read(config: &mut Section<'_>) -> Self {
        config.only("header_names", vec!["authorization".to_owned()]);
        config.exactly("uri_param_names", Vec::<String>::new());
        config.only("cookie_names", Vec::<String>::new());
        config.only("key_claim_name", "iss".to_owned());
        config.only("secret_is_base64", false);
        config.exactly("claims_to_verify", vec!["exp".to_owned()]);
        config.only("run_on_preflight", true);
        Self
    }

    /// The issuer of the request's token, which is good.
    pub fn authenticate<'a>(self, issuers: &'a Issuers, headers: &HeaderMap) -> Result<&'a Issuer, TokenError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or(TokenError::Missing)?;
        if values.next().is_some() {
            return Err(TokenError::Duplicate);
        }
        let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(TokenError::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Missing);
        }
        issuers.verify(token.trim())
    }
}
