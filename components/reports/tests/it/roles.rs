//! Who may do what, and problems as a whole.

use sdk::Role::{self, Anonymous, Customer, Hq, Logistics, Manager, Pos, Service};
use serde_json::json;

use crate::support::Town;

const ALL: [Role; 7] = [Anonymous, Customer, Pos, Manager, Logistics, Hq, Service];
const REPORTS: [&str; 7] = [
    "consolidated",
    "dashboard",
    "sales?group_by=day",
    "top-products",
    "taxes?period=2026-11",
    "freshness",
    "reconciliation",
];

#[tokio::test]
async fn every_route_is_for_those_it_is_for() {
    let town = Town::open().await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for role in ALL {
        let mut requests: Vec<(&[Role], _)> = Vec::new();
        for report in REPORTS {
            requests.push((&[Manager, Hq], town.app.get(format!("/api/v1/reports/{report}"))));
        }
        requests.push((&[Hq], town.app.get(format!("/api/v1/reports/rebuilds/{nobody}"))));
        requests.push((&[Hq], town.app.post("/api/v1/reports/rebuilds?x=1")));
        requests.push((&[Service], town.app.get("/internal/v1/audit")));
        for (allowed, request) in requests {
            let context = format!("{role:?} {request:?}");
            let response = request.as_role(role).send().await;
            match role {
                _ if allowed.contains(&role) => {
                    assert!([200, 400, 404].contains(&response.status.as_u16()), "{context}: {}", response.text());
                }
                Anonymous => drop(response.expect_problem(401, "authentication-required")),
                _ => drop(response.expect_problem(403, "forbidden")),
            }
        }
    }
}

#[tokio::test]
async fn problems_as_a_whole() {
    let town = Town::open().await;
    let path = "/api/v1/reports/rebuilds/00000000-0000-7000-8000-000000000000";
    assert_eq!(
        town.app.get(path).as_role(Hq).send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:rebuild-not-found",
            "title": "Rebuild not found",
            "status": 404,
            "detail": "there is no rebuild 00000000-0000-7000-8000-000000000000",
            "instance": path,
            "code": "rebuild-not-found",
            "request_id": "<request-id>",
        })
    );
    assert_eq!(
        town.get("taxes?period=November").send().await.problem(),
        json!({
            "type": "urn:comptoir:problem:invalid-query",
            "title": "Invalid query",
            "status": 400,
            "instance": "/api/v1/reports/taxes",
            "code": "invalid-query",
            "request_id": "<request-id>",
            "errors": [{
                "parameter": "period",
                "code": "invalid-value",
                "detail": "must be a month such as 2026-11",
            }],
        })
    );
    let response = town.app.delete("/api/v1/reports/rebuilds").as_role(Hq).send().await;
    response.expect_problem(405, "method-not-allowed");
    assert_eq!(response.header("allow"), "POST");
}
