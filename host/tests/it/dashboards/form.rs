//! The form of the dashboards: whoever opens one finds what is shown, of what unit, and why.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Dashboard, expressions, yaml};

/// Of Grafana's grid.
const COLUMNS: u64 = 24;

/// What is wrong with it.
fn faults(dashboard: &Dashboard) -> Vec<String> {
    let document = &dashboard.document;
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault: &str| {
        if !holds {
            faults.push(format!("{}: {fault}", dashboard.file));
        }
    };
    must(dashboard.uid().starts_with("comptoir-"), "its uid is not one of ours");
    must(is_sentence(&document["description"]), "it does not say what it is for");
    must(document["editable"] == false, "it can be edited in a browser");
    must(document["tags"] == json!(["comptoir"]), "the others do not find it");
    must(document.get("id").is_none(), "an id is of one Grafana alone");
    let panels = document["panels"].as_array().expect("panels");
    let unique = |field: &str| panels.iter().map(|panel| panel[field].to_string()).collect::<BTreeSet<_>>().len();
    must(unique("id") == panels.len(), "two panels have one id");
    must(unique("title") == panels.len(), "two panels have one title");
    must(panels.iter().all(|panel| column(panel, "x") + column(panel, "w") <= COLUMNS), "a panel sticks out");
    for (number, panel) in panels.iter().enumerate() {
        let covers = |other: &&Value| overlap(panel, other);
        must(!panels[number + 1..].iter().any(|other| covers(&other)), &format!("something is on {}", panel["title"]));
    }
    faults.extend(dashboard.panels().flat_map(|panel| faults_of(panel, &dashboard.file)));
    faults
}

fn faults_of(panel: &Value, file: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault: &str| {
        if !holds {
            faults.push(format!("{file}: {}: {fault}", panel["title"]));
        }
    };
    must(is_sentence(&panel["description"]), "it does not say what it shows");
    must(panel["fieldConfig"]["defaults"]["unit"].as_str().is_some_and(|unit| !unit.is_empty()), "no unit");
    must(panel["datasource"]["uid"] == source()["uid"], "another data source");
    must(expressions(panel).count() > 0, "no query");
    must(expressions(panel).all(has_rates_of_the_interval), "a range that is not `$__rate_interval`");
    let targets = panel["targets"].as_array().expect("targets");
    must(targets.iter().all(|target| target.get("datasource").is_none()), "a target has a data source of its own");
    let legend = |target: &Value| target["legendFormat"].as_str().is_some_and(|legend| !legend.is_empty());
    must(panel["type"] != "timeseries" || targets.iter().all(legend), "a line without a name");
    let names: BTreeSet<String> = targets.iter().map(|target| target["refId"].to_string()).collect();
    must(names.len() == targets.len(), "two targets have one name");
    faults
}

fn is_sentence(text: &Value) -> bool {
    text.as_str().is_some_and(|text| text.len() > 10 && text.ends_with('.'))
}

/// A range that is written out is too short for one interval of scrapes and too long for another.
fn has_rates_of_the_interval(query: &str) -> bool {
    query.split('[').skip(1).all(|range| range.starts_with("$__rate_interval]"))
}

fn column(panel: &Value, field: &str) -> u64 {
    panel["gridPos"][field].as_u64().expect("a place in the grid")
}

fn overlap(one: &Value, other: &Value) -> bool {
    let apart = |from: &str, size: &str| {
        column(one, from) + column(one, size) <= column(other, from)
            || column(other, from) + column(other, size) <= column(one, from)
    };
    !apart("x", "w") && !apart("y", "h")
}

/// The one data source.
fn source() -> Value {
    yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"][0].clone()
}

#[test]
fn every_panel_says_what_it_shows() {
    let dashboards = Dashboard::all();
    let faults: Vec<String> = dashboards.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let uids: BTreeSet<&str> = dashboards.iter().map(Dashboard::uid).collect();
    assert_eq!(uids.len(), dashboards.len(), "two dashboards have one uid: {uids:?}");
}

#[test]
fn nothing_is_changed_in_a_browser() {
    let provider = &yaml("grafana/provisioning/dashboards/comptoir.yml")["providers"][0];
    assert_eq!((&provider["allowUiUpdates"], &provider["disableDeletion"]), (&json!(false), &json!(true)));
    assert_eq!(source()["editable"], false);
}

/// Or `$__rate_interval` would be shorter than two scrapes, and every panel empty.
#[test]
fn grafana_knows_how_often_prometheus_scrapes() {
    for config in ["prometheus/prometheus.yml", "prometheus/laptop.yml"] {
        assert_eq!(yaml(config)["global"]["scrape_interval"], source()["jsonData"]["timeInterval"], "{config}");
    }
}

#[test]
fn a_range_is_the_interval_of_the_rate() {
    assert!(has_rates_of_the_interval("sum(rate(a[$__rate_interval])) / rate(b[$__rate_interval])"));
    assert!(has_rates_of_the_interval("a / b"));
    assert!(!has_rates_of_the_interval("sum(rate(a[$__rate_interval])) / rate(b[5m])"));
}
