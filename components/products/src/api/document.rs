//! The OpenAPI 3.1 document: made from the code, checked in as `openapi.json`, compared by a test.

use sdk::problem::ProblemBody;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, PathItem, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{categories, import, prices, products, quotes, tax_categories};

/// What `GET /openapi.json` answers.
pub const CHECKED_IN: &str = include_str!("../../openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir products",
        description = "The catalogue: products, prices, categories, tax categories and quotes.\n\n\
            Money is integer cents of CAD, rates are percentages as text, times are RFC 3339 in UTC. \
            Lists are paged by `limit` and `after`; errors are RFC 9457 problems whose `code` is \
            stable. Reading and quoting are open; writing takes the role `manager` or `hq`.",
        contact(name = "Comptoir"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        products::list, products::create, products::read, products::replace, products::change,
        products::archive, import::import, prices::list, prices::create, prices::read,
        categories::list, categories::create, categories::read, tax_categories::list,
        tax_categories::create, tax_categories::read, tax_categories::change_rate, quotes::quote,
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "products", description = "What is sold"),
        (name = "prices", description = "What it costs, when and where"),
        (name = "categories", description = "Where it is found"),
        (name = "tax categories", description = "How it is taxed"),
        (name = "quotes", description = "What a basket costs"),
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

const COMMON: [Common; 12] = [
    Common {
        status: "400",
        name: "BadRequest",
        description: "A parameter, a header or the JSON is malformed; an unknown parameter as well",
        applies: |_| true,
    },
    Common { status: "401", name: "Unauthorized", description: "`authentication-required`", applies: secured },
    Common {
        status: "403",
        name: "Forbidden",
        description: "`forbidden`: the role manager or hq is needed",
        applies: secured,
    },
    Common {
        status: "404",
        name: "NotFound",
        description: "There is nothing at this path",
        applies: has_path_parameter,
    },
    Common {
        status: "412",
        name: "PreconditionFailed",
        description: "`precondition-failed`: it was changed in the meantime; `ETag` says what is current",
        applies: conditional,
    },
    Common { status: "413", name: "ContentTooLarge", description: "`content-too-large`", applies: has_body },
    Common { status: "415", name: "UnsupportedMediaType", description: "`unsupported-media-type`", applies: has_body },
    Common {
        status: "422",
        name: "UnprocessableContent",
        description: "Valid JSON with invalid content; `errors` says what, and where",
        applies: has_body,
    },
    Common { status: "428", name: "PreconditionRequired", description: "`if-match-required`", applies: conditional },
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
        description: "`database-unavailable`, `database-busy`; `Retry-After` says when to try again",
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
        let key = "The gateway's key of a member of staff, whose groups are the roles";
        let key = ApiKey::Header(ApiKeyValue::with_description("apikey", key));
        components.add_security_scheme("key", SecurityScheme::ApiKey(key));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for Common { status, name, applies, .. } in &COMMON {
                if applies(operation) {
                    let response = RefOr::Ref(Ref::from_response_name(*name));
                    let responses = &mut operation.responses.responses;
                    responses.entry((*status).to_owned()).or_insert(response);
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
    parameters(operation).any(|(place, _)| *place == ParameterIn::Path)
}

fn conditional(operation: &Operation) -> bool {
    parameters(operation).any(|(_, name)| name == "If-Match")
}

fn parameters(operation: &Operation) -> impl Iterator<Item = (&ParameterIn, &str)> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some((&parameter.parameter_in, parameter.name.as_str())),
        RefOr::Ref(_) => None,
    })
}
