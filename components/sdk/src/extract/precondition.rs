//! Conditional requests (RFC 9110, 13): `If-Match` against lost updates, `If-None-Match` for caches.

use crate::{ETag, Problem};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use std::convert::Infallible;

/// The version that a change is meant for. Required: without it the extractor answers 428.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Tags);

/// The versions that a client has already; none if it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch(Option<Tags>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever there is.
    Any,
    /// As they are written, with the quotes and `W/`.
    Listed(Vec<String>),
}

impl IfMatch {
    /// That the change is meant for `current`. A weak tag never matches (RFC 9110, 13.1.1).
    ///
    /// # Errors
    /// 412 `precondition-failed`, with the current tag.
    pub fn check(&self, current: &ETag) -> Result<(), Problem> {
        match &self.0 {
            Tags::Any => Ok(()),
            Tags::Listed(tags) if tags.iter().any(|tag| tag == current.as_str()) => Ok(()),
            Tags::Listed(_) => Err(Problem::precondition_failed("precondition-failed")
                .detail("it was changed in the meantime: read it again, and decide anew")
                .header(header::ETAG, current.to_header())),
        }
    }

    /// Whether it was `*`, which matches any version.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == Tags::Any
    }
}

impl IfNoneMatch {
    /// Whether the client has `current` already: answer with [`crate::NotModified`]. Compared weakly
    /// (RFC 9110, 13.1.2).
    #[must_use]
    pub fn matches(&self, current: &ETag) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => {
                tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == current.as_str())
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let given = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        given.ok_or_else(|| {
            Problem::precondition_required("if-match-required")
                .detail("send If-Match with the ETag of the version that you read")
        })
    }
}

/// `Option<IfMatch>`: for changes that may be meant for whatever is there.
impl<S: Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(None);
        }
        let tags = tags(&parts.headers, header::IF_MATCH).ok_or_else(|| {
            Problem::bad_request("if-match-invalid")
                .detail("If-Match must be * or a list of entity tags, such as \"7\"")
        })?;
        Ok(Some(IfMatch(tags)))
    }
}

/// What cannot be read is as good as nothing: the client gets the whole answer.
impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(IfNoneMatch(tags(&parts.headers, header::IF_NONE_MATCH)))
    }
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Tags> {
    let mut listed = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().ok()?.trim();
        if text == "*" {
            return Some(Tags::Any);
        }
        parse_list(text, &mut listed)?;
    }
    (!listed.is_empty()).then_some(Tags::Listed(listed))
}

/// `"a", W/"b"`. A tag may have commas in it, so this is no split.
fn parse_list(text: &str, listed: &mut Vec<String>) -> Option<()> {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (weak, opaque) = match rest.strip_prefix("W/") {
            Some(opaque) => ("W/", opaque),
            None => ("", rest),
        };
        let (tag, after) = opaque.strip_prefix('"')?.split_once('"')?;
        listed.push(format!("{weak}\"{tag}\""));
        rest = after.trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start();
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn parse(text: &'static str) -> Option<Tags> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(text));
        tags(&headers, header::IF_MATCH)
    }

    #[test]
    fn a_list_may_hold_commas_and_weak_tags() {
        let listed = |tags: &[&str]| Some(Tags::Listed(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        assert_eq!(parse("\"7\""), listed(&["\"7\""]));
        assert_eq!(parse("\"a,b\" , W/\"c\","), listed(&["\"a,b\"", "W/\"c\""]));
        assert_eq!(parse("*"), Some(Tags::Any));
        for wrong in ["7", "\"7", "\"7\" \"8\"", "", ","] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_if_none_match_compares_weakly() {
        let seven = ETag::strong(7);
        let weak = parse("W/\"7\"").unwrap();
        assert!(IfMatch(weak.clone()).check(&seven).is_err());
        assert!(IfNoneMatch(Some(weak)).matches(&seven));
        let strong = parse("\"6\", \"7\"").unwrap();
        assert!(IfMatch(strong.clone()).check(&seven).is_ok());
        assert!(IfNoneMatch(Some(strong)).matches(&seven));
        assert!(IfMatch(Tags::Any).check(&seven).is_ok());
        assert!(!IfNoneMatch(None).matches(&seven));
    }
}
