//! `request-transformer`: removes, replaces and adds headers, in this order, and rewrites the path.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::platform::gateway::document::Section;

#[derive(Debug, Default)]
pub struct Transformer {
    remove: Vec<HeaderName>,
    replace: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
    uri: Option<UriTemplate>,
}

impl Transformer {
    pub fn read(config: &mut Section<'_>) -> Option<Self> {
        let mut transformer = Self::default();
        if let Some(mut section) = config.section("remove") {
            for name in section.optional::<Vec<String>>("headers").unwrap_or_default() {
                transformer.remove.extend(header_name(&section, &name));
            }
            section.finish();
        }
        if let Some(mut section) = config.section("replace") {
            transformer.replace = read_pairs(&mut section);
            if let Some(text) = section.optional::<String>("uri") {
                transformer.uri = UriTemplate::parse(&text);
                if transformer.uri.is_none() {
                    section.mistake(format!("`uri` is /, text and $(uri_captures[1]) here, not {text}"));
                }
            }
            section.finish();
        }
        if let Some(mut section) = config.section("add") {
            transformer.add = read_pairs(&mut section);
            section.finish();
        }
        Some(transformer)
    }

    /// How many groups the regular expression of the route has to have.
    pub fn groups(&self) -> usize {
        self.uri.as_ref().map_or(0, UriTemplate::groups)
    }

    pub fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.replace {
            if headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in &self.add {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }

    /// The path that the service sees, if it is rewritten. The query stays.
    pub fn path(&self, groups: &[String]) -> Option<String> {
        self.uri.as_ref().map(|template| template.fill(groups))
    }
}

/// Text with `$(uri_captures[n])` in it. Kong runs any Lua expression; this is the one that routing needs.
#[derive(Debug, PartialEq, Eq)]
struct UriTemplate(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// From 1.
    Group(usize),
}

impl UriTemplate {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$(") {
            let (expression, tail) = after.split_once(')')?;
            let number = expression.strip_prefix("uri_captures[")?.strip_suffix(']')?.parse().ok()?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Group(number));
            rest = tail;
        }
        parts.push(Part::Text(rest.to_owned()));
        let starts_well = text.starts_with('/') && !text.contains('?');
        (starts_well && !parts.contains(&Part::Group(0))).then_some(Self(parts))
    }

    fn groups(&self) -> usize {
        let number = |part: &Part| if let Part::Group(number) = part { *number } else { 0 };
        self.0.iter().map(number).max().unwrap_or(0)
    }

    fn fill(&self, groups: &[String]) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Group(number) => groups.get(number.wrapping_sub(1)).cloned().unwrap_or_default(),
        };
        self.0.iter().map(text).collect()
    }
}

fn read_pairs(section: &mut Section<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let entries: Vec<String> = section.optional("headers").unwrap_or_default();
    entries.iter().filter_map(|entry| read_pair(section, entry)).collect()
}

fn read_pair(section: &Section<'_>, entry: &str) -> Option<(HeaderName, HeaderValue)> {
    let Some((name, value)) = entry.split_once(':') else {
        section.mistake("a header is written as `Name:value`");
        return None;
    };
    let name = header_name(section, name)?;
    let Ok(mut value) = HeaderValue::try_from(value) else {
        section.mistake(format!("the value of {name} has characters that a header cannot carry"));
        return None;
    };
    value.set_sensitive(true); // it may be a secret: `Debug` hides it
    Some((name, value))
}

fn header_name(section: &Section<'_>, name: &str) -> Option<HeaderName> {
    let parsed = HeaderName::try_from(name).ok();
    if parsed.is_none() {
        section.mistake(format!("{name} cannot be the name of a header"));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_filled_from_the_groups() {
        let template = UriTemplate::parse("/$(uri_captures[2])/x/$(uri_captures[1])").unwrap();
        assert_eq!(template.groups(), 2);
        assert_eq!(template.fill(&["a".to_owned(), "b".to_owned()]), "/b/x/a");
        for bad in ["/$(os.exit())", "/$(uri_captures[0])", "x$(uri_captures[1])", "/$(uri_captures[1]", "/a?b"] {
            assert_eq!(UriTemplate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn removing_comes_before_adding() {
        let name = HeaderName::from_static("x-gateway-secret");
        let transformer = Transformer {
            remove: vec![name.clone()],
            add: vec![(name.clone(), HeaderValue::from_static("ours"))],
            ..Transformer::default()
        };
        let mut headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("theirs"))]);
        transformer.apply(&mut headers);
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), ["ours"]);
    }
}
