//! Problem documents, whole: what a client may rely on; and what is wrong with a request is always named.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, errors, issue, reserve, turn, uuid};

#[tokio::test]
async fn too_little() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 1).await;
    let problem = reserve(&depot.app, 1, &[(MONTREAL, NEW, 2)], 60).send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:insufficient-stock",
            "title": "Insufficient stock",
            "status": 409,
            "detail": "there is not enough of every product",
            "code": "insufficient-stock",
            "instance": format!("/internal/v1/reservations/{}", uuid(1)),
            "request_id": "<request-id>",
            "shortages": [{"location_id": MONTREAL, "product_id": NEW, "requested": 2, "available": 1}],
        })
    );
}

#[tokio::test]
async fn a_verb_that_comes_too_early() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 1).await;
    depot.reserve(1, &[(MONTREAL, NEW, 1)]).await;
    let problem = turn(&depot.app, 1, "commit").send().await.problem();
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:reservation-state",
            "title": "Reservation state",
            "status": 409,
            "detail": "a reservation that is active cannot be asked to commit",
            "code": "reservation-state",
            "instance": format!("/internal/v1/reservations/{}/commit", uuid(1)),
            "request_id": "<request-id>",
            "state": "active",
            "allowed": ["pin", "release"],
        })
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_reservation() {
    let depot = Depot::open().await;
    let put = async |body: Value| {
        let request = depot.app.put(format!("/internal/v1/reservations/{}", uuid(1))).as_role(Role::Service);
        let problem = request.json(&body).send().await.expect_problem(422, "validation-failed");
        errors(&problem)
    };
    let found = put(json!({"location_id": 1, "lines": [
        {"product_id": 0, "quantity": 1}, {"product_id": 1, "quantity": 0}, {"product_id": 1, "quantity": 1_000_001},
    ]}))
    .await;
    let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        found,
        [
            pair("/lines/0/product_id", "out-of-range"),
            pair("/lines/1/quantity", "quantity-out-of-range"),
            pair("/lines/2/quantity", "quantity-out-of-range"),
            pair("/lines/2/product_id", "line-repeated"),
        ]
    );
    let line = json!([{"product_id": 1, "quantity": 1}]);
    for (body, pointer, code) in [
        (json!({"location_id": 1, "lines": []}), "/lines", "lines-out-of-range"),
        (json!({"lines": line}), "/lines/0/location_id", "location-missing"),
        (
            json!({"location_id": 55, "lines": [{"product_id": 9_999, "quantity": 1}]}),
            "/location_id",
            "location-not-found",
        ),
        (json!({"location_id": 1, "lines": line, "ttl_s": 0}), "/ttl_s", "ttl-out-of-range"),
        (json!({"location_id": 1, "lines": line, "ttl_s": 86_401}), "/ttl_s", "ttl-out-of-range"),
        (json!({"location_id": 1}), "/lines", "missing-field"),
        (json!({"location_id": 1, "lines": line, "ttl": 5}), "/ttl", "unknown-field"),
    ] {
        assert_eq!(put(body.clone()).await, [pair(pointer, code)], "{body}");
    }
    let number: Vec<(i64,)> = depot.ask("select count(*) from reservations").await;
    assert_eq!(number, [(0,)]);
}

#[tokio::test]
async fn what_cannot_be_a_path_leads_nowhere() {
    let depot = Depot::open().await;
    let service = |path: &str| depot.app.get(path).as_role(Role::Service);
    for path in ["/internal/v1/reservations/7", "/api/v1/stock/1/x", "/api/v1/transfers/7", "/api/v1/stock/1"] {
        service(path).send().await.expect_problem(404, "not-found");
    }
    issue(&depot.app, "a%20b", &[(MONTREAL, 1, 1)], "refuse").send().await.expect_problem(422, "reference-invalid");
    let delete = depot.app.delete("/api/v1/stock/1/1").as_role(Role::Hq).send().await;
    delete.expect_problem(405, "method-not-allowed");
    assert!(delete.header("allow").contains("PUT"));
    let text = depot.app.post("/api/v1/adjustments").as_role(Role::Hq).body("text/plain", "x").send().await;
    text.expect_problem(415, "unsupported-media-type");
    let broken = depot.app.post("/api/v1/adjustments").as_role(Role::Hq).body("application/json", "{").send().await;
    broken.expect_problem(400, "json-malformed");
}

/// A filter that is misspelled does not silently do nothing.
#[tokio::test]
async fn a_query_that_makes_no_sense_is_a_400_that_names_the_parameter() {
    let depot = Depot::open().await;
    for (path, parameter, code) in [
        ("/api/v1/stock?colour=red", "colour", "unknown-parameter"),
        ("/api/v1/stock?limit=0", "limit", "out-of-range"),
        ("/api/v1/stock?limit=201", "limit", "out-of-range"),
        ("/api/v1/stock?location=x", "location", "invalid-value"),
        ("/api/v1/stock?level=none", "level", "invalid-value"),
        ("/api/v1/stock?below_threshold=1", "below_threshold", "invalid-value"),
        ("/api/v1/alerts?kind=normal", "kind", "invalid-value"),
        ("/api/v1/movements?since=yesterday", "since", "invalid-value"),
        ("/api/v1/movements?since=-000001-01-01T00:00:00Z", "since", "invalid-value"),
        ("/api/v1/movements?reference=a%00b", "reference", "invalid-value"),
        ("/api/v1/movements?kind=order&kind=sale", "kind", "duplicate-parameter"),
        ("/api/v1/transfers?status=lost", "status", "invalid-value"),
        ("/api/v1/locations?kind=shop", "kind", "invalid-value"),
        ("/api/v1/stock/1/1?verbose=1", "verbose", "unknown-parameter"),
        ("/api/v1/stock/availability/1?verbose=1", "verbose", "unknown-parameter"),
    ] {
        let problem = depot.app.get(path).as_role(Role::Hq).send().await.expect_problem(400, "invalid-query");
        assert_eq!(errors(&problem), [(parameter.to_owned(), code.to_owned())], "{path}");
    }
    for path in ["stock", "alerts", "movements", "transfers", "restock-requests", "locations", "discrepancies"] {
        let path = format!("/api/v1/{path}?after=%22x%22");
        depot.app.get(path).as_role(Role::Hq).send().await.expect_problem(400, "cursor-invalid");
    }
}

#[tokio::test]
async fn what_postgres_says_does_not_leak() {
    let depot = Depot::open().await;
    depot.app.database().administer("alter table stock rename to elsewhere").await;
    let response = depot.app.get("/api/v1/stock").as_role(Role::Hq).send().await;
    let problem = response.expect_problem(500, "internal");
    let members: Vec<&String> = problem.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "instance", "request_id", "status", "title", "type"]);
}
