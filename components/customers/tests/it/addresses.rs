//! Addresses, one of which is the default.

use futures_util::future::join_all;
use sdk::testing::TestRequest;
use serde_json::{Value, json};

use crate::support::{Desk, Somebody, address, assert_error, int};

fn one(who: &Somebody, address: &Value) -> String {
    format!("{}/addresses/{}", who.path(), address["id"])
}

fn put(desk: &Desk, who: &Somebody, id: &Value, tag: &str, body: &Value) -> TestRequest {
    desk.app.put(one(who, id)).as_customer(who.id).header("if-match", tag).json(body)
}

fn delete(desk: &Desk, who: &Somebody, id: &Value, tag: &str) -> TestRequest {
    desk.app.delete(one(who, id)).as_customer(who.id).header("if-match", tag)
}

async fn all(desk: &Desk, who: &Somebody) -> Vec<Value> {
    let list = desk.app.get(format!("{}/addresses", who.path())).as_customer(who.id).send().await;
    let page: Value = list.expect_status(200).json();
    assert_eq!(page["next_cursor"], Value::Null);
    page["data"].as_array().unwrap().clone()
}

/// The first lines, with a star at the default.
async fn lines(desk: &Desk, who: &Somebody) -> Vec<String> {
    let line = |address: &Value| {
        let star = if address["is_default"] == true { "*" } else { "" };
        format!("{}{star}", address["line1"].as_str().unwrap())
    };
    all(desk, who).await.iter().map(line).collect()
}

#[tokio::test]
async fn an_address_is_added_read_replaced_and_removed() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let post = desk.app.post("/api/v1/customers/me/addresses").as_customer(marie.id);
    let made = post.json(&address("1, rue A")).send().await.expect_status(201);
    let added: Value = made.json();
    assert_eq!(made.header("location"), one(&marie, &added));
    assert_eq!((&added["postal_code"], &added["country"]), (&json!("H2X 1Y4"), &json!("CA")));
    assert_eq!((&added["is_default"], &added["line2"]), (&json!(true), &Value::Null));
    let read = desk.app.get(made.header("location")).as_customer(marie.id).send().await.expect_status(200);
    assert_eq!((read.json::<Value>(), read.header("etag")), (added.clone(), "\"1\""));

    let mut body = address("2, rue B");
    body["line2"] = json!("app. 5");
    let replaced = put(&desk, &marie, &added, "\"1\"", &body).send().await.expect_status(200);
    assert_eq!(replaced.header("etag"), "\"2\"");
    assert_eq!(all(&desk, &marie).await, [replaced.json::<Value>()]);
    let same = desk.app.get(one(&marie, &added)).as_customer(marie.id).header("if-none-match", "\"2\"");
    let _ = same.send().await.expect_status(304);

    delete(&desk, &marie, &added, "\"1\"").send().await.expect_problem(412, "precondition-failed");
    let _ = delete(&desk, &marie, &added, "\"2\"").send().await.expect_status(204);
    let _ = delete(&desk, &marie, &added, "\"2\"").send().await.expect_status(204);
    assert_eq!(all(&desk, &marie).await, [] as [Value; 0]);
    // Each change is one of the customer; a repetition is none.
    assert_eq!(desk.etag(&marie).await, "\"4\"");
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn as_long_as_there_are_any_one_is_the_default() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let (a, b) = (desk.address(&marie, "a").await, desk.address(&marie, "b").await);
    assert_eq!(lines(&desk, &marie).await, ["a*", "b"]);
    let mut body = address("c");
    body["is_default"] = json!(true);
    let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id);
    let c: Value = post.json(&body).send().await.expect_status(201).json();
    assert_eq!(lines(&desk, &marie).await, ["a", "b", "c*"]);

    body["line1"] = json!("b");
    let _ = put(&desk, &marie, &b, "*", &body).send().await.expect_status(200);
    assert_eq!(lines(&desk, &marie).await, ["a", "b*", "c"]);
    // Left out, it stays what it is.
    let _ = put(&desk, &marie, &b, "*", &address("b2")).send().await.expect_status(200);
    let _ = put(&desk, &marie, &c, "*", &address("c2")).send().await.expect_status(200);
    assert_eq!(lines(&desk, &marie).await, ["a", "b2*", "c2"]);
    body["is_default"] = json!(false);
    let answer = put(&desk, &marie, &b, "*", &body).send().await;
    assert_error(&answer, "/is_default", "default-needed");

    let _ = delete(&desk, &marie, &c, "*").send().await.expect_status(204);
    assert_eq!(lines(&desk, &marie).await, ["a", "b2*"]);
    let _ = delete(&desk, &marie, &b, "*").send().await.expect_status(204);
    assert_eq!(lines(&desk, &marie).await, ["a*"], "the oldest that is left");
    // It is another representation, and so another version.
    let read = desk.app.get(one(&marie, &a)).as_customer(marie.id).send().await.expect_status(200);
    assert_eq!(read.header("etag"), "\"3\"");
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_named() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let there = desk.address(&marie, "1, rue A").await;
    for (member, value, code) in [
        ("postal_code", json!("90210"), "postal-code-invalid"),
        ("postal_code", json!("D2X 1Y4"), "postal-code-invalid"),
        ("province", json!("ZZ"), "invalid-value"),
        ("recipient", json!(" "), "recipient-invalid"),
        ("line1", json!(""), "line-invalid"),
        ("line2", json!("x".repeat(101)), "line-invalid"),
        ("city", json!("Mont\nréal"), "city-invalid"),
        ("country", json!("US"), "unknown-field"),
    ] {
        let mut body = address("1, rue A");
        body[member] = value;
        let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id).json(&body);
        assert_error(&post.send().await, &format!("/{member}"), code);
        let put = put(&desk, &marie, &there, "\"1\"", &body).send().await;
        assert_error(&put, &format!("/{member}"), code);
    }
    let without = desk.app.put(one(&marie, &there)).as_customer(marie.id).json(&address("x"));
    without.send().await.expect_problem(428, "if-match-required");
    let without = desk.app.delete(one(&marie, &there)).as_customer(marie.id);
    without.send().await.expect_problem(428, "if-match-required");
    let nowhere = put(&desk, &marie, &json!({"id": 4711}), "*", &address("x")).send().await;
    nowhere.expect_problem(404, "address-not-found");
    assert_eq!(desk.etag(&marie).await, "\"2\"");
}

#[tokio::test]
async fn there_is_room_for_twenty() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for number in 0..19 {
        desk.address(&marie, &format!("{number}")).await;
    }
    let post = |number: usize| {
        let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id);
        post.json(&address(&format!("more {number}"))).send()
    };
    desk.app.warm_up().await;
    let answers = join_all((0..5).map(post)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(loser.expect_problem(409, "addresses-full")["addresses_max"], 20);
    }
    assert_eq!(all(&desk, &marie).await.len(), 20);
}

#[tokio::test]
async fn of_first_addresses_that_come_at_once_one_is_the_default() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.app.warm_up().await;
    join_all((0..10).map(|number| {
        let mut body = address(&format!("{number}"));
        body["is_default"] = json!(number % 2 == 0);
        let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id);
        let request = post.json(&body).send();
        async { assert_eq!(request.await.status, 201) }
    }))
    .await;
    let defaults = all(&desk, &marie).await.iter().filter(|address| address["is_default"] == true).count();
    assert_eq!((defaults, desk.etag(&marie).await.as_str()), (1, "\"11\""));
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn of_parallel_replacements_one_wins_and_a_repetition_of_it_is_no_loser() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let there = desk.address(&marie, "1, rue A").await;
    desk.app.warm_up().await;
    let answers = join_all(
        (0..20).map(|number| put(&desk, &marie, &there, "\"1\"", &address(&format!("{number}, rue B"))).send()),
    )
    .await;
    let winners: Vec<usize> = (0..20).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.expect_problem(412, "precondition-failed");
    }
    // A gateway that lost the answer sends the same again.
    let again = put(&desk, &marie, &there, "\"1\"", &address(&format!("{}, rue B", winners[0]))).send().await;
    assert_eq!(int(&again.expect_status(200).json::<Value>()["version"]), 2);
    assert_eq!(desk.etag(&marie).await, "\"3\"");
}

#[tokio::test]
async fn a_repeated_key_adds_one_address() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let post = |line1: &str| {
        let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id);
        post.idempotency_key("k1").json(&address(line1)).send()
    };
    let first = post("a").await.expect_status(201);
    let again = post("a").await.expect_status(201);
    assert_eq!((first.json::<Value>(), again.header("idempotent-replayed")), (again.json(), "true"));
    post("b").await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(lines(&desk, &marie).await, ["a*"]);
}
