//! Points: the balance is the sum of the ledger, never negative, and a reference counts once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Desk, Somebody, assert_error, int};

async fn balance(desk: &Desk, who: &Somebody) -> (i64, i64) {
    let read = desk.app.get(format!("{}/loyalty", who.path())).as_customer(who.id).send().await.expect_status(200);
    let body: Value = read.json();
    (int(&body["balance"]), int(&body["version"]))
}

#[tokio::test]
async fn points_come_and_go_and_the_ledger_tells_why() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    assert_eq!(balance(&desk, &marie).await, (0, 0));
    let earned = desk.points("order-1", marie.id, "earn", 120).send().await.expect_status(200);
    assert_eq!(
        earned.json::<Value>(),
        json!({
            "reference": "order-1", "customer_id": marie.id, "number": 1, "kind": "earn", "points": 120,
            "balance_after": 120, "entered_at": "2026-11-23T17:00:00Z",
        })
    );
    let _ = desk.points("order-2", marie.id, "burn", 20).send().await.expect_status(200);
    assert_eq!(balance(&desk, &marie).await, (100, 2));
    let entries = desk.app.get("/api/v1/customers/me/loyalty/entries").as_customer(marie.id).send().await;
    let page: Value = entries.expect_status(200).json();
    let data = page["data"].as_array().unwrap();
    assert_eq!((data[0]["reference"].as_str(), data[1]["reference"].as_str()), (Some("order-2"), Some("order-1")));
    assert_eq!((data.len(), &page["next_cursor"], desk.audit().await), (2, &Value::Null, json!([])));
}

#[tokio::test]
async fn a_reference_counts_once() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    let first = desk.points("order-1", marie.id, "earn", 50).send().await.expect_status(200);
    let again = desk.points("order-1", marie.id, "earn", 50).send().await.expect_status(200);
    assert_eq!(first.json::<Value>(), again.json::<Value>());
    for (who, kind, points) in [(marie.id, "earn", 51), (marie.id, "burn", 50), (luc.id, "earn", 50)] {
        let other = desk.points("order-1", who, kind, points).send().await;
        other.expect_problem(409, "reference-used-differently");
    }
    assert_eq!((balance(&desk, &marie).await, balance(&desk, &luc).await), ((50, 1), (0, 0)));
}

#[tokio::test]
async fn one_reference_many_times_at_once_counts_once() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    let request = |number: i64| {
        let who = if number % 2 == 0 { marie.id } else { luc.id };
        desk.points("order-1", who, "earn", 50).send()
    };
    desk.app.warm_up().await;
    let answers = join_all((0..20).map(request)).await;
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.expect_problem(409, "reference-used-differently");
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 10, "those of one customer");
    let sum = balance(&desk, &marie).await.0 + balance(&desk, &luc).await.0;
    assert_eq!((sum, desk.count("loyalty_entries").await, desk.audit().await), (50, 1, json!([])));
}

#[tokio::test]
async fn nobody_burns_more_than_there_is_however_many_try() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let _ = desk.points("order-0", marie.id, "earn", 100).send().await.expect_status(200);
    desk.app.warm_up().await;
    let answers = join_all((1..=20).map(|n| desk.points(&format!("burn-{n}"), marie.id, "burn", 30).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(loser.expect_problem(409, "points-insufficient")["balance"], 10);
    }
    assert_eq!((balance(&desk, &marie).await, desk.audit().await), ((10, 4), json!([])));
}

#[tokio::test]
async fn what_is_wrong_with_points_is_named() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for points in [0, -1, 1_000_001] {
        let answer = desk.points("order-1", marie.id, "earn", points).send().await;
        assert_error(&answer, "/points", "points-out-of-range");
    }
    let gift = desk.points("order-1", marie.id, "gift", 1).send().await;
    assert_error(&gift, "/kind", "invalid-value");
    desk.points("order%201", marie.id, "earn", 1).send().await.expect_problem(400, "reference-invalid");
    desk.points("order-1", 4711, "earn", 1).send().await.expect_problem(404, "customer-not-found");
    assert_eq!(desk.count("loyalty_entries").await, 0);
}

#[tokio::test]
async fn a_ledger_is_read_page_by_page() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for number in 1..=7 {
        let _ = desk.points(&format!("order-{number}"), marie.id, "earn", number).send().await.expect_status(200);
    }
    let mut path = format!("{}/loyalty/entries?limit=3", marie.path());
    let mut numbers = Vec::new();
    loop {
        let answer = desk.app.get(&path).as_customer(marie.id).send().await.expect_status(200);
        let page: Value = answer.json();
        numbers.extend(page["data"].as_array().unwrap().iter().map(|entry| int(&entry["number"])));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert!(answer.header("link").contains(cursor));
        path = format!("{}/loyalty/entries?limit=3&after={cursor}", marie.path());
    }
    assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
    for query in ["limit=0", "limit=201", "after=x", "order=asc"] {
        let read = desk.app.get(format!("{}/loyalty/entries?{query}", marie.path())).as_customer(marie.id);
        assert_eq!(read.send().await.status, 400, "{query}");
    }
}

/// Earned or burned, by one of some references, so that some come again.
#[derive(Clone, Copy, Debug)]
struct Step {
    reference: i64,
    earn: bool,
    points: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let points = prop_oneof![1..=5_i64, 50..=60_i64];
    let step =
        (0..30_i64, any::<bool>(), points).prop_map(|(reference, earn, points)| Step { reference, earn, points });
    proptest::collection::vec(step, 1..30)
}

async fn check(desk: &Desk, case: u32, steps: &[Step]) -> Result<(), TestCaseError> {
    let somebody = desk.register(&format!("customer{case}")).await;
    let mut entered: BTreeMap<i64, (bool, i64)> = BTreeMap::new();
    let mut sum = 0;
    for step in steps {
        let Step { reference, earn, points } = *step;
        let kind = if earn { "earn" } else { "burn" };
        let answer = desk.points(&format!("r{case}-{reference}"), somebody.id, kind, points).send().await;
        let expected = match entered.get(&reference) {
            Some(before) if *before == (earn, points) => 200,
            Some(_) => 409,
            None if !earn && points > sum => 409,
            None => {
                entered.insert(reference, (earn, points));
                sum += if earn { points } else { -points };
                200
            }
        };
        proptest::prop_assert_eq!(answer.status.as_u16(), expected, "{:?} of {:?}", step, steps);
        let expected = (sum, i64::try_from(entered.len()).unwrap());
        proptest::prop_assert_eq!(balance(desk, &somebody).await, expected, "{:?} of {:?}", step, steps);
    }
    Ok(())
}

#[test]
fn a_balance_is_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::open());
    let case = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let result = runner.run(&steps(), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(check(&desk, case.get(), &steps))
    });
    result.unwrap();
    assert_eq!(runtime.block_on(desk.audit()), json!([]));
    let _entered = runtime.enter();
    drop(desk);
}

#[tokio::test]
async fn a_checkout_learns_who_buys() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.address(&marie, "1, rue A").await;
    let read = desk.app.get(format!("/internal/v1/customers/{}", marie.id)).as_role(Role::Service).send().await;
    let read = read.expect_status(200);
    assert_eq!(read.header("etag"), "\"2\"");
    let buyer: Value = read.json();
    assert_eq!((&buyer["status"], &buyer["email"]), (&json!("active"), &json!(marie.email)));
    assert_eq!((&buyer["name"], &buyer["language"]), (&json!("marie Tremblay"), &json!("fr")));
    assert_eq!(
        (&buyer["addresses"][0]["line1"], &buyer["addresses"][0]["is_default"]),
        (&json!("1, rue A"), &json!(true))
    );
    let nobody = desk.app.get("/internal/v1/customers/4711").as_role(Role::Service).send().await;
    nobody.expect_problem(404, "customer-not-found");
}
