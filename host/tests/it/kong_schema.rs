//! `kong/kong.yml` against what Kong 3.9 documents (`kong/schema.json`), and against what a schema cannot say: that
//! ids differ, that names lead somewhere, that the edge does what it is there for.
//!
//! Kong itself is not here to be asked. The gateway of `comptoir up` refuses what it does not implement, but could
//! share a mistake with the file: this knows nothing of it, and reads the file by itself.

use std::collections::BTreeSet;
use std::path::Path;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

use self::mistakes::MISTAKES;
use crate::support::json_schema;

mod mistakes;
mod references;
mod rules;

/// What is wrong with a file, each with its place, as a JSON pointer.
fn mistakes(text: &str) -> Vec<String> {
    let document = read(text);
    let mut found = json_schema::violations(&schema(), &document);
    found.extend(references::broken(&document));
    found.extend(rules::broken(&document));
    found
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kong").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema() -> Value {
    serde_json::from_str(&file("schema.json")).expect("kong/schema.json is JSON")
}

/// YAML as Kong reads it: one document, without tags and aliases.
fn read(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).expect("YAML");
    let [document] = documents.as_slice() else { panic!("one document") };
    value(document)
}

fn value(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.0.into(),
        Yaml::Value(Scalar::String(text)) => text.to_string().into(),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let member =
                |(name, entry): (&Yaml<'_>, &Yaml<'_>)| (name.as_str().expect("a name").to_owned(), value(entry));
            Value::Object(entries.iter().map(member).collect::<Map<_, _>>())
        }
        _ => panic!("neither a tag nor an alias: {node:?}"),
    }
}

/// Every entity of the document, with its place; the entities within it come after it.
fn entities(document: &Value) -> Vec<(String, &Value)> {
    const KINDS: &[&str] = &[
        "services",
        "routes",
        "upstreams",
        "targets",
        "consumers",
        "plugins",
        "keyauth_credentials",
        "jwt_secrets",
        "acls",
    ];
    let mut found = Vec::new();
    let mut next = vec![(String::new(), document)];
    while let Some((place, entity)) = next.pop() {
        for kind in KINDS {
            let within = entity[*kind].as_array().into_iter().flatten().enumerate();
            next.extend(within.map(|(index, inner)| (format!("{place}/{kind}/{index}"), inner)));
        }
        if !place.is_empty() {
            found.push((place, entity));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Those of a kind, wherever they are.
fn all<'a>(document: &'a Value, kind: &str) -> Vec<(String, &'a Value)> {
    let is_one = |(place, _): &(String, &Value)| place.rsplit('/').nth(1) == Some(kind);
    entities(document).into_iter().filter(is_one).collect()
}

#[test]
fn what_kong_is_given_is_what_it_takes() {
    let found = mistakes(&file("kong.yml"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_file_is_read_to_its_last_entity() {
    let document = read(&file("kong.yml"));
    for (kind, at_least) in [("services", 8), ("routes", 28), ("plugins", 70), ("targets", 3), ("consumers", 5)] {
        assert!(all(&document, kind).len() >= at_least, "{kind}: {}", all(&document, kind).len());
    }
}

#[test]
fn the_schema_lets_no_field_through_that_it_does_not_name() {
    let schema = schema();
    let open: Vec<String> = json_schema::objects(&schema)
        .into_iter()
        .filter(|(_, object)| object.get("additionalProperties").is_none())
        .map(|(place, _)| place)
        .collect();
    // The configuration of a plugin is looked at by the plugin's own schema.
    assert_eq!(open, ["/$defs/plugin/properties/config"]);
}

#[test]
fn each_mistake_is_refused_with_its_place() {
    let file = file("kong.yml");
    let mut missed = Vec::new();
    for (what, from, to, told) in MISTAKES {
        assert!(file.contains(from), "{what}: `{from}` is not in the file any more");
        let found = mistakes(&file.replace(from, to));
        if !found.iter().any(|mistake| mistake.contains(told)) {
            missed.push(format!("{what}: `{told}` is not told, but {found:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Kong fills it with its message and the request's id, and fails to with more.
#[test]
fn the_template_of_kongs_own_answers_is_a_problem() {
    let template = file("problem.json");
    assert_eq!(template.matches("%s").count(), 2, "{template}");
    let filled = template.replacen("%s", "no Route matched with those values", 1).replacen("%s", "4711", 1);
    let problem: Value = serde_json::from_str(&filled).expect("JSON");
    assert_eq!(problem["detail"], "no Route matched with those values");
    assert_eq!(problem["request_id"], "4711");
    assert_eq!(problem["type"], format!("urn:comptoir:problem:{}", problem["code"].as_str().expect("a code")));
}

/// Kong refuses to import a plugin that is not among those it was told to load, and ours alone would not notice.
#[test]
fn kong_loads_the_plugins_of_the_file_and_no_others() {
    let document = read(&file("kong.yml"));
    let used: BTreeSet<&str> =
        all(&document, "plugins").into_iter().map(|(_, plugin)| plugin["name"].as_str().expect("a name")).collect();
    let compose = file("../compose/compose.yaml");
    let loaded = compose.lines().find_map(|line| line.trim().strip_prefix("KONG_PLUGINS: ")).expect("a list");
    assert_eq!(used, loaded.split(',').collect());
}
