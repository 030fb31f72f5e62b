//! Reading: what there is, what can be had, what to look at; and what there is in the beginning.

use sdk::{DbError, Executor, Role, params};
use serde_json::{Value, json};

use crate::support::{COKE, Depot, MONTREAL, NEW, QUEBEC, int, list, stock_path};

#[tokio::test]
async fn every_location_opens_with_every_product_of_the_catalogue() {
    let depot = Depot::open().await;
    let locations = list(&depot.app, "/api/v1/locations", 4).await;
    let names: Vec<&str> = locations.iter().map(|location| location["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Montréal Centre", "Québec", "Sherbrooke", "Trois-Rivières", "Gatineau", "Centre logistique"]);
    assert_eq!(
        locations.last().unwrap(),
        &json!({"id": 100, "code": "LOG", "name": "Centre logistique", "kind": "warehouse"})
    );
    let stores = list(&depot.app, "/api/v1/locations?kind=store", 200).await;
    assert_eq!(stores.len(), 5);
    let rows: Vec<(i64, i64, i64)> = depot.ask("select count(*), min(product_id), max(product_id) from stock").await;
    assert_eq!(rows, [(6 * 228, 1, 228)]);
    // Something of everything to look at.
    for kind in ["out", "low", "over"] {
        assert!(!list(&depot.app, &format!("/api/v1/alerts?kind={kind}"), 200).await.is_empty(), "{kind}");
    }
    depot.audited().await;
}

#[tokio::test]
async fn what_can_be_had_is_what_is_promised_to_nobody() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 5).await;
    depot.deliver(QUEBEC, NEW, 2).await;
    depot.reserve(1, &[(MONTREAL, NEW, 3)]).await;
    // Everybody may ask.
    let answer: Value = depot.app.get("/api/v1/stock/availability/5000").send().await.expect_status(200).json();
    assert_eq!((int(&answer["product_id"]), int(&answer["total"])), (NEW, 4));
    let at: Vec<(i64, i64)> = answer["locations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| (int(&at["location_id"]), int(&at["available"])))
        .collect();
    assert_eq!(at, [(1, 2), (2, 2), (3, 0), (4, 0), (5, 0), (100, 0)]);
    let nothing: Value = depot.app.get("/api/v1/stock/availability/999999").send().await.expect_status(200).json();
    assert_eq!(int(&nothing["total"]), 0);
    depot.app.get("/api/v1/stock/availability/x").send().await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_row_has_a_tag_that_changes_with_every_change_of_it() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 5).await;
    let get = |etag: &str| {
        let request = depot.app.get(stock_path(MONTREAL, NEW)).as_role(Role::Pos).header("if-none-match", etag);
        request.send()
    };
    let first = depot.etag(MONTREAL, NEW).await;
    assert_eq!(get(&first).await.status, 304);
    depot.reserve(1, &[(MONTREAL, NEW, 5)]).await;
    let row = get(&first).await.expect_status(200);
    assert_ne!(row.header("etag"), first);
    let row: Value = row.json();
    assert_eq!((int(&row["on_hand"]), int(&row["available"]), &row["level"]), (5, 0, &json!("out")));
    depot.app.get(stock_path(MONTREAL, 9_999)).as_role(Role::Pos).send().await.expect_problem(404, "stock-not-found");
}

#[tokio::test]
async fn lists_are_restricted_by_what_is_asked() {
    let depot = Depot::open().await;
    let rows = list(&depot.app, "/api/v1/stock?product=1", 200).await;
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| int(&row["product_id"]) == COKE));
    let rows = list(&depot.app, "/api/v1/stock?location=2&product=1", 200).await;
    assert_eq!(rows.iter().map(|row| int(&row["location_id"])).collect::<Vec<_>>(), [QUEBEC]);

    let all = list(&depot.app, "/api/v1/stock?location=3", 200).await;
    let level = |rows: &[Value], levels: &[&str]| {
        rows.iter().filter(|row| levels.contains(&row["level"].as_str().unwrap())).count()
    };
    for (query, levels) in [
        ("level=out", &["out"][..]),
        ("level=normal", &["normal"]),
        ("below_threshold=true", &["out", "low"]),
        ("below_threshold=false", &["normal", "over"]),
    ] {
        let some = list(&depot.app, &format!("/api/v1/stock?location=3&{query}"), 200).await;
        assert_eq!((some.len(), level(&some, levels)), (level(&all, levels), some.len()), "{query}");
        assert!(!some.is_empty(), "{query}");
    }
    // An alert is a row of stock that is not as it should be.
    let alerts = list(&depot.app, "/api/v1/alerts?location=3", 200).await;
    assert_eq!(alerts.len(), level(&all, &["out", "low", "over"]));
}

#[tokio::test]
async fn what_moves_is_in_the_ledger_the_newest_first() {
    let depot = Depot::open().await;
    depot.deliver(MONTREAL, NEW, 5).await;
    depot.pass(60);
    let since = depot.clock.now();
    depot.reserve(1, &[(MONTREAL, NEW, 2)]).await;
    depot.turn(1, "pin").await;
    depot.turn(1, "commit").await;
    let found = list(&depot.app, "/api/v1/movements?location=1&product=5000", 1).await;
    let entries: Vec<(&str, i64, i64)> = found
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap(), int(&entry["delta"]), int(&entry["on_hand"])))
        .collect();
    assert_eq!(entries, [("order", -2, 3), ("adjustment", 5, 5)]);
    let recent = list(&depot.app, &format!("/api/v1/movements?since={since}"), 200).await;
    assert_eq!((recent.len(), &recent[0]["kind"]), (1, &json!("order")));
    let earlier = list(&depot.app, &format!("/api/v1/movements?product=5000&until={since}"), 200).await;
    assert_eq!((earlier.len(), &earlier[0]["kind"]), (1, &json!("adjustment")));
    let opening = list(&depot.app, "/api/v1/movements?kind=opening&location=1", 200).await;
    assert_eq!(opening.len(), 228);
}

/// Not by the service, and not by whoever gets hold of its connection.
#[tokio::test]
async fn the_ledger_cannot_be_rewritten() {
    let depot = Depot::open().await;
    for statement in ["update movements set delta = 1", "delete from movements where id = 1", "truncate movements"] {
        let error = depot.app.db().execute(statement, params![]).await.unwrap_err();
        assert!(matches!(&error, DbError::Database { message, .. } if message.contains("append-only")), "{error:?}");
    }
}

/// A read of what is asked most goes to one row, however many there are.
#[tokio::test]
async fn the_usual_questions_are_answered_from_an_index() {
    let depot = Depot::open().await;
    depot.app.database().administer("analyze stock; analyze movements").await;
    for (question, index) in [
        ("select * from stock s where s.location_id = 1 and s.product_id = 7", "stock_pkey"),
        ("select * from stock s where s.product_id = 7 and s.location_id = 3", "stock_pkey"),
        ("select sum(on_hand) from stock s where s.product_id = 7", "stock_by_product"),
        (
            "select * from movements where location_id = 1 and product_id = 7 order by id desc limit 20",
            "movements_by_stock",
        ),
        ("select * from movements where reference = 'opening/1' and line = 7", "movements_reference_line_key"),
    ] {
        let plan: Vec<(String,)> = depot.ask(&format!("explain {question}")).await;
        let plan: Vec<String> = plan.into_iter().map(|(line,)| line).collect();
        assert!(plan.join("\n").contains(index), "{question}: {plan:#?}");
    }
}
