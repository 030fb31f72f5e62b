//! `key-auth` and `jwt` say who a request comes from, `acl` whether that is somebody who may.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::token::{Issuers, Jwt, TokenError};
use crate::platform::gateway::document::Section;

const CONSUMER_ID: HeaderName = HeaderName::from_static("x-consumer-id");
const CONSUMER_USERNAME: HeaderName = HeaderName::from_static("x-consumer-username");
const CONSUMER_GROUPS: HeaderName = HeaderName::from_static("x-consumer-groups");
const CREDENTIAL_IDENTIFIER: HeaderName = HeaderName::from_static("x-credential-identifier");

/// Somebody with keys. Everything is ready to be sent on.
#[derive(Debug)]
pub struct Consumer {
    pub username: HeaderValue,
    pub id: HeaderValue,
    pub groups: Vec<String>,
}

/// All consumers, by the hash of each key: the time a look-up takes tells nothing about a key.
#[derive(Debug, Default)]
pub struct Consumers {
    consumers: Vec<Consumer>,
    keys: HashMap<[u8; 32], Credential>,
    issuers: Issuers,
}

#[derive(Clone, Debug)]
struct Credential {
    consumer: usize,
    id: HeaderValue,
}

impl Consumers {
    /// `keys` are pairs of a credential's id and its key; `issuers`, of a token's `iss` and the secret that signs it.
    /// Returns false when one of them belongs to another consumer already.
    pub fn add(
        &mut self,
        consumer: Consumer,
        keys: Vec<(HeaderValue, String)>,
        issuers: Vec<(String, String)>,
    ) -> bool {
        let index = self.consumers.len();
        self.consumers.push(consumer);
        let mut fresh = true;
        for (id, key) in keys {
            let hash = Sha256::digest(key.as_bytes()).into();
            fresh &= self.keys.insert(hash, Credential { consumer: index, id }).is_none();
        }
        for (issuer, secret) in issuers {
            fresh &= self.issuers.add(index, issuer, &secret);
        }
        fresh
    }

    pub fn has_group(&self, group: &str) -> bool {
        self.consumers.iter().any(|consumer| consumer.groups.iter().any(|other| other == group))
    }

    fn find(&self, key: &[u8]) -> Option<(&Consumer, &HeaderValue)> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let credential = self.keys.get(&hash)?;
        Some((self.consumers.get(credential.consumer)?, &credential.id))
    }
}

impl Consumers {
    /// Who signed the request's token; the service is told, as it is of a key.
    pub fn with_token(&self, plugin: Jwt, headers: &mut HeaderMap) -> Result<Option<&Consumer>, TokenError> {
        let issuer = plugin.authenticate(&self.issuers, headers)?;
        let consumer = self.consumers.get(issuer.consumer);
        if let Some(consumer) = consumer {
            consumer.introduce(&issuer.identifier, headers);
        }
        Ok(consumer)
    }
}

impl Consumer {
    /// In headers of Kong's names. Those that a client sent have gone before.
    fn introduce(&self, credential: &HeaderValue, headers: &mut HeaderMap) {
        headers.insert(CONSUMER_ID, self.id.clone());
        headers.insert(CONSUMER_USERNAME, self.username.clone());
        headers.insert(CREDENTIAL_IDENTIFIER, credential.clone());
    }
}

/// Why a key does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    Missing,
    Duplicate,
    Unknown,
}

#[derive(Debug)]
pub struct KeyAuth {
    headers: Vec<HeaderName>,
    hide: bool,
}

impl KeyAuth {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        config.only("key_in_header", true);
        config.exactly("key_in_query", false);
        config.only("key_in_body", false);
        config.only("run_on_preflight", true);
        let hide = config.required("hide_credentials")?;
        let names: Vec<String> = config.required("key_names")?;
        let headers: Vec<HeaderName> = names.iter().filter_map(|name| name.parse().ok()).collect();
        if headers.is_empty() || headers.len() < names.len() {
            config.mistake("`key_names` are names of headers, one at least");
        }
        Some(Self { headers, hide })
    }

    /// Tells the service who it is.
    pub fn authenticate<'a>(
        &self,
        consumers: &'a Consumers,
        headers: &mut HeaderMap,
    ) -> Result<&'a Consumer, KeyError> {
        let name = self.headers.iter().find(|name| headers.contains_key(*name)).ok_or(KeyError::Missing)?;
        let mut values = headers.get_all(name).iter();
        let key = values.next().filter(|key| !key.is_empty()).ok_or(KeyError::Missing)?;
        if values.next().is_some() {
            return Err(KeyError::Duplicate);
        }
        let (consumer, credential) = consumers.find(key.as_bytes()).ok_or(KeyError::Unknown)?;
        if self.hide {
            headers.remove(name);
        }
        consumer.introduce(credential, headers);
        Ok(consumer)
    }
}

#[derive(Debug)]
pub struct Acl {
    allow: Vec<String>,
    hide_groups: bool,
}

impl Acl {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        let hide_groups = config.required("hide_groups_header")?;
        let allow: Vec<String> = config.required("allow")?;
        if allow.is_empty() {
            config.mistake("`allow` has to name a group");
        }
        Some(Self { allow, hide_groups })
    }

    pub fn groups(&self) -> &[String] {
        &self.allow
    }

    /// Whether the consumer may; then the service is told its groups.
    pub fn permits(&self, consumer: Option<&Consumer>, headers: &mut HeaderMap) -> bool {
        let Some(consumer) = consumer else { return false };
        if !consumer.groups.iter().any(|group| self.allow.contains(group)) {
            return false;
        }
        if !self.hide_groups
            && let Ok(groups) = HeaderValue::try_from(consumer.groups.join(", "))
        {
            headers.insert(CONSUMER_GROUPS, groups);
        }
        true
    }
}
