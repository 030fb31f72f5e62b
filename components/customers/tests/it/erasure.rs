//! A customer is erased: nothing personal is left, and everything that is no person's stays.

use futures_util::future::join_all;
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD, address, newcomer};

#[tokio::test]
async fn nothing_personal_is_left_anywhere() {
    let desk = Desk::open().await;
    let post = desk.app.post("/api/v1/customers").idempotency_key("k1").json(&newcomer("marie"));
    let id = crate::support::int(&post.send().await.expect_status(201).json::<Value>()["id"]);
    let marie = crate::support::Somebody { id, email: "marie@example.com".to_owned() };
    let luc = desk.register("luc").await;
    // Answers are stored for the customer, and for staff who added an address for them.
    let own = desk.app.post("/api/v1/customers/me/addresses").as_customer(marie.id).idempotency_key("k2");
    let _ = own.json(&address("1, rue Secrète")).send().await.expect_status(201);
    let staff = desk.app.post(format!("{}/addresses", marie.path())).as_role(Role::Hq).idempotency_key("k3");
    let _ = staff.json(&address("2, rue Secrète")).send().await.expect_status(201);
    let kept = desk.app.post("/api/v1/customers/me/addresses").as_customer(luc.id).idempotency_key("k4");
    let _ = kept.json(&address("3, rue de Luc")).send().await.expect_status(201);
    let patch = desk.app.patch(marie.path()).as_customer(marie.id).header("if-match", "*");
    let _ = patch.json(&json!({"phone": "+1 418 555 0199"})).send().await.expect_status(200);
    desk.signed_in(&marie).await;
    desk.login(&marie.email, "another password altogether").send().await.expect_problem(401, "credentials-invalid");
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    let personal = ["marie@example", "marie Tremblay", "Secrète", "555 0199"];
    let before = desk.everything().await;
    assert!(personal.iter().all(|text| before.contains(text)), "{before}");
    assert_eq!(desk.count("login_attempts").await, 1);

    desk.erase(&marie).await;
    let after = desk.everything().await;
    for text in personal {
        assert!(!after.contains(text), "{text}: {after}");
    }
    assert!(after.contains("rue de Luc") && after.contains("luc Tremblay"), "who stays, stays");
    assert_eq!((desk.count("login_attempts").await, desk.count("refresh_tokens").await), (0, 0));
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn the_number_and_the_points_stay() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    desk.erase(&marie).await;
    let read = desk.app.get(marie.path()).as_role(Role::Hq).send().await.expect_status(200);
    assert_eq!(
        read.json::<Value>(),
        json!({
            "id": marie.id, "status": "erased", "email": null, "name": null, "phone": null, "language": null,
            "version": 2, "created_at": "2026-11-23T17:00:00Z", "updated_at": "2026-11-23T17:00:00Z",
            "erased_at": "2026-11-23T17:00:00Z",
        })
    );
    let buyer = desk.app.get(format!("/internal/v1/customers/{}", marie.id)).as_role(Role::Service).send().await;
    let buyer: Value = buyer.expect_status(200).json();
    assert_eq!((&buyer["status"], &buyer["email"], &buyer["addresses"]), (&json!("erased"), &Value::Null, &json!([])));
    // What was entered is repeated alike; nothing more is entered.
    let _ = desk.points("order-1", marie.id, "earn", 70).send().await.expect_status(200);
    desk.points("order-2", marie.id, "earn", 1).send().await.expect_problem(409, "customer-erased");
    let entries = desk.app.get(format!("{}/loyalty/entries", marie.path())).as_role(Role::Hq).send().await;
    assert_eq!(entries.expect_status(200).json::<Value>()["data"][0]["reference"], "order-1");
}

#[tokio::test]
async fn nobody_signs_in_and_the_address_is_free_again() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let tokens = desk.signed_in(&marie).await;
    desk.erase(&marie).await;
    desk.login(&marie.email, PASSWORD).send().await.expect_problem(401, "credentials-invalid");
    desk.refresh(&tokens["refresh_token"]).send().await.expect_problem(401, "token-invalid");
    // The access token is good for some minutes more, and shows nothing.
    for rest in ["", "/addresses", "/loyalty", "/loyalty/entries", "/export"] {
        let read = desk.app.get(format!("/api/v1/customers/me{rest}")).as_customer(marie.id).send().await;
        read.expect_problem(404, "customer-not-found");
    }
    let again = desk.register("marie").await;
    assert_ne!(again.id, marie.id);
    desk.signed_in(&again).await;
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn it_takes_the_present_version_and_once_is_enough() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let delete = |tag: Option<&str>| {
        let delete = desk.app.delete(marie.path()).as_customer(marie.id);
        let delete = match tag {
            Some(tag) => delete.header("if-match", tag),
            None => delete,
        };
        delete.send()
    };
    delete(None).await.expect_problem(428, "if-match-required");
    delete(Some("\"7\"")).await.expect_problem(412, "precondition-failed");
    desk.signed_in(&marie).await;
    desk.app.warm_up().await;
    let answers = join_all((0..10).map(|_| delete(Some("\"1\"")))).await;
    assert!(answers.iter().all(|answer| answer.status == 204), "a repetition is answered alike");
    let events: Vec<Value> = desk.events().await.into_iter().map(|event| event["type"].clone()).collect();
    assert_eq!(events, ["customer.registered", "customer.erased"]);
}

#[tokio::test]
async fn the_erased_are_not_changed() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.erase(&marie).await;
    let patch = desk.app.patch(marie.path()).as_role(Role::Hq).header("if-match", "*");
    patch.json(&json!({"name": "Marie"})).send().await.expect_problem(409, "customer-erased");
    let post = desk.app.post(format!("{}/addresses", marie.path())).as_role(Role::Hq).json(&address("x"));
    post.send().await.expect_problem(409, "customer-erased");
    let _ = desk.app.delete(marie.path()).as_role(Role::Hq).header("if-match", "\"1\"").send().await.expect_status(204);
    assert_eq!(desk.audit().await, json!([]));
}

/// Whoever comes first: there is no live token of an erased customer, nor an address.
#[tokio::test]
async fn what_comes_at_the_same_moment_leaves_nothing_behind() {
    for round in 0..4 {
        let desk = Desk::open().await;
        let marie = desk.register("marie").await;
        let tokens = desk.signed_in(&marie).await;
        desk.app.warm_up().await;
        let erase = desk.app.delete(marie.path()).as_customer(marie.id).header("if-match", "*").send();
        let refresh = desk.refresh(&tokens["refresh_token"]).send();
        let login = desk.login(&marie.email, PASSWORD).send();
        let post = desk.app.post(format!("{}/addresses", marie.path())).as_customer(marie.id);
        let add = post.json(&address("1, rue A")).send();
        let points = desk.points("order-1", marie.id, "earn", 1).send();
        let answers = tokio::join!(login, refresh, add, points, erase);
        for answer in [&answers.0, &answers.1, &answers.2, &answers.3, &answers.4] {
            assert!(answer.status.as_u16() < 500, "round {round}: {}", answer.text());
        }
        assert_eq!(answers.4.status, 204);
        assert_eq!((desk.audit().await, desk.count("addresses").await), (json!([]), 0), "round {round}");
    }
}
