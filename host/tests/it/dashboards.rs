//! What `observability/` has: that dashboards, rules and alerts are whole, and that on a platform that is
//! bought from every query has an answer, by a real Prometheus. What is silent is written down, with a reason.

mod answers;
mod form;
mod names;
mod rules;
mod silence;

use std::path::Path;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use serde_json::Value;

use crate::support::prometheus::observability;

/// A dashboard, and the name of its file.
struct Dashboard {
    file: String,
    document: Value,
}

impl Dashboard {
    fn all() -> Vec<Self> {
        let files = files("grafana/dashboards", ".json").into_iter();
        let dashboard = |(file, text): (String, String)| {
            let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            Self { file, document }
        };
        files.map(dashboard).collect()
    }

    fn uid(&self) -> &str {
        self.document["uid"].as_str().unwrap_or_else(|| panic!("{} has no uid", self.file))
    }

    /// Those that show something.
    fn panels(&self) -> impl Iterator<Item = &Value> {
        let panels = self.document["panels"].as_array().expect("panels").iter();
        panels.filter(|panel| panel["type"] != "row")
    }
}

/// What a panel asks for.
fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
    let targets = panel["targets"].as_array().into_iter().flatten();
    targets.map(|target| target["expr"].as_str().expect("a target has a query"))
}

/// Names and texts of the files in a folder of `observability/`.
fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(observability().join(folder)).expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("a name"));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
    names.sort();
    assert!(!names.is_empty(), "nothing in {folder}");
    names.into_iter().map(|name| (name.clone(), text(&format!("{folder}/{name}")))).collect()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(observability().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: impl AsRef<Path>) -> Value {
    let path = observability().join(path);
    let text = std::fs::read_to_string(&path).expect("a readable file");
    let documents = MarkedYaml::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let [document] = documents.as_slice() else { panic!("{}: one document is expected", path.display()) };
    value(document)
}

fn value(node: &MarkedYaml<'_>) -> Value {
    match &node.data {
        YamlData::Value(Scalar::Boolean(value)) => Value::from(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::from(*value),
        YamlData::Value(Scalar::String(text)) => Value::from(text.as_ref()),
        YamlData::Sequence(items) => items.iter().map(value).collect(),
        YamlData::Mapping(entries) => {
            let name = |key: &MarkedYaml<'_>| key.data.as_str().expect("a field's name").to_owned();
            Value::Object(entries.iter().map(|(key, entry)| (name(key), value(entry))).collect())
        }
        _ => Value::Null,
    }
}
