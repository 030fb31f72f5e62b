//! Which route a request takes, by the rules of Kong's router (flavour `traditional_compatible`,
//! `kong/router/transform.lua`): more kinds of conditions first (a demanded header is one), then regular expressions before
//! prefixes, then `regex_priority`, then the longer prefix, then the order of the file.

use std::cmp::Reverse;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};

use super::balance::Pool;
use super::config::{self, Pattern, Timeouts};
use super::path::sanitize_rest;
use super::plugins::Plugins;

/// Everything that is known about a route before a request comes.
#[derive(Debug)]
pub struct Route {
    pub name: String,
    pub service: String,
    pub pool: Arc<Pool>,
    pub retries: u32,
    pub timeouts: Timeouts,
    pub preserve_host: bool,
    pub plugins: Plugins,
    strip_path: bool,
}

/// A route and what the path had for it.
#[derive(Clone, Debug)]
pub struct Match {
    pub route: Arc<Route>,
    /// The groups of the regular expression.
    pub groups: Vec<String>,
    /// What `strip_path` takes away, if it does.
    pub prefix: Option<String>,
}

impl Match {
    /// The path for the service.
    pub fn path(&self, path: &str) -> String {
        let rewritten = self.route.plugins.transformer.as_ref().and_then(|transformer| transformer.path(&self.groups));
        if let Some(rewritten) = rewritten {
            return rewritten;
        }
        match &self.prefix {
            Some(prefix) => {
                let rest = path.strip_prefix(prefix.as_str()).unwrap_or(path);
                format!("/{}", sanitize_rest(rest.trim_start_matches('/')))
            }
            None => path.to_owned(),
        }
    }

    /// Whether [`Match::path`] gives back what it gets.
    pub fn keeps_path(&self) -> bool {
        self.prefix.is_none() && self.route.plugins.transformer.as_ref().is_none_or(|plugin| plugin.groups() == 0)
    }
}

/// All routes, the one to try first in front.
#[derive(Debug, Default)]
pub struct Table(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    methods: Vec<Method>,
    /// That the request must have.
    headers: Vec<HeaderName>,
    pattern: Pattern,
    regex_priority: u64,
    route: Arc<Route>,
}

impl Table {
    pub fn add(&mut self, service: &config::Service, route: &config::Route, pool: &Arc<Pool>, general: &Plugins) {
        let compiled = Arc::new(Route {
            name: route.name.clone(),
            service: service.name.clone(),
            pool: Arc::clone(pool),
            retries: service.retries,
            timeouts: service.timeouts,
            preserve_host: route.preserve_host,
            plugins: route.plugins.over(&service.plugins).over(general),
            strip_path: route.strip_path,
        });
        self.0.extend(route.paths.iter().map(|pattern| Entry {
            methods: route.methods.clone(),
            headers: route.headers.clone(),
            pattern: pattern.clone(),
            regex_priority: route.regex_priority,
            route: Arc::clone(&compiled),
        }));
    }

    /// To be called once, after the last route. The sort is stable, so the order of the file decides the rest. Every
    /// route has methods and paths here; some have headers as well, and go first.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|entry| {
            let (regex, length) = match &entry.pattern {
                Pattern::Regex(_) => (true, 0),
                Pattern::Prefix(prefix) => (false, prefix.len()),
            };
            Reverse((entry.headers.len(), regex, if regex { entry.regex_priority } else { 0 }, length))
        });
    }

    /// `path` has to be normalized.
    pub fn find(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Match> {
        let admits = |entry: &&Entry| {
            entry.methods.contains(method)
                && entry.headers.iter().all(|name| headers.get(name).is_some_and(|value| !value.is_empty()))
        };
        self.0.iter().filter(admits).find_map(|entry| entry.matches(path))
    }

    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.0.iter().map(|entry| &entry.route)
    }
}

impl Entry {
    fn matches(&self, path: &str) -> Option<Match> {
        let (groups, matched) = match &self.pattern {
            Pattern::Prefix(prefix) => (Vec::new(), path.starts_with(prefix.as_str()).then_some(prefix.as_str())?),
            Pattern::Regex(regex) => {
                let captures = regex.captures(path)?;
                let group =
                    |group: Option<regex::Match<'_>>| group.map_or_else(String::new, |text| text.as_str().to_owned());
                (captures.iter().skip(1).map(group).collect(), captures.get(0)?.as_str())
            }
        };
        let prefix = self.route.strip_path.then(|| matched.to_owned());
        Some(Match { route: Arc::clone(&self.route), groups, prefix })
    }
}
