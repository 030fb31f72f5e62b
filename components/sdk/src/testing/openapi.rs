//! The OpenAPI document that is checked in, against the code that it describes.

use super::TestApp;
use crate::Definition;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::fs;

/// That the document in the package's `openapi.json` is what the code generates, and what the service
/// serves. With `UPDATE_OPENAPI=1` in the environment it is written instead. And that it has so many
/// operations, each with an id that no other has (clients are generated from them), that every reference
/// leads somewhere, and that no number is fractional.
///
/// # Panics
/// When it is not, with the first place where they differ; or with what is wrong.
pub async fn assert_openapi(service: &Definition, generated: &impl Serialize, operations: usize) {
    let generated = serde_json::to_value(generated).expect("an OpenAPI document");
    assert_eq!(generated.get("openapi").and_then(Value::as_str), Some("3.1.0"));
    assert_eq!(distinct_operations(&generated), operations, "operations");
    assert_sound(&generated, &generated);
    if env::var_os("UPDATE_OPENAPI").is_some_and(|value| value == "1") {
        let mut text = serde_json::to_string_pretty(&generated).expect("an OpenAPI document");
        text.push('\n');
        fs::write(PATH, text).unwrap_or_else(|err| panic!("{PATH}: {err}"));
        return;
    }
    assert_checked_in(PATH, &generated);
    let app = TestApp::of(service).without_database();
    let served = app.get("/openapi.json").send().await.expect_status(200);
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.json::<Value>(), generated, "what is served");
}

fn assert_checked_in(path: &str, generated: &Value) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let checked_in: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(place) = difference(&checked_in, generated, String::new()) {
        panic!(
            "{path} is not what the code says, first at {place:?}; to accept what the code says: \
             UPDATE_OPENAPI=1 cargo test"
        );
    }
}

/// From the package's directory.
const PATH: &str = "openapi.json";

fn distinct_operations(document: &Value) -> usize {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, operations)| operations.as_object().into_iter().flatten());
    let mut seen = BTreeSet::new();
    for (method, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} without an id: {operation:#}"));
        assert!(seen.insert(id), "two operations have the id {id}");
    }
    seen.len()
}

fn assert_sound(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Some(reference), "$ref") = (member.as_str(), name.as_str()) {
                    let found = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                    assert!(found.is_some(), "{reference} leads nowhere");
                }
                assert_sound(member, document);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_sound(item, document)),
        Value::Number(number) => assert!(!number.is_f64(), "{number} is fractional"),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The JSON pointer of the first difference.
fn difference(left: &Value, right: &Value, at: String) -> Option<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let both = left.keys().chain(right.keys());
            both.into_iter().find_map(|key| {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => difference(left, right, at),
                    _ => Some(at),
                }
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(index, (left, right))| difference(left, right, format!("{at}/{index}"))),
        _ => (left != right).then_some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named() {
        let left = json!({"paths": {"/a": [1, {"x": 2}]}});
        assert_eq!(difference(&left, &left, String::new()), None);
        let right = json!({"paths": {"/a": [1, {"x": 3}]}});
        let place = difference(&left, &right, String::new());
        assert_eq!(place.as_deref(), Some("/paths/~1a/1/x"));
        let place = difference(&left, &json!({"paths": {}}), String::new());
        assert_eq!(place.as_deref(), Some("/paths/~1a"));
    }

    #[test]
    #[should_panic(expected = "UPDATE_OPENAPI=1")]
    fn a_document_that_is_missing_fails() {
        assert_checked_in("does-not-exist.json", &json!({"openapi": "3.1.0"}));
    }

    #[test]
    #[should_panic(expected = "two operations have the id list")]
    fn an_id_that_two_operations_have_is_found() {
        distinct_operations(&json!({"paths": {
            "/a": {"get": {"operationId": "list"}},
            "/b": {"get": {"operationId": "list"}},
        }}));
    }

    #[test]
    #[should_panic(expected = "#/components/schemas/Nothing leads nowhere")]
    fn a_reference_that_leads_nowhere_is_found() {
        let document = json!({"paths": [{"$ref": "#/paths"}, {"$ref": "#/components/schemas/Nothing"}]});
        assert_sound(&document, &document);
    }

    #[test]
    #[should_panic(expected = "0.5 is fractional")]
    fn a_fraction_is_found() {
        let document = json!({"price": {"example": 0.5}});
        assert_sound(&document, &document);
    }
}
