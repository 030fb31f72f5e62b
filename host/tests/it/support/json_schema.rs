//! JSON Schema (draft 2020-12), as far as the schemas of this repository go. A keyword that is not
//! known panics: a rule that nobody looks at would hold for ever.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords without a rule.
const SILENT: &[&str] = &["$schema", "$defs", "title", "description", "then"];

/// What of the document does not follow the schema, each with its place.
pub fn violations(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Checker { root: schema, patterns: RefCell::default() }.check(schema, document, "", &mut found);
    found
}

/// Every schema that has `properties` of its own, with its place. Conditions are no shapes.
pub fn objects(schema: &Value) -> Vec<(String, &Map<String, Value>)> {
    fn walk<'a>(place: &str, node: &'a Value, found: &mut Vec<(String, &'a Map<String, Value>)>) {
        let Value::Object(members) = node else { return };
        if members.get("type").is_some_and(|kind| kind == "object" || kind.as_array().is_some()) {
            found.push((place.to_owned(), members));
        }
        for (name, inner) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "if" | "then" | "not")) {
            walk(&format!("{place}/{name}"), inner, found);
        }
    }
    let mut found = Vec::new();
    walk("", schema, &mut found);
    found
}

struct Checker<'a> {
    root: &'a Value,
    patterns: RefCell<HashMap<String, Regex>>,
}

impl Checker<'_> {
    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(schema, value, "", &mut found);
        found.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        let rules = match schema {
            Value::Object(rules) => rules,
            Value::Bool(true) => return,
            _ => panic!("{schema} is no schema"),
        };
        for (keyword, rule) in rules.iter().filter(|(keyword, _)| !SILENT.contains(&keyword.as_str())) {
            match keyword.as_str() {
                "$ref" => self.check(self.definition(rule), value, place, found),
                "allOf" => list(rule).for_each(|inner| self.check(inner, value, place, found)),
                "anyOf" if list(rule).any(|inner| self.holds(inner, value)) => {}
                "anyOf" => found.push(format!("{place}: none of the ways in which it may be given: {rule}")),
                "oneOf" => {
                    let count = list(rule).filter(|inner| self.holds(inner, value)).count();
                    if count != 1 {
                        found.push(format!("{place}: {count} of the ways in which it may be given, not one: {rule}"));
                    }
                }
                "not" if self.holds(rule, value) => found.push(format!("{place}: {value} may not be: {rule}")),
                "not" => {}
                "if" if self.holds(rule, value) => {
                    if let Some(then) = rules.get("then") {
                        self.check(then, value, place, found);
                    }
                }
                "if" => {}
                _ => self.check_members(rules, (keyword, rule), value, place, found),
            }
        }
    }

    fn matches(&self, pattern: &str, given: &str) -> bool {
        let compile = || Regex::new(pattern).expect("a regular expression");
        self.patterns.borrow_mut().entry(pattern.to_owned()).or_insert_with(compile).is_match(given)
    }

    fn definition(&self, reference: &Value) -> &Value {
        let pointer = text(reference).strip_prefix('#').expect("a reference within the schema");
        self.root.pointer(pointer).unwrap_or_else(|| panic!("there is no {pointer}"))
    }

    /// Rules about what is within the value, of which `properties` and others know each other.
    fn check_members(
        &self,
        rules: &Map<String, Value>,
        (keyword, rule): (&String, &Value),
        value: &Value,
        place: &str,
        found: &mut Vec<String>,
    ) {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(members)) => {
                for (name, inner) in rule.as_object().expect("schemas by name") {
                    if let Some(member) = members.get(name) {
                        self.check(inner, member, &format!("{place}/{name}"), found);
                    }
                }
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = rules.get("properties").and_then(Value::as_object);
                let others = members.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                for (name, member) in others {
                    if rule == false {
                        let known: Vec<_> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                        found.push(format!("{place}: `{name}` is not among: {}", known.join(", ")));
                    } else {
                        self.check(rule, member, &format!("{place}/{name}"), found);
                    }
                }
            }
            ("propertyNames", Value::Object(members)) => {
                let names = members.keys().filter(|name| !self.holds(rule, &Value::from(name.as_str())));
                found.extend(names.map(|name| format!("{place}: `{name}` is no name here: {rule}")));
            }
            ("required", Value::Object(members)) => {
                let missing = list(rule).map(text).filter(|name| !members.contains_key(*name));
                found.extend(missing.map(|name| format!("{place}: `{name}` is missing")));
            }
            ("items", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.check(rule, item, &format!("{place}/{index}"), found);
                }
            }
            ("pattern", Value::String(given)) if !self.matches(text(rule), given) => {
                found.push(format!("{place}: {value} does not match {rule}"));
            }
            _ => {
                if let Some(mistake) = check_alone(keyword, rule, value) {
                    found.push(format!("{place}: {value} {mistake}"));
                }
            }
        }
    }
}

/// Rules about a value by itself.
fn check_alone(keyword: &str, rule: &Value, value: &Value) -> Option<String> {
    let (wrong, mistake) = match (keyword, value) {
        ("type", _) => {
            let kinds = if rule.is_array() { list(rule).map(text).collect() } else { vec![text(rule)] };
            (!kinds.iter().any(|kind| is(kind, value)), format!("is not of type {}", kinds.join(" or ")))
        }
        ("enum", _) => (!list(rule).any(|one| one == value), format!("is none of {rule}")),
        ("const", _) => (rule != value, format!("is not {rule}")),
        ("minLength", Value::String(given)) => (given.chars().count() < size(rule), format!("is shorter than {rule}")),
        ("minimum", Value::Number(_)) => (number(value) < number(rule), format!("is less than {rule}")),
        ("maximum", Value::Number(_)) => (number(value) > number(rule), format!("is more than {rule}")),
        ("exclusiveMinimum", Value::Number(_)) => (number(value) <= number(rule), format!("is not more than {rule}")),
        ("minItems", Value::Array(items)) => (items.len() < size(rule), format!("has fewer items than {rule}")),
        ("uniqueItems", Value::Array(items)) => {
            let twice = (1..items.len()).any(|index| items[..index].contains(&items[index]));
            (rule == true && twice, "has an item twice".to_owned())
        }
        (
            "pattern"
            | "minLength"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "minItems"
            | "uniqueItems"
            | "properties"
            | "additionalProperties"
            | "propertyNames"
            | "required"
            | "items",
            _,
        ) => (false, String::new()),
        _ => panic!("the keyword {keyword} is not known here"),
    };
    wrong.then_some(mistake)
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        _ => panic!("there is no type {kind}"),
    }
}

fn list(rule: &Value) -> impl Iterator<Item = &Value> {
    rule.as_array().expect("a list").iter()
}

fn text(rule: &Value) -> &str {
    rule.as_str().expect("text")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn size(rule: &Value) -> usize {
    rule.as_u64().and_then(|size| usize::try_from(size).ok()).expect("a size")
}
