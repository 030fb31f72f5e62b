//! `key-auth` says who a request comes from, `acl` whether that is somebody who may.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

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
}

#[derive(Clone, Debug)]
struct Credential {
    consumer: usize,
    id: HeaderValue,
}

impl Consumers {
    /// `keys` are pairs of a credential's id and its key. Returns false when a key belongs to another consumer already.
    pub fn add(&mut self, consumer: Consumer, keys: Vec<(HeaderValue, String)>) -> bool {
        let index = self.consumers.len();
        self.consumers.push(consumer);
        let mut fresh = true;
        for (id, key) in keys {
            let hash = Sha256::digest(key.as_bytes()).into();
            fresh &= self.keys.insert(hash, Credential { consumer: index, id }).is_none();
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

    /// Tells the service who it is, in headers of Kong's names. Those that a client sent have gone before.
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
        headers.insert(CONSUMER_ID, consumer.id.clone());
        headers.insert(CONSUMER_USERNAME, consumer.username.clone());
        headers.insert(CREDENTIAL_IDENTIFIER, credential.clone());
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
