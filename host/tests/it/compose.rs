//! `compose/compose.yaml` as `docker compose` reads it: who is there, who can reach whom, and what nobody may do. What
//! runs of it is tested by `make test-compose`, on an engine.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const SERVICES: [&str; 10] = [
    "products-service",
    "inventory-service",
    "reports-service",
    "sales-service",
    "customers-service",
    "orders-service",
    "cart-service",
    "cart-service-2",
    "cart-service-3",
    "checkout-service",
];

const DATABASES: [&str; 9] = [
    "products-db",
    "inventory-db",
    "reports-db",
    "sales-db",
    "customers-db",
    "orders-db",
    "cart-db",
    "checkout-db",
    "kong-database",
];

/// The file with all its profiles and with the variables at their defaults; none where there is no `docker compose`,
/// which the tests do not bring.
fn file() -> Option<Value> {
    let docker = || {
        let mut docker = Command::new("docker");
        docker
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"))
            .arg("compose");
        docker
    };
    if !docker().arg("version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no docker compose here");
        return None;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../compose");
    let mut config = docker();
    config.args(["--project-directory", folder, "--profile", "*", "config", "--format", "json"]);
    let output = config.output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn names<'a>(list: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    list.into_iter().collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn there_are_the_containers_of_the_diagram_and_what_prepares_kong() {
    let Some(file) = file() else { return };
    let diagram = names(SERVICES.into_iter().chain(DATABASES).chain(["kong", "prometheus", "grafana"]));
    assert_eq!(diagram.len(), 22);
    let others = names(["kong-migrations", "kong-import", "gateway"]);
    assert_eq!(keys(&file["services"]), diagram.union(&others).copied().collect());
    // Kong or its stand-in: who is in a profile starts with it alone.
    for (service, profile) in
        [("kong", "kong"), ("kong-database", "kong"), ("gateway", "gateway"), ("grafana", "dashboards")]
    {
        assert_eq!(file["services"][service]["profiles"], serde_json::json!([profile]), "{service}");
    }
}

#[test]
fn nobody_may_more_than_needed() {
    let Some(file) = file() else { return };
    for (name, service) in file["services"].as_object().expect("services") {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert!(service["mem_limit"].is_string() && service["pids_limit"].is_number(), "{name} has no limits");
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let secret = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
            let value = value.as_str().expect("text");
            assert!(!secret || value.contains("/run/secrets/"), "{name}: {variable} is no file: {value}");
        }
    }
}

#[test]
fn databases_are_reached_by_hosts_alone_and_ports_from_here_alone() {
    let Some(file) = file() else { return };
    for internal in ["data", "kong-data", "metrics"] {
        assert_eq!(file["networks"][internal]["internal"], true, "{internal}");
    }
    let mut published = Vec::new();
    for (name, service) in file["services"].as_object().expect("services") {
        let networks = keys(&service["networks"]);
        let of_kong = name.starts_with("kong");
        let own = if of_kong { "kong-data" } else { "data" };
        if DATABASES.contains(&name.as_str()) {
            assert_eq!(networks, names([own]), "{name}");
        }
        let asks_databases = SERVICES.contains(&name.as_str()) || DATABASES.contains(&name.as_str()) || of_kong;
        for data in ["data", "kong-data"] {
            assert_eq!(networks.contains(data), asks_databases && data == own, "{name}: {data}");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            let (address, port) = (port["host_ip"].as_str().expect("an address"), port["published"].as_str());
            let edge = name == "kong" || name == "gateway";
            assert_eq!(address, if edge { "0.0.0.0" } else { "127.0.0.1" }, "{name}");
            published.extend(port.map(str::to_owned));
        }
    }
    published.sort();
    let expected: Vec<String> = (8000..=8008).chain([8000, 3001, 9091]).map(|port| port.to_string()).collect();
    assert_eq!(names(published.iter().map(String::as_str)), names(expected.iter().map(String::as_str)));
}
