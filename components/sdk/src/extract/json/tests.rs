use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Cart {
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Line {
    product_id: i64,
    quantity: u32,
}

fn refused(text: &str) -> (u16, &'static str) {
    let problem = parse::<Cart>(text.as_bytes()).unwrap_err();
    (problem.status().as_u16(), problem.get_code())
}

/// Pointer, code and detail of what is wrong.
fn wrong(text: &str) -> (String, String, String) {
    assert_eq!(refused(text), (422, "validation-failed"), "{text}");
    let problem = parse::<Cart>(text.as_bytes()).unwrap_err();
    let error = problem.errors().first().unwrap().clone();
    (error.pointer.unwrap(), error.code.into_owned(), error.detail)
}

fn entry(pointer: &str, code: &str, detail: &str) -> (String, String, String) {
    (pointer.to_owned(), code.to_owned(), detail.to_owned())
}

#[test]
fn no_json_is_400() {
    for text in ["", "{", "{\"lines\":[}", "{\"lines\":[]} {}", "nul"] {
        assert_eq!(refused(text), (400, "json-malformed"), "{text:?}");
    }
}

#[test]
fn a_member_that_is_unknown_is_pointed_at() {
    assert_eq!(
        wrong(r#"{"lines":[{"product_id":1,"quantity":2,"price":3}]}"#),
        entry("/lines/0/price", "unknown-field", "unknown field `price`, expected `product_id` or `quantity`")
    );
    let (pointer, code, _) = wrong(r#"{"lines":[],"a/b~c":1}"#);
    assert_eq!((pointer.as_str(), code.as_str()), ("/a~1b~0c", "unknown-field"));
}

#[test]
fn a_member_that_is_missing_is_pointed_at() {
    assert_eq!(
        wrong(r#"{"lines":[{"product_id":1,"quantity":2},{"product_id":1}]}"#),
        entry("/lines/1/quantity", "missing-field", "is required")
    );
    assert_eq!(wrong("{}"), entry("/lines", "missing-field", "is required"));
}

#[test]
fn a_value_of_the_wrong_kind_is_pointed_at_in_json_terms() {
    assert_eq!(
        wrong(r#"{"lines":[{"product_id":1,"quantity":-1}]}"#),
        entry(
            "/lines/0/quantity",
            "invalid-value",
            "invalid value: integer `-1`, expected a whole number from 0 to 4294967295"
        )
    );
    assert_eq!(
        wrong(r#"{"lines":[{"product_id":1.5,"quantity":1}]}"#),
        entry("/lines/0/product_id", "invalid-type", "invalid type: floating point `1.5`, expected a whole number")
    );
    assert_eq!(wrong("[7]"), entry("/0", "invalid-type", "invalid type: integer `7`, expected a sequence"));
    assert_eq!(
        wrong(r#"{"lines":["x"]}"#),
        entry("/lines/0", "invalid-type", "invalid type: string \"x\", expected an object")
    );
}

#[test]
fn the_same_member_twice_is_no_choice_between_two() {
    let (pointer, code, _) = wrong(r#"{"lines":[],"note":"a","note":"b"}"#);
    assert_eq!((pointer.as_str(), code.as_str()), ("/note", "duplicate-field"));
}

#[test]
fn media_types_that_are_json() {
    for json in ["application/json", "application/problem+json"] {
        assert!(is_json(json), "{json}");
    }
    for other in ["text/plain", "application/x-www-form-urlencoded", "text/json+json"] {
        assert!(!is_json(other), "{other}");
    }
}
