//! A strict reader of a YAML document: collects every mistake with its place, and takes a field that
//! nobody asked for as one. Knows YAML and placeholders; what the fields mean is not here.

use std::cell::RefCell;
use std::fmt;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

use crate::platform::secrets::Placeholders;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// `services[0] (products).routes[2] (products-write)`; empty for the whole document.
    pub place: String,
    pub text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.place.is_empty() { "" } else { ": " };
        write!(f, "line {}: {}{separator}{}", self.line, self.place, self.text)
    }
}

/// Every mistake of a document, one a line.
#[derive(Debug, Default)]
pub struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    pub fn add(&self, line: usize, place: &str, text: impl Into<String>) {
        self.0.borrow_mut().push(Mistake { line, place: place.to_owned(), text: text.into() });
    }

    pub fn into_inner(self) -> Vec<Mistake> {
        let mut mistakes = self.0.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes
    }
}

/// A value of the document, placeholders replaced.
#[derive(Debug)]
pub struct Node {
    line: usize,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// The root of the document. `None` when it is no YAML or no mapping, which is then among the mistakes.
pub fn parse(text: &str, placeholders: &Placeholders, mistakes: &Mistakes) -> Option<Node> {
    let documents = match MarkedYaml::load_from_str(text) {
        Ok(documents) => documents,
        Err(error) => {
            mistakes.add(error.marker().line(), "", format!("this is no YAML: {error}"));
            return None;
        }
    };
    let [document] = documents.as_slice() else {
        mistakes.add(1, "", format!("one YAML document is expected, not {}", documents.len()));
        return None;
    };
    Some(convert(document, placeholders, mistakes))
}

fn convert(node: &MarkedYaml<'_>, placeholders: &Placeholders, mistakes: &Mistakes) -> Node {
    let line = node.span.start.line();
    let value = match &node.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::Integer(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => Value::Float(value.0),
        YamlData::Value(Scalar::String(text)) => Value::Text(render(text, placeholders, line, mistakes)),
        YamlData::Sequence(items) => {
            Value::List(items.iter().map(|item| convert(item, placeholders, mistakes)).collect())
        }
        YamlData::Mapping(entries) => {
            let entry = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| {
                let Some(name) = key.data.as_str() else {
                    mistakes.add(key.span.start.line(), "", "the name of a field has to be text");
                    return None;
                };
                Some((name.to_owned(), convert(value, placeholders, mistakes)))
            };
            Value::Map(entries.iter().filter_map(entry).collect())
        }
        YamlData::Tagged(..) | YamlData::Alias(_) | YamlData::Representation(..) | YamlData::BadValue => {
            mistakes.add(line, "", "YAML tags and aliases are not read here; write the value out");
            Value::Null
        }
    };
    Node { line, value }
}

/// Replaces every `${NAME}`. In the values only, so that no secret can change the structure of the document.
fn render(text: &str, placeholders: &Placeholders, line: usize, mistakes: &Mistakes) -> String {
    let mut rendered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        rendered.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            mistakes.add(line, "", "a placeholder `${` has no end `}`");
            return rendered;
        };
        match placeholders.get(name) {
            Some(secret) => rendered.push_str(secret.reveal()),
            None => {
                let known: Vec<&str> = placeholders.names().collect();
                let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
                mistakes.add(line, "", format!("there is no value for ${{{name}}}; there is: {known}"));
            }
        }
        rest = tail;
    }
    rendered.push_str(rest);
    rendered
}

/// A type that a scalar or a list can be read as.
pub trait FromNode: Sized {
    const EXPECTED: &'static str;

    fn from_node(node: &Node) -> Option<Self>;
}

impl FromNode for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_node(node: &Node) -> Option<Self> {
        if let Value::Bool(value) = node.value { Some(value) } else { None }
    }
}

impl FromNode for String {
    const EXPECTED: &'static str = "text";

    fn from_node(node: &Node) -> Option<Self> {
        if let Value::Text(text) = &node.value { Some(text.clone()) } else { None }
    }
}

impl FromNode for f64 {
    const EXPECTED: &'static str = "a number, 0 or more";

    fn from_node(node: &Node) -> Option<Self> {
        match node.value {
            Value::Float(value) if value >= 0.0 && value.is_finite() => Some(value),
            Value::Integer(value) => u32::try_from(value).ok().map(Self::from),
            _ => None,
        }
    }
}

macro_rules! integer_from_node {
    ($($type:ty => $expected:literal),+) => {$(
        impl FromNode for $type {
            const EXPECTED: &'static str = $expected;

            fn from_node(node: &Node) -> Option<Self> {
                if let Value::Integer(value) = node.value { value.try_into().ok() } else { None }
            }
        }
    )+};
}

integer_from_node!(u16 => "a whole number, 0 to 65535", u32 => "a whole number, 0 or more", u64 => "a whole number, 0 or more");

impl<T: FromNode> FromNode for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn from_node(node: &Node) -> Option<Self> {
        if let Value::List(items) = &node.value { items.iter().map(T::from_node).collect() } else { None }
    }
}

/// A mapping that is being read. [`Section::finish`] reports the fields that nobody asked for.
#[derive(Debug)]
pub struct Section<'a> {
    place: String,
    line: usize,
    fields: &'a [(String, Node)],
    asked: Vec<&'static str>,
    mistakes: &'a Mistakes,
}

impl<'a> Section<'a> {
    pub fn open(node: &'a Node, place: String, mistakes: &'a Mistakes) -> Option<Self> {
        let Value::Map(fields) = &node.value else {
            mistakes.add(node.line, &place, format!("a mapping is expected, not {}", node.value.kind()));
            return None;
        };
        Some(Self { place, line: node.line, fields, asked: Vec::new(), mistakes })
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    pub fn mistake(&self, text: impl Into<String>) {
        self.mistakes.add(self.line, &self.place, text);
    }

    pub fn optional<T: FromNode>(&mut self, name: &'static str) -> Option<T> {
        let node = self.node(name)?;
        let value = T::from_node(node);
        if value.is_none() {
            let text = format!("`{name}` has to be {}, not {}", T::EXPECTED, node.value.kind());
            self.mistakes.add(node.line, &self.place, text);
        }
        value
    }

    /// A field that Kong would fill with a default that surprises: here it has to be written out.
    pub fn required<T: FromNode>(&mut self, name: &'static str) -> Option<T> {
        if self.node(name).is_none() {
            self.mistake(format!("`{name}` is missing"));
        }
        self.optional(name)
    }

    /// A field of which one value only is implemented. Leaving it out is the same, so it is for Kong's defaults.
    pub fn only<T: FromNode + PartialEq + fmt::Debug>(&mut self, name: &'static str, value: T) {
        if let Some(given) = self.optional::<T>(name)
            && given != value
        {
            self.mistake(format!("`{name}` can only be {value:?} here, not {given:?}"));
        }
    }

    /// The same where Kong's default is another value.
    pub fn exactly<T: FromNode + PartialEq + fmt::Debug>(&mut self, name: &'static str, value: T) {
        if self.node(name).is_none() {
            self.mistake(format!("`{name}` is missing, and Kong's default is not {value:?}"));
        }
        self.only(name, value);
    }

    pub fn section(&mut self, name: &'static str) -> Option<Section<'a>> {
        let node = self.node(name)?;
        let place = if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Section::open(node, place, self.mistakes)
    }

    /// A list of mappings, each of which `label` names in the places of mistakes.
    pub fn sections(&mut self, name: &'static str, label: &'static str) -> Vec<Section<'a>> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.mistakes.add(node.line, &self.place, format!("`{name}` has to be a list, not {}", node.value.kind()));
            return Vec::new();
        };
        let dot = if self.place.is_empty() { "" } else { "." };
        let open = |(index, item): (usize, &'a Node)| {
            let place = format!("{}{dot}{name}[{index}]{}", self.place, item.label(label));
            Section::open(item, place, self.mistakes)
        };
        items.iter().enumerate().filter_map(open).collect()
    }

    /// Fields that Kong knows and that mean nothing here; each with the reason.
    pub fn ignore(&mut self, fields: &[(&'static str, &'static str)]) {
        self.asked.extend(fields.iter().map(|(name, _)| *name));
    }

    pub fn finish(self) {
        for (name, node) in self.fields {
            if !self.asked.contains(&name.as_str()) {
                let text = format!("`{name}` is not a field that is read here; there are: {}", self.asked.join(", "));
                self.mistakes.add(node.line, &self.place, text);
            }
        }
    }

    /// A field that is there but empty counts as not there.
    fn node(&mut self, name: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        let (_, node) = self.fields.iter().find(|(field, _)| field == name)?;
        if matches!(node.value, Value::Null) { None } else { Some(node) }
    }
}

impl Node {
    fn label(&self, field: &str) -> String {
        let Value::Map(fields) = &self.value else { return String::new() };
        match fields.iter().find(|(name, _)| name == field) {
            Some((_, Node { value: Value::Text(text), .. })) => format!(" ({text})"),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Secret;

    fn mistakes(text: &str, read: impl FnOnce(&mut Section<'_>)) -> Vec<String> {
        let mistakes = Mistakes::default();
        let placeholders = Placeholders::new().with("KEY", Secret::new("a: b"));
        if let Some(root) = parse(text, &placeholders, &mistakes)
            && let Some(mut section) = Section::open(&root, String::new(), &mistakes)
        {
            read(&mut section);
            section.finish();
        }
        mistakes.into_inner().iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn unknown_fields_wrong_types_and_missing_fields_are_named_with_their_place() {
        let text = "services:\n  - name: products\n    port: many\n    speed: 9\n  - {}\n";
        let found = mistakes(text, |root| {
            for mut service in root.sections("services", "name") {
                service.required::<String>("name");
                service.optional::<u16>("port");
                service.finish();
            }
        });
        let expected = [
            "line 3: services[0] (products): `port` has to be a whole number, 0 to 65535, not text",
            "line 4: services[0] (products): `speed` is not a field that is read here; there are: name, port",
            "line 5: services[1]: `name` is missing",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn placeholders_are_replaced_in_values_and_cannot_add_fields() {
        let found = mistakes("key: x${KEY}y\n", |root| {
            assert_eq!(root.required::<String>("key").unwrap(), "xa: by");
        });
        assert!(found.is_empty(), "{found:?}");
        let found = mistakes("key: ${NOBODY}\nother: ${KEY\n", |root| {
            root.optional::<String>("key");
            root.optional::<String>("other");
        });
        assert_eq!(found[0], "line 1: there is no value for ${NOBODY}; there is: KEY");
        assert_eq!(found[1], "line 2: a placeholder `${` has no end `}`");
    }

    #[test]
    fn what_is_no_yaml_or_twice_there_is_refused() {
        assert!(mistakes("a: [", |_| ()).concat().contains("this is no YAML"));
        assert!(
            mistakes("a: 1\na: 2\n", |_| ()).concat().contains("duplicate"),
            "{:?}",
            mistakes("a: 1\na: 2\n", |_| ())
        );
        assert!(mistakes("- 1\n", |_| ()).concat().contains("a mapping is expected, not a list"));
    }

    #[test]
    fn a_value_that_is_not_implemented_is_refused() {
        let found = mistakes("protocol: grpc\n", |root| root.only("protocol", "http".to_owned()));
        assert_eq!(found, ["line 1: `protocol` can only be \"http\" here, not \"grpc\""]);
    }
}
