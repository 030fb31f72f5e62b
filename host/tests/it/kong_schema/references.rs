//! Ids that differ, and names that lead somewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{all, entities};

/// What no two entities of a kind may have in common.
const UNIQUE: &[(&str, &str)] = &[
    ("services", "name"),
    ("routes", "name"),
    ("upstreams", "name"),
    ("targets", "target"),
    ("consumers", "username"),
    ("keyauth_credentials", "key"),
    ("jwt_secrets", "key"),
];

/// The secrets that are rendered into the file.
const SECRETS: &[&str] = &[
    "COMPTOIR_GATEWAY_SECRET",
    "COMPTOIR_KEY_HQ",
    "COMPTOIR_KEY_LOGISTICS",
    "COMPTOIR_KEY_MANAGER",
    "COMPTOIR_KEY_POS",
    "COMPTOIR_TOKEN_KEY",
];

pub fn broken(document: &Value) -> Vec<String> {
    let checks: &[fn(&Value) -> Vec<String>] =
        &[ids, names, plugins_once, hosts, targets, groups, entities_by_name, secrets];
    checks.iter().flat_map(|check| check(document)).collect()
}

/// Says of each but the first who has it already.
fn taken<'a>(what: &str, all: impl IntoIterator<Item = (String, &'a str)>) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for (place, value) in all {
        match seen.get(value) {
            Some(first) => found.push(format!("{place}: the {what} {value} is that of {first}")),
            None => {
                seen.insert(value, place);
            }
        }
    }
    found
}

fn ids(document: &Value) -> Vec<String> {
    let ids = entities(document).into_iter().filter_map(|(place, entity)| Some((place, entity["id"].as_str()?)));
    taken("id", ids)
}

fn names(document: &Value) -> Vec<String> {
    let of = |&(kind, field): &(&str, &'static str)| {
        let named = all(document, kind).into_iter();
        taken(field, named.filter_map(|(place, entity)| Some((place, entity[field].as_str()?))))
    };
    UNIQUE.iter().flat_map(of).collect()
}

/// Kong has a plugin once for each scope.
fn plugins_once(document: &Value) -> Vec<String> {
    let mut scopes: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for (place, plugin) in all(document, "plugins") {
        let scope = place.rsplit_once("/plugins/").map_or("", |(scope, _)| scope).to_owned();
        *scopes.entry((scope, plugin["name"].as_str().unwrap_or_default())).or_default() += 1;
    }
    let twice = scopes.into_iter().filter(|(_, count)| *count > 1);
    twice.map(|((scope, name), _)| format!("{scope}/plugins: the plugin {name} is given twice")).collect()
}

/// A service's host is an upstream, or its own host in compose.
fn hosts(document: &Value) -> Vec<String> {
    let upstreams = named(document, "upstreams");
    let lost = |(place, service): (String, &Value)| {
        let (name, host) = (service["name"].as_str()?, service["host"].as_str()?);
        let known = upstreams.contains(&host) || host == format!("{name}-service");
        (!known).then(|| format!("{place}/host: there is no {host}"))
    };
    all(document, "services").into_iter().filter_map(lost).collect()
}

/// Each target of an upstream is a replica of the service that has its name.
fn targets(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, upstream) in all(document, "upstreams") {
        let name = upstream["name"].as_str().unwrap_or_default();
        for (index, target) in upstream["targets"].as_array().into_iter().flatten().enumerate() {
            let target = target["target"].as_str().unwrap_or_default();
            let host = target.split(':').next().unwrap_or_default();
            if !host.starts_with(&format!("{name}-service")) {
                found.push(format!("{place}/targets/{index}/target: {target} is no host of {name}"));
            }
        }
    }
    found
}

/// Whoever is allowed somewhere exists.
fn groups(document: &Value) -> Vec<String> {
    let groups: Vec<&str> = all(document, "acls").iter().filter_map(|(_, acl)| acl["group"].as_str()).collect();
    let mut found = Vec::new();
    for (place, plugin) in all(document, "plugins") {
        for list in ["allow", "deny"] {
            let named = plugin["config"][list].as_array().into_iter().flatten().filter_map(Value::as_str);
            let nobody = named.filter(|group| !groups.contains(group));
            found.extend(nobody.map(|group| format!("{place}/config/{list}: nobody is in {group}")));
        }
    }
    found
}

/// Entities that name others, by name or id.
fn entities_by_name(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, field) in
        [("services", "service"), ("routes", "route"), ("upstreams", "upstream"), ("consumers", "consumer")]
    {
        let known = named(document, kind);
        for (place, entity) in entities(document) {
            let other = &entity[field];
            let name = [other, &other["name"], &other["id"]].into_iter().find_map(Value::as_str);
            if let Some(name) = name.filter(|name| !known.contains(name)) {
                found.push(format!("{place}/{field}: there is no {field} {name}"));
            }
        }
    }
    found
}

/// The names and ids of a kind.
fn named<'a>(document: &'a Value, kind: &str) -> Vec<&'a str> {
    let of = |(_, entity): (String, &'a Value)| {
        ["name", "username", "id"].map(|field| entity[field].as_str()).into_iter().flatten()
    };
    all(document, kind).into_iter().flat_map(of).collect()
}

/// Kong renders nothing itself: a placeholder that is not known would be a key that everybody can read here.
fn secrets(document: &Value) -> Vec<String> {
    let text = document.to_string();
    let names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
    let unknown = names.filter(|name| !SECRETS.contains(name));
    unknown.map(|name| format!("${{{name}}} is no secret of the platform")).collect()
}
