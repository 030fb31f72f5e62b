//! Who a request comes from. Identity travels in headers, and a header is believed only together
//! with a secret that no client has: the gateway's, or the one that hosts share. Everything else
//! that claims an identity is removed before a component sees it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;

pub const GATEWAY_SECRET: HeaderName = HeaderName::from_static("x-gateway-secret");
pub const SERVICE_SECRET: HeaderName = HeaderName::from_static("x-service-secret");
pub const SERVICE_NAME: HeaderName = HeaderName::from_static("x-service-name");

/// Headers in which a gateway tells who the client is (Kong's names).
const GATEWAY_PREFIXES: &[&str] = &["x-consumer-", "x-credential-", "x-authenticated-", "x-anonymous-"];

/// A value that must not be seen: `Debug` hides it, and it has no `Display`.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// Reads a secret file; white space around the value does not count.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the secret file {}", path.display()))?;
        let value = text.trim();
        ensure!(!value.is_empty(), "the secret file {} is empty", path.display());
        HeaderValue::from_str(value)
            .with_context(|| format!("the secret file {} has characters that a header cannot carry", path.display()))?;
        Ok(Self::new(value))
    }

    pub fn matches(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a service believes. Without a secret, nothing.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub gateway: Option<Secret>,
    pub service: Option<Secret>,
}

impl Trust {
    /// Removes the secrets, and every identity that did not come with one.
    pub fn sanitize(&self, headers: &mut HeaderMap) {
        let from_gateway = take_secret(headers, &GATEWAY_SECRET, self.gateway.as_ref());
        let from_service = take_secret(headers, &SERVICE_SECRET, self.service.as_ref());
        if !from_gateway {
            strip_gateway_identity(headers);
        }
        if !from_service {
            headers.remove(SERVICE_NAME);
        }
    }
}

/// Removes every header that only a gateway or a host may set.
pub fn strip(headers: &mut HeaderMap) {
    headers.remove(GATEWAY_SECRET);
    headers.remove(SERVICE_SECRET);
    headers.remove(SERVICE_NAME);
    strip_gateway_identity(headers);
}

fn strip_gateway_identity(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| GATEWAY_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix)))
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
}

fn take_secret(headers: &mut HeaderMap, name: &HeaderName, secret: Option<&Secret>) -> bool {
    let single = headers.get_all(name).iter().count() == 1;
    let given = headers.remove(name);
    match (given, secret) {
        (Some(given), Some(secret)) => single && secret.matches(given.as_bytes()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn trust() -> Trust {
        Trust { gateway: Some(Secret::new("g")), service: Some(Secret::new("s")) }
    }

    #[test]
    fn identity_needs_its_own_secret() {
        let claims = [("x-consumer-groups", "hq"), ("x-credential-identifier", "k"), ("x-service-name", "cart")];
        for (secret, left) in [
            (None, &[][..]),
            (Some(("x-gateway-secret", "g")), &["x-consumer-groups", "x-credential-identifier"][..]),
            (Some(("x-gateway-secret", "wrong")), &[][..]),
            (Some(("x-service-secret", "s")), &["x-service-name"][..]),
            (Some(("x-service-secret", "g")), &[][..]),
        ] {
            let mut headers = headers(&claims);
            if let Some((name, value)) = secret {
                headers.insert(name, HeaderValue::from_static(value));
            }
            trust().sanitize(&mut headers);
            let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, left, "with {secret:?}");
        }
    }

    #[test]
    fn without_a_configured_secret_nothing_is_believed() {
        let mut headers = headers(&[("x-gateway-secret", ""), ("x-consumer-groups", "hq")]);
        Trust::default().sanitize(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn two_secrets_are_no_secret() {
        let mut headers = headers(&[("x-consumer-groups", "hq")]);
        headers.append(GATEWAY_SECRET, HeaderValue::from_static("g"));
        headers.append(GATEWAY_SECRET, HeaderValue::from_static("x"));
        trust().sanitize(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
