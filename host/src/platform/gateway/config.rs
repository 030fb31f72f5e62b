//! `kong.yml` as Kong 3.9 reads it, as far as it is implemented here. Everything else is a mistake:
//! the file must not say what the gateway would silently not do.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use regex::Regex;
use uuid::Uuid;

use super::document::{self, Mistake, Mistakes, Section};
use super::plugins::{Consumer, Consumers, Plugins};
use crate::platform::secrets::Placeholders;

mod upstream;

pub use self::upstream::{Checks, Probe, Rules, Upstream};

const LABELS: (&str, &str) = ("tags", "labels for people");

/// The whole file.
#[derive(Debug)]
pub struct Config {
    pub plugins: Plugins,
    pub services: Vec<Service>,
    pub upstreams: Vec<Upstream>,
    pub consumers: Consumers,
}

#[derive(Debug)]
pub struct Service {
    pub name: String,
    /// The name of an upstream, or of a host.
    pub host: String,
    pub port: u16,
    /// Further attempts after the first.
    pub retries: u32,
    pub timeouts: Timeouts,
    pub routes: Vec<Route>,
    pub plugins: Plugins,
}

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Between two pieces of the request.
    pub write: Duration,
    /// Between two pieces of the response.
    pub read: Duration,
}

#[derive(Debug)]
pub struct Route {
    pub name: String,
    pub methods: Vec<Method>,
    /// That a request must have.
    pub headers: Vec<HeaderName>,
    pub paths: Vec<Pattern>,
    pub regex_priority: u64,
    pub strip_path: bool,
    pub preserve_host: bool,
    pub plugins: Plugins,
}

/// `/prefix` or `~/regular(expression)`.
#[derive(Clone, Debug)]
pub enum Pattern {
    Prefix(String),
    Regex(Regex),
}

impl Config {
    /// Every mistake of the file at once.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, Vec<Mistake>> {
        let mistakes = Mistakes::default();
        let config = document::parse(text, placeholders, &mistakes).and_then(|root| {
            let mut root = Section::open(&root, String::new(), &mistakes)?;
            let config = Self::read(&mut root);
            root.finish();
            config
        });
        match (config, mistakes.into_inner()) {
            (Some(config), mistakes) if mistakes.is_empty() => Ok(config),
            (_, mistakes) => Err(mistakes),
        }
    }

    fn read(root: &mut Section<'_>) -> Option<Self> {
        let ids = Ids::default();
        root.exactly("_format_version", "3.0".to_owned());
        let plugins = Plugins::read(root, &ids);
        let upstreams = Upstream::read_all(root, &ids);
        let consumers = read_consumers(root, &ids);
        let mut names = Names::default();
        let services = root.sections("services", "name");
        let services: Vec<_> =
            services.into_iter().filter_map(|section| read_service(section, &ids, &mut names, &consumers)).collect();
        if services.is_empty() {
            root.mistake("there is no service");
        }
        Some(Self { plugins, services, upstreams, consumers })
    }
}

/// Ids that are given so far. `kong config db_import` finds what it imported before by its id, so each entity has one.
#[derive(Debug, Default)]
pub struct Ids(RefCell<HashMap<Uuid, String>>);

impl Ids {
    pub fn claim(&self, section: &mut Section<'_>) -> Option<HeaderValue> {
        let text: String = section.required("id")?;
        let Ok(id) = Uuid::try_parse(&text) else {
            section.mistake(format!("`id` has to be a UUID, not {text}"));
            return None;
        };
        if let Some(place) = self.0.borrow_mut().insert(id, section.place().to_owned()) {
            section.mistake(format!("the id {text} belongs to {place} already"));
        }
        HeaderValue::try_from(text).ok()
    }
}

/// Names that are given so far; Kong wants them unique for each kind.
#[derive(Debug, Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn claim(&mut self, kind: &str, section: &mut Section<'_>) -> Option<String> {
        let name: String = section.required("name")?;
        if !self.0.insert(format!("{kind} {name}")) {
            section.mistake(format!("another {kind} has the name {name}"));
        }
        Some(name)
    }
}

fn read_service(mut section: Section<'_>, ids: &Ids, names: &mut Names, consumers: &Consumers) -> Option<Service> {
    ids.claim(&mut section);
    let name = names.claim("service", &mut section);
    section.only("protocol", "http".to_owned());
    section.only("enabled", true);
    section.ignore(&[LABELS]);
    let host: Option<String> = section.required("host");
    let port = section.required("port");
    let retries = section.required("retries");
    let timeouts = read_timeouts(&mut section);
    let plugins = Plugins::read(&mut section, ids);
    let routes = section.sections("routes", "name");
    let routes: Vec<_> =
        routes.into_iter().filter_map(|route| read_route(route, ids, names, &plugins, consumers)).collect();
    section.finish();
    Some(Service { name: name?, host: host?, port: port?, retries: retries?, timeouts: timeouts?, routes, plugins })
}

fn read_timeouts(section: &mut Section<'_>) -> Option<Timeouts> {
    let mut milliseconds = |name| {
        let value: u64 = section.required(name)?;
        if value == 0 {
            section.mistake(format!("`{name}` has to be more than 0"));
        }
        Some(Duration::from_millis(value))
    };
    let (connect, write, read) =
        (milliseconds("connect_timeout"), milliseconds("write_timeout"), milliseconds("read_timeout"));
    Some(Timeouts { connect: connect?, write: write?, read: read? })
}

fn read_route(
    mut section: Section<'_>,
    ids: &Ids,
    names: &mut Names,
    general: &Plugins,
    consumers: &Consumers,
) -> Option<Route> {
    ids.claim(&mut section);
    let name = names.claim("route", &mut section);
    section.ignore(&[
        LABELS,
        ("protocols", "the gateway speaks plain HTTP only"),
        ("request_buffering", "small bodies are collected, large ones stream; never through a file"),
        ("response_buffering", "as for requests"),
    ]);
    section.only("path_handling", "v0".to_owned());
    let regex_priority = section.optional("regex_priority").unwrap_or(0);
    let strip_path = section.required("strip_path");
    let preserve_host = section.required("preserve_host");
    let methods = read_methods(&mut section);
    let headers = read_headers(&mut section);
    let paths = read_paths(&mut section);
    let plugins = Plugins::read(&mut section, ids);
    check_plugins(&section, &plugins.over(general), &paths, consumers);
    section.finish();
    let (strip_path, preserve_host) = (strip_path?, preserve_host?);
    Some(Route { name: name?, methods, headers, paths, regex_priority, strip_path, preserve_host, plugins })
}

fn read_methods(section: &mut Section<'_>) -> Vec<Method> {
    let names: Vec<String> = section.required("methods").unwrap_or_default();
    let upper = |name: &&String| name.bytes().all(|byte| byte.is_ascii_uppercase());
    let methods: Vec<Method> = names.iter().filter(upper).filter_map(|name| name.parse().ok()).collect();
    if methods.is_empty() || methods.len() < names.len() {
        section.mistake("`methods` are HTTP methods in capitals, one at least");
    }
    methods
}

/// Headers that a request must have. Of Kong's conditions this is the only one: that there is an API key, so that staff
/// and customers may share a path and have routes of their own.
fn read_headers(section: &mut Section<'_>) -> Vec<HeaderName> {
    let Some(mut conditions) = section.section("headers") else { return Vec::new() };
    conditions.exactly("X-API-Key", vec!["~*.+".to_owned()]);
    conditions.finish();
    vec![HeaderName::from_static("x-api-key")]
}

fn read_paths(section: &mut Section<'_>) -> Vec<Pattern> {
    let texts: Vec<String> = section.required("paths").unwrap_or_default();
    if texts.is_empty() {
        section.mistake("`paths` has to have one at least");
    }
    texts.iter().filter_map(|text| read_path(section, text)).collect()
}

fn read_path(section: &Section<'_>, text: &str) -> Option<Pattern> {
    let Some(expression) = text.strip_prefix('~') else {
        if !text.starts_with('/') || text.contains("//") {
            section.mistake(format!("a path starts with / or ~/ and has no empty segment: {text}"));
        }
        return Some(Pattern::Prefix(text.to_owned()));
    };
    if !expression.starts_with('/') {
        section.mistake(format!("a regular expression for a path starts with ~/: {text}"));
    }
    // Kong's router anchors the start, too, and uses this very engine.
    match Regex::new(&format!("^{expression}")) {
        Ok(regex) => Some(Pattern::Regex(regex)),
        Err(error) => {
            section.mistake(format!("{text} is no regular expression: {error}"));
            None
        }
    }
}

/// What only shows when the plugins of a route are seen together.
fn check_plugins(section: &Section<'_>, plugins: &Plugins, paths: &[Pattern], consumers: &Consumers) {
    if let Some(acl) = &plugins.acl {
        if plugins.key_auth.is_none() && plugins.jwt.is_none() {
            section.mistake("acl without key-auth or jwt refuses everybody");
        }
        for group in acl.groups().iter().filter(|group| !consumers.has_group(group)) {
            section.mistake(format!("acl allows the group {group}, in which no consumer is"));
        }
    }
    if plugins.key_auth.is_some() && plugins.jwt.is_some() {
        section.mistake("key-auth and jwt together demand both of everybody");
    }
    let wanted = plugins.transformer.as_ref().map_or(0, |transformer| transformer.groups());
    let groups = |path: &Pattern| if let Pattern::Regex(regex) = path { regex.captures_len() - 1 } else { 0 };
    if paths.iter().any(|path| groups(path) < wanted) {
        section.mistake(format!("request-transformer uses group {wanted}, which not every path has"));
    }
}

fn read_consumers(root: &mut Section<'_>, ids: &Ids) -> Consumers {
    let mut consumers = Consumers::default();
    let mut names = BTreeSet::new();
    for mut section in root.sections("consumers", "username") {
        let id = ids.claim(&mut section);
        section.ignore(&[LABELS]);
        let username: Option<String> = section.required("username");
        let keys: Vec<_> =
            section.sections("keyauth_credentials", "").into_iter().filter_map(|s| read_key(s, ids)).collect();
        let issuers: Vec<_> =
            section.sections("jwt_secrets", "key").into_iter().filter_map(|s| read_issuer(s, ids)).collect();
        let groups: Vec<_> = section.sections("acls", "group").into_iter().filter_map(|s| read_group(s, ids)).collect();
        let (Some(id), Some(username)) = (id, username) else { continue };
        let Ok(value) = HeaderValue::try_from(&username) else {
            section.mistake("`username` has characters that a header cannot carry");
            continue;
        };
        if !consumers.add(Consumer { username: value, id, groups }, keys, issuers) {
            section.mistake("one of its keys or issuers belongs to another consumer");
        }
        if !names.insert(username.clone()) {
            section.mistake(format!("another consumer has the name {username}"));
        }
        section.finish();
    }
    consumers
}

fn read_key(mut section: Section<'_>, ids: &Ids) -> Option<(HeaderValue, String)> {
    let id = ids.claim(&mut section);
    section.ignore(&[LABELS]);
    let key: Option<String> = section.required("key");
    if key.as_ref().is_some_and(String::is_empty) {
        section.mistake("`key` is empty");
    }
    section.finish();
    Some((id?, key?))
}

fn read_issuer(mut section: Section<'_>, ids: &Ids) -> Option<(String, String)> {
    ids.claim(&mut section);
    section.ignore(&[LABELS]);
    section.only("algorithm", "HS256".to_owned());
    let issuer: Option<String> = section.required("key");
    let secret: Option<String> = section.required("secret");
    // RFC 7518, 3.2: as long as the hash, at least.
    if secret.as_ref().is_some_and(|secret| secret.len() < 32) {
        section.mistake("`secret` has less than 32 characters");
    }
    section.finish();
    Some((issuer?, secret?))
}

fn read_group(mut section: Section<'_>, ids: &Ids) -> Option<String> {
    ids.claim(&mut section);
    section.ignore(&[LABELS]);
    let group = section.required("group");
    section.finish();
    group
}
