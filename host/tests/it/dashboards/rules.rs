//! What Prometheus is told: its configurations, rules and alerts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{files, text, yaml};
use crate::support::prometheus::promtool;

#[tokio::test]
async fn configurations_and_rules_are_valid() {
    for config in ["prometheus.yml", "laptop.yml"] {
        let said = promtool(&["check", "config", config]).await;
        assert_eq!(said.code, 0, "{said:#?}");
    }
}

/// Each alert where it fires, and where it must not.
#[tokio::test]
async fn alerts_fire_when_they_should() {
    let tests: Vec<String> = files("prometheus/tests", ".yml").into_iter().map(|(file, _)| file).collect();
    let paths: Vec<String> = tests.iter().map(|file| format!("tests/{file}")).collect();
    let arguments: Vec<&str> = ["test", "rules"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let said = promtool(&arguments).await;
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    assert_eq!(said.stdout.matches("SUCCESS").count(), tests.len(), "{}", said.stdout);
}

fn alerts() -> Vec<Value> {
    let files = files("prometheus/rules", ".yml");
    let groups = files.iter().flat_map(|(file, _)| list(&yaml(format!("prometheus/rules/{file}"))["groups"]));
    groups.flat_map(|group| list(&group["rules"])).filter(|rule| rule.get("alert").is_some()).collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

fn name(alert: &Value) -> &str {
    alert["alert"].as_str().expect("a name")
}

#[test]
fn every_alert_says_what_to_do() {
    let runbook = text("runbook.md");
    let sections: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut wrong = Vec::new();
    let alerts = alerts();
    for alert in &alerts {
        let annotations = &alert["annotations"];
        let said = |field: &str| annotations[field].as_str().unwrap_or_default();
        let whole = ["summary", "description", "runbook"].iter().all(|field| said(field).len() > 10);
        let severity = matches!(alert["labels"]["severity"].as_str(), Some("page" | "ticket"));
        let anchor = format!("observability/runbook.md#{}", name(alert).to_lowercase());
        if !(whole && severity && said("runbook").ends_with(&anchor) && sections.contains(name(alert))) {
            wrong.push(name(alert));
        }
    }
    assert!(
        wrong.is_empty(),
        "without severity, summary, description, or a line and a section of the runbook: {wrong:?}"
    );
    let names: BTreeSet<&str> = alerts.iter().map(name).collect();
    assert_eq!(names.len(), alerts.len(), "two alerts have one name");
    let left: Vec<&&str> =
        sections.iter().filter(|section| !section.contains(' ') && !names.contains(**section)).collect();
    assert!(left.is_empty(), "sections of alerts that are not there: {left:?}");
}

#[test]
fn every_alert_is_tested_both_ways() {
    // By name: whether it is expected to fire, and not to.
    let mut tested = BTreeMap::<String, [bool; 2]>::new();
    for (file, _) in files("prometheus/tests", ".yml") {
        for test in list(&yaml(format!("prometheus/tests/{file}"))["tests"]) {
            for case in list(&test["alert_rule_test"]) {
                let fires = case.get("exp_alerts").is_some_and(|alerts| !list(alerts).is_empty());
                let name = case["alertname"].as_str().expect("a name").to_owned();
                tested.entry(name).or_default()[usize::from(fires)] = true;
            }
        }
    }
    let alerts = alerts();
    let missing = |alert: &&Value| tested.get(name(alert)) != Some(&[true, true]);
    let missing: Vec<&str> = alerts.iter().filter(missing).map(name).collect();
    assert!(missing.is_empty(), "no test in which it fires, or none in which it must not: {missing:?}");
}

/// A host that the gateway sends requests to has metrics, under a name of its own.
#[test]
fn every_host_is_looked_at() {
    let mut replicas = BTreeMap::new();
    for job in list(&yaml("prometheus/prometheus.yml")["scrape_configs"]) {
        for group in list(&job["static_configs"]) {
            let replica = group["labels"]["replica"].as_str().expect("a replica").to_owned();
            for target in list(&group["targets"]) {
                let target = target.as_str().expect("a target").to_owned();
                assert_eq!(replicas.insert(target, replica.clone()), None, "{replica} twice");
            }
        }
    }
    let names: BTreeSet<&String> = replicas.values().collect();
    assert_eq!(names.len(), replicas.len(), "two targets have one name");

    let kong = yaml("../kong/kong.yml");
    let upstreams = list(&kong["upstreams"]);
    let alone = list(&kong["services"]).into_iter().map(|service| service["host"].clone());
    let targets =
        upstreams.iter().flat_map(|upstream| list(&upstream["targets"])).map(|target| target["target"].clone());
    for host in alone.chain(targets) {
        let host = host.as_str().expect("a host").split(':').next().expect("a name").to_owned();
        let is_upstream = upstreams.iter().any(|upstream| upstream["name"] == host.as_str());
        assert!(is_upstream || replicas.contains_key(&format!("{host}:9464")), "nobody looks at {host}");
    }
}
