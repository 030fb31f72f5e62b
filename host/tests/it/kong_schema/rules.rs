//! What the edge is there for, and defaults of Kong that surprise: each is written out, with the value that is meant.

use serde_json::{Value, json};

use super::all;

/// What each plugin of a name has to say, wherever it stands, as JSON.
const SAID: &[(&str, &str, &str)] = &[
    ("correlation-id", "echo_downstream", "true"),
    ("prometheus", "status_code_metrics", "true"),
    ("prometheus", "latency_metrics", "true"),
    ("prometheus", "bandwidth_metrics", "true"),
    ("prometheus", "upstream_health_metrics", "true"),
    ("prometheus", "per_consumer", "false"),
    ("key-auth", "key_in_query", "false"),
    ("key-auth", "key_in_body", "false"),
    ("key-auth", "hide_credentials", "true"),
    ("jwt", "claims_to_verify", r#"["exp"]"#),
    ("jwt", "uri_param_names", "[]"),
    ("cors", "credentials", "false"),
];

/// For everything that has no route of its own to say otherwise.
const GLOBAL: &[&str] = &["correlation-id", "prometheus", "request-transformer"];

/// Who a request is from, which the gateway alone says. The first six are set or removed by key-auth, jwt and acl
/// where those are.
const IDENTITY: &[&str] = &[
    "X-Consumer-ID",
    "X-Consumer-Custom-ID",
    "X-Consumer-Username",
    "X-Credential-Identifier",
    "X-Consumer-Groups",
    "X-Anonymous-Consumer",
    "X-Credential-Username",
    "X-Authenticated-Groups",
    "X-Authenticated-Scope",
    "X-Authenticated-Userid",
    "X-Gateway-Secret",
    "X-Service-Name",
    "X-Service-Secret",
];
const SET_BY_AUTHENTICATION: usize = 6;

pub fn broken(document: &Value) -> Vec<String> {
    let checks: &[fn(&Value) -> Vec<String>] =
        &[said, global, origins, bodies, timeouts, health, internal, identities, secrets];
    checks.iter().flat_map(|check| check(document)).collect()
}

fn said(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, plugin) in all(document, "plugins") {
        for (name, field, value) in SAID {
            let meant: Value = serde_json::from_str(value).expect("JSON");
            if plugin["name"] == *name && plugin["config"][field] != meant {
                found.push(format!("{place}/config/{field}: has to be {value}"));
            }
        }
    }
    found
}

fn global(document: &Value) -> Vec<String> {
    let missing = GLOBAL.iter().filter(|name| !has(document, name));
    missing.map(|name| format!("/plugins: there is no {name}")).collect()
}

/// `*` together with credentials would reflect any origin.
fn origins(document: &Value) -> Vec<String> {
    let any = |(place, plugin): (String, &Value)| {
        let origins = plugin["config"]["origins"].as_array();
        let listed = origins.is_some_and(|all| !all.is_empty() && !all.contains(&json!("*")));
        (plugin["name"] == "cors" && !listed).then(|| format!("{place}/config/origins: a list of origins is expected"))
    };
    all(document, "plugins").into_iter().filter_map(any).collect()
}

/// A route that takes a body says how large it may be.
fn bodies(document: &Value) -> Vec<String> {
    let open = |(place, route): (String, &Value)| {
        let methods = route["methods"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let takes = methods.into_iter().any(|method| matches!(method, "POST" | "PUT" | "PATCH"));
        (takes && !has(route, "request-size-limiting")).then(|| format!("{place}: takes bodies of any size"))
    };
    all(document, "routes").into_iter().filter_map(open).collect()
}

/// Kong's own are a minute and five retries, which turns one slow host into five.
fn timeouts(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, service) in all(document, "services") {
        for field in ["retries", "connect_timeout", "write_timeout", "read_timeout"] {
            if service[field].is_null() {
                found.push(format!("{place}/{field}: has to be written out"));
            }
        }
    }
    found
}

/// Who is thrown out is asked again, and a bug of all replicas throws out none.
fn health(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, upstream) in all(document, "upstreams") {
        let place = format!("{place}/healthchecks");
        for state in ["healthy", "unhealthy"] {
            let interval = upstream["healthchecks"]["active"][state]["interval"].as_f64();
            if interval.is_none_or(|seconds| seconds <= 0.0) {
                found.push(format!("{place}/active/{state}/interval: has to be more than 0"));
            }
        }
        let statuses = json!([502, 503, 504]);
        if upstream["healthchecks"]["passive"]["unhealthy"]["http_statuses"] != statuses {
            found.push(format!("{place}/passive/unhealthy/http_statuses: has to be {statuses}"));
        }
    }
    found
}

/// Nothing leads below /internal, and a service's own pages are named one by one.
fn internal(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, route) in all(document, "routes") {
        for (index, path) in route["paths"].as_array().into_iter().flatten().enumerate() {
            let path = path.as_str().unwrap_or_default();
            let is_open = path.starts_with("/api/v1/") || (path.starts_with('~') && path.ends_with('$'));
            if !is_open || path.contains("internal") {
                found.push(format!("{place}/paths/{index}: leads to what is internal"));
            }
        }
    }
    found
}

/// Whatever a client says about who it is goes no further, on any route.
fn identities(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (place, route) in all(document, "routes") {
        let authenticated = has(route, "key-auth") || has(route, "jwt");
        let own = plugin(route, "request-transformer").or_else(|| plugin(document, "request-transformer"));
        let removed = own.map(|own| &own["config"]["remove"]["headers"]).and_then(Value::as_array);
        let names = if authenticated { IDENTITY.get(SET_BY_AUTHENTICATION..) } else { Some(IDENTITY) };
        for name in names.into_iter().flatten() {
            if !removed.is_some_and(|removed| removed.contains(&json!(name))) {
                found.push(format!("{place}: {name} goes through"));
            }
        }
        if authenticated && !has(route, "acl") {
            found.push(format!("{place}: whoever has a key may do this"));
        }
    }
    found
}

/// They are rendered into the file when it is imported.
fn secrets(document: &Value) -> Vec<String> {
    let written = |(place, field): (String, &Value)| {
        let text = field.as_str()?;
        (!text.starts_with("${")).then(|| format!("{place}: a secret is in the file"))
    };
    let keys =
        all(document, "keyauth_credentials").into_iter().map(|(place, one)| (format!("{place}/key"), &one["key"]));
    let tokens =
        all(document, "jwt_secrets").into_iter().map(|(place, one)| (format!("{place}/secret"), &one["secret"]));
    keys.chain(tokens).filter_map(written).collect()
}

fn plugin<'a>(scope: &'a Value, name: &str) -> Option<&'a Value> {
    scope["plugins"].as_array()?.iter().find(|plugin| plugin["name"] == name)
}

fn has(scope: &Value, name: &str) -> bool {
    plugin(scope, name).is_some()
}
