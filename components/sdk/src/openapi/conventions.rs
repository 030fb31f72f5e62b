//! The problems that any operation can end in, and who may ask: written once for every service.

use crate::problem::ProblemBody;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, PartialSchema, ToSchema};

const MEDIA_TYPE: &str = "application/problem+json";

/// A modifier for a service's document: `#[openapi(.., modifiers(&sdk::openapi::Conventions))]`.
///
/// It adds the problems that the extractors and [`crate::app`] answer with, to every operation that
/// can get them and does not describe that status itself; the schema `Problem`; and the security
/// schemes `key` (staff, at the gateway) and `service` (other services). A response of the same name
/// in the document's components is kept, so that a service can put one in its own words.
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

/// A problem that operations have in common.
struct Common {
    status: &'static str,
    /// In the document's components.
    name: &'static str,
    description: &'static str,
    applies: fn(&Operation) -> bool,
}

const fn common(
    status: &'static str,
    name: &'static str,
    applies: fn(&Operation) -> bool,
    description: &'static str,
) -> Common {
    Common { status, name, description, applies }
}

const COMMON: [Common; 12] = [
    common("400", "BadRequest", any, "A parameter, a header or the JSON is malformed; an unknown parameter as well"),
    common("401", "Unauthorized", secured, "`authentication-required`"),
    common("403", "Forbidden", secured, "`forbidden`"),
    common("404", "NotFound", has_path_parameter, "There is nothing at this path"),
    common(
        "412",
        "PreconditionFailed",
        conditional,
        "`precondition-failed`: it was changed in the meantime; `ETag` says what is current",
    ),
    common("413", "ContentTooLarge", has_body, "`content-too-large`"),
    common("415", "UnsupportedMediaType", has_body, "`unsupported-media-type`"),
    common(
        "422",
        "UnprocessableContent",
        has_body,
        "Valid JSON with invalid content; `errors` says what, and where. Or `idempotency-key-reused`",
    ),
    common("428", "PreconditionRequired", conditional, "`if-match-required`"),
    common("429", "TooManyRequests", any, "Slow down; `Retry-After` says for how long"),
    common("500", "InternalServerError", any, "`internal`: a bug of ours"),
    common(
        "503",
        "ServiceUnavailable",
        any,
        "`database-unavailable`, `database-busy`, `dependency-unavailable`; `Retry-After` says when to try again",
    ),
];

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for Common { name, description, .. } in &COMMON {
            components.responses.entry((*name).to_owned()).or_insert_with(|| problem(description).into());
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
                if applies(operation) {
                    let response = RefOr::Ref(Ref::from_response_name(*name));
                    operation.responses.responses.entry((*status).to_owned()).or_insert(response);
                }
            }
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build()
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
    parameters(operation).any(|(place, _)| *place == ParameterIn::Path)
}

fn conditional(operation: &Operation) -> bool {
    parameters(operation).any(|(_, name)| name.eq_ignore_ascii_case("if-match"))
}

fn parameters(operation: &Operation) -> impl Iterator<Item = (&ParameterIn, &str)> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some((&parameter.parameter_in, parameter.name.as_str())),
        RefOr::Ref(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_operation_has_the_problems_that_it_can_get() {
        let mut document: OpenApi = serde_json::from_value(json!({
            "openapi": "3.1.0",
            "info": {"title": "notes", "version": "1"},
            "components": {"responses": {"NotFound": {"description": "`note-not-found`"}}},
            "paths": {
                "/notes": {"get": {"responses": {"200": {"description": "ok"}}}},
                "/notes/{id}": {"put": {
                    "parameters": [
                        {"name": "id", "in": "path", "required": true},
                        {"name": "If-Match", "in": "header", "required": true},
                    ],
                    "requestBody": {"content": {}},
                    "security": [{"key": []}],
                    "responses": {"422": {"description": "our own words"}},
                }},
            },
        }))
        .unwrap();
        Conventions.modify(&mut document);
        let document = serde_json::to_value(&document).unwrap();

        let statuses = |pointer: &str| -> Vec<String> {
            document.pointer(pointer).and_then(Value::as_object).unwrap().keys().cloned().collect()
        };
        assert_eq!(statuses("/paths/~1notes/get/responses"), ["200", "400", "429", "500", "503"]);
        let put = "/paths/~1notes~1{id}/put/responses";
        let all = ["400", "401", "403", "404", "412", "413", "415", "422", "428", "429", "500", "503"];
        assert_eq!(statuses(put), all);
        let responses = document.pointer(put).unwrap();
        assert_eq!(responses["422"]["description"], "our own words");
        assert_eq!(responses["404"]["$ref"], "#/components/responses/NotFound");
        assert_eq!(document["components"]["responses"]["NotFound"]["description"], "`note-not-found`");
        for (kind, name) in [("schemas", "Problem"), ("schemas", "FieldError"), ("securitySchemes", "service")] {
            assert!(document["components"][kind].get(name).is_some(), "{name}");
        }
    }
}
