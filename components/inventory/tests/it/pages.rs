//! Lists, page by page: each item once, in the same order whatever the size of a page.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Depot, MONTREAL, NEW, issue, list};

#[tokio::test]
async fn every_list_is_the_same_in_pages_of_any_size() {
    let depot = Depot::open().await;
    for n in 0..9 {
        let body = json!({"source_id": 1, "destination_id": 2, "lines": [{"product_id": NEW + n, "quantity": 1}]});
        let request = depot.app.post("/api/v1/transfers").as_role(Role::Hq).json(&body);
        let _ = request.send().await.expect_status(201);
        let body = json!({"location_id": 1, "lines": [{"product_id": NEW + n, "quantity": 1}, {"product_id": 3, "quantity": 2}]});
        let request = depot.app.post("/api/v1/restock-requests").as_role(Role::Hq).json(&body);
        let _ = request.send().await.expect_status(201);
        let sold = issue(&depot.app, &format!("s-{n}"), &[(MONTREAL, NEW + n, 1)], "record");
        let _ = sold.send().await.expect_status(201);
    }
    for (path, count) in [
        ("/api/v1/locations", 6),
        ("/api/v1/stock", 6 * 228),
        ("/api/v1/stock?location=2", 228),
        ("/api/v1/alerts", 0),
        ("/api/v1/movements?location=1", 228),
        ("/api/v1/discrepancies", 9),
        ("/api/v1/transfers", 9),
        ("/api/v1/transfers?destination=2&status=pending", 9),
        ("/api/v1/transfers?source=2", 0),
        ("/api/v1/restock-requests", 9),
    ] {
        let whole = list(&depot.app, path, 200).await;
        // How many alerts there are, the seed says.
        assert!(whole.len() == count || path.ends_with("alerts") && whole.len() > 10, "{path}: {}", whole.len());
        for limit in [1, 7] {
            if whole.len() / limit < 400 {
                assert_eq!(list(&depot.app, path, limit).await, whole, "{path} by {limit}");
            }
        }
        let mut unique: Vec<String> = whole.iter().map(Value::to_string).collect();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), whole.len(), "{path}");
    }
    let restocks = list(&depot.app, "/api/v1/restock-requests", 4).await;
    assert!(restocks.iter().all(|restock| restock["lines"].as_array().unwrap().len() == 2), "with their lines");
}

#[tokio::test]
async fn what_comes_meanwhile_does_not_disturb_the_pages() {
    let depot = Depot::open().await;
    let first: Value = depot.app.get("/api/v1/movements?location=1&limit=100").as_role(Role::Hq).send().await.json();
    depot.deliver(MONTREAL, NEW, 1).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = list(&depot.app, &format!("/api/v1/movements?location=1&after={cursor}"), 100).await;
    assert_eq!(rest.len(), 128);
    assert!(rest.iter().all(|movement| !first["data"].as_array().unwrap().contains(movement)));
}
