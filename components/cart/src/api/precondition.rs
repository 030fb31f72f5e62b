//! `If-Match` on a cart: which version of it a change is meant for.
//!
//! The tag of a representation is `"7-9f86d081884c7d65"`: the version of the cart, and what else the
//! client saw, its prices above all. A change is meant for the version alone: a price that changed
//! in between is no reason to refuse a quantity. So the tag of any representation of version 7, and
//! the `"7"` that a write answered with, say the same.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use sdk::{IfMatch, Problem};

use super::version_tag;
use crate::domain::Cart;

/// The versions that a change is meant for. Required: without it the extractor answers 428.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `*`: whatever there is.
    Any,
    /// Any of these; none, if the tags are not tags of ours.
    Versions(Vec<i64>),
}

/// How what a client expects compares with what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    Current,
    /// The client saw an earlier version: it may be repeating a change that was made.
    Earlier,
    /// No version that there ever was.
    Never,
}

impl Expected {
    pub fn compare(&self, version: i64) -> Match {
        match self {
            Expected::Any => Match::Current,
            Expected::Versions(versions) if versions.contains(&version) => Match::Current,
            Expected::Versions(versions) if versions.iter().any(|v| (1..version).contains(v)) => Match::Earlier,
            Expected::Versions(_) => Match::Never,
        }
    }

    /// 412, with the tag to read again by.
    pub fn failed(cart: &Cart) -> Problem {
        let current = version_tag(cart.version);
        Problem::precondition_failed("precondition-failed")
            .detail("the cart was changed in the meantime: read it again, and decide anew")
            .header(axum::http::header::ETAG, current.to_header())
    }
}

impl<S: Sync> FromRequestParts<S> for Expected {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Expected, Problem> {
        // 428 and 400 are the SDK's.
        if <IfMatch as FromRequestParts<S>>::from_request_parts(parts, state).await?.is_any() {
            return Ok(Expected::Any);
        }
        let versions = parts
            .headers
            .get_all(IF_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(version)
            .collect();
        Ok(Expected::Versions(versions))
    }
}

/// Where it is not required it counts all the same: who sends it means it.
impl<S: Sync> OptionalFromRequestParts<S> for Expected {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Expected>, Problem> {
        if !parts.headers.contains_key(IF_MATCH) {
            return Ok(None);
        }
        <Expected as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

/// The version in a strong tag of ours; a weak tag never matches (RFC 9110, 13.1.1).
fn version(tag: &str) -> Option<i64> {
    let opaque = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let (version, _) = opaque.split_once('-').unwrap_or((opaque, ""));
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_what_counts_in_a_tag() {
        assert_eq!(version("\"7\""), Some(7));
        assert_eq!(version(" \"7-9f86d081884c7d65\""), Some(7));
        for other in ["W/\"7\"", "7", "\"x\"", "\"\"", "\""] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn an_earlier_version_is_told_from_one_that_never_was() {
        let expected = |versions: &[i64]| Expected::Versions(versions.to_vec());
        assert_eq!(expected(&[6, 7]).compare(7), Match::Current);
        assert_eq!(expected(&[6]).compare(7), Match::Earlier);
        assert_eq!(expected(&[8]).compare(7), Match::Never);
        assert_eq!(expected(&[0]).compare(7), Match::Never);
        assert_eq!(expected(&[]).compare(7), Match::Never);
        assert_eq!(Expected::Any.compare(7), Match::Current);
    }
}
