//! Making an account.

use jsonwebtoken::Algorithm;
use sdk::Secrets;
use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD, assert_error, at_once, errors, int, newcomer};

#[tokio::test]
async fn an_account_is_made_and_found() {
    let desk = Desk::open().await;
    let body = json!({"email": "Marie@Example.com", "password": PASSWORD, "name": " Marie Tremblay "});
    let made = desk.app.post("/api/v1/customers").json(&body).send().await.expect_status(201);
    let customer: Value = made.json();
    let id = int(&customer["id"]);
    assert_eq!(made.header("location"), format!("/api/v1/customers/{id}"));
    assert_eq!((made.header("etag"), made.header("cache-control")), ("\"1\"", "no-store"));
    assert_eq!(
        customer,
        json!({
            "id": id, "status": "active", "email": "Marie@Example.com", "name": "Marie Tremblay", "phone": null,
            "language": "fr", "version": 1, "created_at": "2026-11-23T17:00:00Z", "updated_at": "2026-11-23T17:00:00Z",
            "erased_at": null,
        })
    );
    let read = desk.app.get("/api/v1/customers/me").as_customer(id).send().await.expect_status(200);
    assert_eq!((read.json::<Value>(), read.header("etag")), (customer, "\"1\""));
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn everything_wrong_with_a_newcomer_is_named() {
    let desk = Desk::open().await;
    let post = |body: &Value| desk.app.post("/api/v1/customers").json(body).send();
    for (member, value, code) in [
        ("email", json!("marie"), "email-invalid"),
        ("email", json!("marie@localhost"), "email-invalid"),
        ("email", json!(7), "invalid-type"),
        ("name", json!("  "), "name-invalid"),
        ("phone", json!("call me"), "phone-invalid"),
        ("language", json!("de"), "invalid-value"),
        ("password", json!("too short"), "password-too-short"),
        ("password", json!("motdepasse2026"), "password-too-common"),
        ("password", json!("aaaaaaaaaaaaaaaa"), "password-monotonous"),
        ("password", json!("abcdefghij".repeat(13)), "password-too-long"),
        ("password", json!("my marie@example.com"), "password-contains-email"),
        ("status", json!("active"), "unknown-field"),
    ] {
        let mut body = newcomer("marie");
        body[member] = value;
        let response = post(&body).await;
        let [(pointer, found)] = errors(&response).try_into().unwrap();
        assert_eq!((pointer, found.as_str()), (format!("/{member}"), code), "{}", response.text());
    }
    let all = post(&json!({"email": "x", "password": "y", "name": ""})).await;
    let pointers: Vec<String> = errors(&all).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/email", "/name", "/password", "/password"], "all at once");
    let missing = post(&json!({"email": "marie@example.com", "password": PASSWORD})).await;
    assert_error(&missing, "/name", "missing-field");
    assert_eq!(desk.count("customers").await, 0);
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let desk = Desk::open().await;
    desk.register("marie").await;
    let mut body = newcomer("marie");
    body["email"] = json!("MARIE@EXAMPLE.COM");
    let taken = desk.app.post("/api/v1/customers").json(&body).send().await;
    let problem = taken.expect_problem(409, "email-taken");
    assert_eq!(problem["errors"][0]["pointer"], "/email");
    assert_eq!(desk.count("customers").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_registrations_at_once_one_is_made() {
    let desk = Desk::open().await;
    desk.app.warm_up().await;
    let answers = at_once((0..50).map(|number| {
        let mut body = newcomer("marie");
        let email = if number % 2 == 0 { "marie@example.com" } else { "Marie@Example.com" };
        body["email"] = json!(email);
        desk.app.post("/api/v1/customers").json(&body)
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        loser.expect_problem(409, "email-taken");
    }
    assert_eq!((desk.count("customers").await, desk.count("loyalty_accounts").await), (1, 1));
    assert_eq!(desk.events().await.len(), 1, "the losers left no trace");
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn a_repeated_key_makes_one_account_and_stores_no_password() {
    let desk = Desk::open().await;
    let post = |body: Value| desk.app.post("/api/v1/customers").idempotency_key("k1").json(&body).send();
    let first = post(newcomer("marie")).await.expect_status(201);
    let again = post(newcomer("marie")).await.expect_status(201);
    assert_eq!(first.json::<Value>(), again.json::<Value>());
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("cache-control"), "no-store");
    for (member, value) in [("password", "six souris blanches"), ("email", "luc@example.com"), ("name", "Luc")] {
        let mut other = newcomer("marie");
        other[member] = json!(value);
        post(other).await.expect_problem(422, "idempotency-key-reused");
    }
    assert!(!desk.everything().await.contains(PASSWORD));

    // What is stored cannot be made from the password alone: another key makes another text.
    let fingerprint = |key: &str| {
        let key = jsonwebtoken::EncodingKey::from_secret(key.as_bytes());
        let message = [b"fingerprint\0", PASSWORD.as_bytes()].concat();
        jsonwebtoken::crypto::sign(&message, &key, Algorithm::HS256).unwrap()
    };
    assert_ne!(fingerprint(crate::support::KEY), fingerprint("another key of thirty-two letters"));
}

#[tokio::test]
async fn a_password_is_stored_as_a_slow_hash_with_a_salt_of_its_own() {
    let desk = Desk::open().await;
    desk.register("marie").await;
    desk.register("luc").await;
    let hashes: Vec<(String,)> = desk.select("select password_hash from customers order by id").await;
    for (hash,) in &hashes {
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
    assert_ne!(hashes[0], hashes[1], "of one password");
    assert!(!desk.everything().await.contains(PASSWORD));
}

#[tokio::test]
async fn without_the_host_s_key_one_registers_without_an_idempotency_key() {
    let desk = Desk::with_secrets(Secrets::fixed([] as [(&str, &str); 0])).await;
    desk.register("marie").await;
    let post = desk.app.post("/api/v1/customers").idempotency_key("k1").json(&newcomer("luc"));
    post.send().await.expect_problem(503, "sign-in-unavailable");
    assert_eq!(desk.count("customers").await, 1);
}
