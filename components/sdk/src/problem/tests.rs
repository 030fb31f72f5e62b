use super::*;
use axum::body::to_bytes;
use futures_util::FutureExt;
use serde_json::json;

fn body(problem: Problem) -> (Response, Value) {
    let response = problem.into_response();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 10_000).now_or_never().unwrap().unwrap();
    (Response::from_parts(parts, axum::body::Body::empty()), serde_json::from_slice(&bytes).unwrap())
}

fn database(sqlstate: &str, constraint: Option<&str>) -> DbError {
    DbError::Database {
        sqlstate: sqlstate.to_owned(),
        message: "duplicate key value".to_owned(),
        detail: Some("Key (sku)=(COKE) already exists.".to_owned()),
        constraint: constraint.map(str::to_owned),
        table: None,
    }
}

#[test]
fn a_problem_has_the_members_of_the_rfc_and_ours() {
    let problem = Problem::unprocessable("cart-empty")
        .detail("there is nothing to buy")
        .field("/lines", "too-few", "at least one")
        .with("allowed", json!(["a", "b"]))
        .retry_after(3);
    let (response, body) = body(problem);
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["retry-after"], "3");
    assert_eq!(
        body,
        json!({
            "type": "urn:comptoir:problem:cart-empty",
            "title": "Cart empty",
            "status": 422,
            "detail": "there is nothing to buy",
            "code": "cart-empty",
            "errors": [{"pointer": "/lines", "code": "too-few", "detail": "at least one"}],
            "allowed": ["a", "b"],
        })
    );
}

#[test]
fn the_cause_of_a_bug_is_not_in_the_answer() {
    let problem = Problem::from(database("23505", Some("products_sku_key")));
    assert!(problem.to_string().contains("COKE"), "the log has it: {problem}");
    let (response, body) = body(problem);
    assert_eq!(response.status(), 500);
    let expected = json!({
        "type": "urn:comptoir:problem:internal", "title": "Internal", "status": 500, "code": "internal",
    });
    assert_eq!(body, expected);
}

#[test]
fn a_database_that_is_away_or_busy_is_503_and_asks_for_patience() {
    for (err, code) in [
        (DbError::Unavailable("no route to 10.0.0.7".to_owned()), "database-unavailable"),
        (DbError::Timeout, "database-unavailable"),
        (database("40001", None), "database-busy"),
    ] {
        let (response, body) = body(err.into());
        assert_eq!((response.status().as_u16(), &body["code"]), (503, &json!(code)));
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!body.to_string().contains("10.0.0.7"));
    }
}

#[test]
fn a_result_that_is_too_large_is_a_bug() {
    let problem = Problem::from(DbError::Limit("more than 10000 rows".to_owned()));
    assert_eq!(problem.status(), 500);
}

#[test]
fn constraints_are_looked_at_one_after_the_other() {
    use crate::OnConstraint;
    let insert = |name| Err::<(), _>(database("23505", Some(name)));
    let answer = |name| {
        insert(name)
            .on_constraint("sku", || Problem::conflict("sku-taken"))
            .on_constraint("barcode", || Problem::conflict("barcode-taken"))
            .unwrap_err()
            .get_code()
    };
    assert_eq!(answer("sku"), "sku-taken");
    assert_eq!(answer("barcode"), "barcode-taken");
    assert_eq!(answer("another"), "internal");
}
