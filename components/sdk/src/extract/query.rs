//! Parameters of the query.

use super::serde_error::{Finding, finding};
use crate::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// The parameters of the query, each at most once. `T` denies unknown fields, and so a parameter
/// that is misspelled is a 400 and not a filter that silently does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

/// The parameters of a route that takes none: any is unknown.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|err| {
        let Finding { code, detail, member } = finding(&err.inner().to_string());
        let named = err.path().iter().find_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        let name = member.or(named).unwrap_or_default();
        let code = match code {
            "unknown-field" => "unknown-parameter",
            "missing-field" => "missing-parameter",
            "duplicate-field" => "duplicate-parameter",
            code => code,
        };
        let detail = detail.replace("field", "parameter");
        Problem::bad_request("invalid-query").parameter(name, code, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        q: Option<String>,
        limit: Option<u32>,
    }

    fn refused(query: &str) -> (String, String, String) {
        let problem = parse::<Filter>(query).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.get_code()), (400, "invalid-query"));
        let error = problem.errors().first().unwrap().clone();
        (error.parameter.unwrap(), error.code.into_owned(), error.detail)
    }

    #[test]
    fn decodes_percent_and_plus() {
        let filter: Filter = parse("q=d%C3%A9j%C3%A0+vu&limit=5").unwrap();
        assert_eq!(filter, Filter { q: Some("déjà vu".to_owned()), limit: Some(5) });
    }

    #[test]
    fn names_the_parameter_that_is_wrong() {
        let (name, code, detail) = refused("limit=many");
        assert_eq!((name.as_str(), code.as_str()), ("limit", "invalid-value"));
        assert_eq!(detail, "invalid digit found in string");
    }

    #[test]
    fn refuses_what_is_unknown_and_names_what_is_known() {
        let (name, code, detail) = refused("limits=5");
        assert_eq!((name.as_str(), code.as_str()), ("limits", "unknown-parameter"));
        assert_eq!(detail, "unknown parameter `limits`, expected `q` or `limit`");
    }

    #[test]
    fn a_route_without_parameters_refuses_any() {
        assert!(parse::<NoQuery>("").is_ok());
        assert_eq!(parse::<NoQuery>("q=cafe").unwrap_err().get_code(), "invalid-query");
    }

    #[test]
    fn refuses_the_same_twice() {
        let (name, code, _) = refused("limit=5&limit=6");
        assert_eq!((name.as_str(), code.as_str()), ("limit", "duplicate-parameter"));
    }
}
