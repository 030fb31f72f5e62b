//! The problems that any operation can end in, and who may ask: written once for every service.

use crate::problem::ProblemBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response};
use utoipa::{Modify, PartialSchema, ToSchema};

const MEDIA_TYPE: &str = "application/problem+json";

/// The request id in examples.
const REQUEST_ID: &str = "3438c79103b63968dfc92b13f8f67662";

/// A modifier for a service's document: `#[openapi(.., modifiers(&Conventions))]`.
///
/// It adds the problems that the extractors and [`crate::app`] answer with, to every operation that
/// can get them and does not describe that status itself; the schema `Problem`; and the security
/// schemes `key` (staff, at the gateway) and `service` (other services).
///
/// A service that has its own codes or words for a problem puts a response of the same name in the
/// document's components, `components(responses(NotFound))`. Its description begins with the codes:
/// the example is made from the first.
///
/// ```
/// /// `note-not-found`
/// #[derive(utoipa::ToResponse)]
/// struct NotFound;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

/// A problem that operations have in common.
struct Common {
    status: u16,
    /// In the document's components.
    name: &'static str,
    applies: fn(&Operation) -> bool,
    /// None: only services that have a response of this name answer so.
    description: Option<&'static str>,
}

const fn common(status: u16, name: &'static str, applies: fn(&Operation) -> bool, description: &'static str) -> Common {
    Common { status, name, applies, description: Some(description) }
}

const COMMON: [Common; 13] = [
    common(
        400,
        "BadRequest",
        any,
        "`invalid-query`, `json-malformed` and the like: a parameter, a header or the JSON is malformed; \
         an unknown parameter as well",
    ),
    common(401, "Unauthorized", secured, "`authentication-required`"),
    common(403, "Forbidden", secured, "`forbidden`"),
    common(404, "NotFound", has_path_parameter, "`not-found`: there is nothing at this path"),
    Common { status: 410, name: "Gone", applies: has_path_parameter, description: None },
    common(
        412,
        "PreconditionFailed",
        conditional,
        "`precondition-failed`: it was changed in the meantime; `ETag` says what is current",
    ),
    common(413, "ContentTooLarge", has_body, "`content-too-large`"),
    common(415, "UnsupportedMediaType", has_body, "`unsupported-media-type`"),
    common(
        422,
        "UnprocessableContent",
        has_body,
        "`validation-failed`: valid JSON with invalid content; `errors` says what, and where. \
         Or `idempotency-key-reused`",
    ),
    common(428, "PreconditionRequired", needs_condition, "`if-match-required`"),
    common(429, "TooManyRequests", any, "`too-many-requests`: slow down; `Retry-After` says for how long"),
    common(500, "InternalServerError", any, "`internal`: a bug of ours"),
    common(
        503,
        "ServiceUnavailable",
        any,
        "`database-unavailable`, `database-busy`, `dependency-unavailable`; `Retry-After` says when to try again",
    ),
];

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let instance = collection(document);
        let components = document.components.get_or_insert_default();
        for Common { status, name, description, .. } in &COMMON {
            if let Some(description) = description {
                let response = || Response::new(*description).into();
                components.responses.entry((*name).to_owned()).or_insert_with(response);
            }
            if let Some(RefOr::T(response)) = components.responses.get_mut(*name)
                && response.content.is_empty()
            {
                let content = problem(*status, &response.description, instance.clone());
                response.content.insert(MEDIA_TYPE.to_owned(), content.into());
            }
        }
        let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
        ProblemBody::schemas(&mut schemas);
        for (name, schema) in schemas {
            components.schemas.entry(name).or_insert(schema);
        }
        for (name, header, description) in [
            ("key", "apikey", "The gateway's key of a member of staff, whose groups are the roles"),
            ("service", "x-service-name", "Set by the host of the calling service; a client cannot forge it"),
        ] {
            let key = ApiKey::Header(ApiKeyValue::with_description(header, description));
            components.add_security_scheme(name, SecurityScheme::ApiKey(key));
        }
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for Common { status, name, applies, .. } in &COMMON {
                if applies(operation) && components.responses.contains_key(*name) {
                    let response = RefOr::Ref(Ref::from_response_name(*name));
                    operation.responses.responses.entry(status.to_string()).or_insert(response);
                }
            }
        }
    }
}

/// What examples are an answer to: the service's main collection, which has the shortest path.
fn collection(document: &OpenApi) -> Option<String> {
    let paths = document.paths.paths.keys().filter(|path| !path.contains('{'));
    paths.min_by_key(|path| path.len()).cloned()
}

fn problem(status: u16, description: &str, instance: Option<String>) -> Content {
    let example = first_code(description).and_then(|code| {
        let plain = ProblemBody::new(status, code.to_owned());
        let body = ProblemBody { instance, request_id: Some(REQUEST_ID.to_owned()), ..plain };
        serde_json::to_value(body).ok()
    });
    ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).example(example).build()
}

/// `forbidden` of "`forbidden`: for other services alone".
fn first_code(description: &str) -> Option<&str> {
    Some(description.strip_prefix('`')?.split_once('`')?.0)
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn any(_: &Operation) -> bool {
    true
}

fn secured(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|security| !security.is_empty())
}

fn has_body(operation: &Operation) -> bool {
    operation.request_body.is_some()
}

fn has_path_parameter(operation: &Operation) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == ParameterIn::Path)
}

fn conditional(operation: &Operation) -> bool {
    if_match(operation).is_some()
}

fn needs_condition(operation: &Operation) -> bool {
    if_match(operation).is_some_and(|parameter| parameter.required == Required::True)
}

fn if_match(operation: &Operation) -> Option<&Parameter> {
    parameters(operation).find(|parameter| parameter.name.eq_ignore_ascii_case("if-match"))
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

#[cfg(test)]
mod tests;
