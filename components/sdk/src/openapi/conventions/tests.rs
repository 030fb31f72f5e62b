use super::*;
use serde_json::{Value, json};

fn with_conventions(components: Value) -> Value {
    let mut document: OpenApi = serde_json::from_value(json!({
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "components": components,
        "paths": {
            "/drafts/{id}": {"patch": {
                "parameters": [{"name": "If-Match", "in": "header", "required": false}],
                "responses": {"200": {"description": "ok"}},
            }},
            "/notes": {"get": {"responses": {"200": {"description": "ok"}}}},
            "/notes/import": {"get": {"responses": {"200": {"description": "ok"}}}},
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
    serde_json::to_value(&document).unwrap()
}

fn statuses<'a>(document: &'a Value, path: &str, method: &str) -> Vec<&'a str> {
    document["paths"][path][method]["responses"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn each_operation_has_the_problems_that_it_can_get() {
    let document = with_conventions(json!({}));
    assert_eq!(statuses(&document, "/notes", "get"), ["200", "400", "429", "500", "503"]);
    let all = ["400", "401", "403", "404", "412", "413", "415", "422", "428", "429", "500", "503"];
    assert_eq!(statuses(&document, "/notes/{id}", "put"), all);
    let responses = &document["paths"]["/notes/{id}"]["put"]["responses"];
    assert_eq!(responses["422"]["description"], "our own words");
    assert_eq!(responses["404"]["$ref"], "#/components/responses/NotFound");
    for (kind, name) in [("schemas", "Problem"), ("schemas", "FieldError"), ("securitySchemes", "service")] {
        assert!(document["components"][kind].get(name).is_some(), "{name}");
    }
}

#[test]
fn a_condition_that_is_optional_can_fail_and_is_not_missed() {
    let document = with_conventions(json!({}));
    assert_eq!(statuses(&document, "/drafts/{id}", "patch"), ["200", "400", "412", "429", "500", "503"]);
}

#[test]
fn each_problem_has_the_example_of_its_first_code() {
    let document = with_conventions(json!({}));
    let responses = &document["components"]["responses"];
    for Common { status, name, description, .. } in &COMMON {
        let example = &responses[name]["content"][MEDIA_TYPE]["example"];
        assert_eq!(example.is_object(), description.is_some(), "{name}");
        assert!(example.is_null() || example["status"] == *status, "{name}");
    }
    assert_eq!(
        responses["UnprocessableContent"]["content"][MEDIA_TYPE],
        json!({
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": {
                "type": "urn:comptoir:problem:validation-failed",
                "title": "Validation failed",
                "status": 422,
                "code": "validation-failed",
                "instance": "/notes",
                "request_id": REQUEST_ID,
            },
        })
    );
}

#[test]
fn a_service_has_its_own_codes_and_words() {
    let whole = json!({"description": "`busy`", "content": {"text/plain": {}}});
    let document = with_conventions(json!({"responses": {
        "Gone": {"description": "`note-expired`"},
        "NotFound": {"description": "`note-not-found`, `draft-not-found`"},
        "ServiceUnavailable": whole,
        "TooManyRequests": {"description": "no code"},
    }}));
    let responses = &document["components"]["responses"];
    let not_found = &responses["NotFound"];
    assert_eq!(not_found["description"], "`note-not-found`, `draft-not-found`");
    assert_eq!(not_found["content"][MEDIA_TYPE]["example"]["title"], "Note not found");
    assert_eq!(responses["ServiceUnavailable"], whole);
    let no_code = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    assert_eq!(responses["TooManyRequests"]["content"][MEDIA_TYPE], no_code);
    let put = &document["paths"]["/notes/{id}"]["put"]["responses"];
    assert_eq!(put["410"]["$ref"], "#/components/responses/Gone");
}
