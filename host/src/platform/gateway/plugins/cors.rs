//! `cors`: which pages of which origins a browser lets read an answer.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::platform::gateway::document::Section;

#[derive(Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    methods: HeaderValue,
    headers: HeaderValue,
    exposed: HeaderValue,
    max_age: HeaderValue,
    credentials: bool,
}

impl Cors {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        config.only("preflight_continue", false);
        config.only("private_network", false);
        let origins: Vec<String> = config.required("origins")?;
        let methods = read_list(config, "methods");
        let headers = read_list(config, "headers");
        let exposed = read_list(config, "exposed_headers");
        let max_age = config.required::<u32>("max_age")?;
        let credentials = config.required("credentials")?;
        for origin in &origins {
            check_origin(config, origin);
        }
        Some(Self {
            origins: origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect(),
            methods: methods?,
            headers: headers?,
            exposed: exposed?,
            max_age: HeaderValue::from(max_age),
            credentials,
        })
    }

    /// Whether a browser asks for permission instead of sending the request itself.
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    pub fn answer_preflight(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.allow(origin, headers) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
    }

    pub fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.allow(origin, headers) && !self.exposed.is_empty() {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
        }
    }

    /// The answer depends on the origin, also when this one is not allowed: caches have to know.
    fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) -> bool {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin.filter(|origin| self.origins.contains(origin)) else { return false };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }
}

fn read_list(config: &mut Section<'_>, name: &'static str) -> Option<HeaderValue> {
    let items: Vec<String> = config.required(name)?;
    let value = HeaderValue::try_from(items.join(", "));
    if value.is_err() {
        config.mistake(format!("`{name}` has characters that a header cannot carry"));
    }
    value.ok()
}

/// Kong takes an entry with other characters for a regular expression, and `*` for everybody.
fn check_origin(config: &Section<'_>, origin: &str) {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let plain = |character: char| character.is_ascii_alphanumeric() || "-.:".contains(character);
    if !host.is_some_and(|host| !host.is_empty() && host.chars().all(plain)) {
        config.mistake(format!("an origin is written out as scheme://host:port here, not {origin}"));
    }
}
