//! The OpenAPI document that is checked in, against the code that it describes.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;

/// That the document at `path` (from the package's directory) is what the code generates. With
/// `UPDATE_OPENAPI=1` in the environment it is written instead. And that every operation has an id,
/// which no other has: clients are generated from them.
///
/// # Panics
/// When it is not, with the first place where they differ; or with the ids.
pub fn assert_openapi(path: impl AsRef<Path>, generated: &impl Serialize) {
    let path = path.as_ref();
    let generated = serde_json::to_value(generated).expect("an OpenAPI document");
    assert_operation_ids(&generated);
    if env::var_os("UPDATE_OPENAPI").is_some_and(|value| value == "1") {
        let mut text = serde_json::to_string_pretty(&generated).expect("an OpenAPI document");
        text.push('\n');
        fs::write(path, text).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        return;
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let checked_in: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(place) = difference(&checked_in, &generated, String::new()) {
        panic!(
            "{} is not what the code says, first at {place:?}; to accept what the code says: \
             UPDATE_OPENAPI=1 cargo test",
            path.display()
        );
    }
}

fn assert_operation_ids(document: &Value) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, operations)| operations.as_object().into_iter().flatten());
    let mut seen = BTreeSet::new();
    for (method, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} without an id: {operation:#}"));
        assert!(seen.insert(id), "two operations have the id {id}");
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
        assert_openapi("does-not-exist.json", &json!({"openapi": "3.1.0"}));
    }
}
