//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::problem::ProblemBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, PathItem, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{carts, estimate, internal, items, merge};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir cart",
        description = "What customers mean to buy.\n\n\
            Money is integer cents of CAD, rates are percentages as text, times are RFC 3339 in UTC; \
            errors are RFC 9457 problems whose `code` is stable. Who knows the id of a cart may use \
            it; what is under `/internal` is for other services. The entity tag of a cart begins \
            with its version, and a change is meant for the version alone: any `ETag` that the \
            service gave for it will do as `If-Match`.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        carts::create, carts::read, items::add, items::change, items::set, items::remove,
        merge::merge, estimate::estimate, internal::snapshot, internal::consume, internal::audit,
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "carts", description = "Carts, and what they cost"),
        (name = "items", description = "What is in them"),
        (name = "internal", description = "For other services; the gateway does not route it"),
    ),
    modifiers(&Conventions),
)]
struct Api;

/// The document as the code has it.
pub fn document() -> Document {
    Api::openapi()
}

/// What holds for every operation of its kind, and so is written once: the problems it can end in.
struct Conventions;

/// A problem that operations have in common: its status, the name of the response, and when.
struct Common {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    applies: fn(&Operation) -> bool,
}

const COMMON: [Common; 13] = [
    Common {
        status: "400",
        name: "BadRequest",
        description: "A parameter, a header or the JSON is malformed; an unknown parameter as well",
        applies: |_| true,
    },
    Common { status: "401", name: "Unauthorized", description: "`authentication-required`", applies: secured },
    Common { status: "403", name: "Forbidden", description: "`forbidden`: for other services alone", applies: secured },
    Common {
        status: "404",
        name: "NotFound",
        description: "`cart-not-found`, `product-not-found`",
        applies: has_path_parameter,
    },
    Common { status: "410", name: "Gone", description: "`cart-expired`", applies: has_path_parameter },
    Common {
        status: "412",
        name: "PreconditionFailed",
        description: "`precondition-failed`: the cart was changed in the meantime; `ETag` says what is \
            current",
        applies: conditional,
    },
    Common { status: "413", name: "ContentTooLarge", description: "`content-too-large`", applies: has_body },
    Common { status: "415", name: "UnsupportedMediaType", description: "`unsupported-media-type`", applies: has_body },
    Common {
        status: "422",
        name: "UnprocessableContent",
        description: "Valid JSON with invalid content; `errors` says what, and where. Or \
            `idempotency-key-reused`",
        applies: has_body,
    },
    Common {
        status: "428",
        name: "PreconditionRequired",
        description: "`if-match-required`",
        applies: needs_condition,
    },
    Common {
        status: "429",
        name: "TooManyRequests",
        description: "Slow down; `Retry-After` says for how long",
        applies: |_| true,
    },
    Common { status: "500", name: "InternalServerError", description: "`internal`: a bug of ours", applies: |_| true },
    Common {
        status: "503",
        name: "ServiceUnavailable",
        description: "`database-unavailable`, `database-busy`, `dependency-unavailable`; `Retry-After` \
            says when to try again",
        applies: |_| true,
    },
];

const PROBLEM: &str = "application/problem+json";

impl Modify for Conventions {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        for common in &COMMON {
            components.responses.insert(common.name.to_owned(), problem(common.description).into());
        }
        let service = "Set by the host of the calling service; a client cannot forge it";
        let service = ApiKey::Header(ApiKeyValue::with_description("x-service-name", service));
        components.add_security_scheme("service", SecurityScheme::ApiKey(service));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for common in &COMMON {
                if (common.applies)(operation) {
                    let response = RefOr::Ref(Ref::from_response_name(common.name));
                    let responses = &mut operation.responses.responses;
                    responses.entry(common.status.to_owned()).or_insert(response);
                }
            }
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(PROBLEM, content).build()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = path;
    [get, put, post, delete, patch].into_iter().flatten()
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
    parameters(operation).any(|parameter| parameter.name == "If-Match")
}

fn needs_condition(operation: &Operation) -> bool {
    parameters(operation).any(|parameter| parameter.name == "If-Match" && parameter.required == Required::True)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}
