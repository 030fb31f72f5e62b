//! Signing in: the tokens, and what a stranger does not learn.

use std::time::{Duration, Instant};

use customers::tokens::Claims;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sdk::{Role, Secrets};
use serde_json::{Value, json};

use crate::support::{Desk, KEY, PASSWORD, int, noon};

/// As the gateway does it, but for the time, which stands still here.
pub fn verified(token: &Value, key: &str) -> Result<Claims, jsonwebtoken::errors::Error> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(key.as_bytes());
    Ok(jsonwebtoken::decode::<Claims>(token.as_str().unwrap(), &key, &validation)?.claims)
}

#[tokio::test]
async fn a_password_buys_two_tokens() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let answer = desk.login("MARIE@example.com", PASSWORD).send().await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens: Value = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["customer_id"]), (&json!("Bearer"), &json!(marie.id)));
    assert_eq!((&tokens["expires_in"], &tokens["refresh_expires_in"]), (&json!(600), &json!(30 * 24 * 3_600)));

    let claims = verified(&tokens["access_token"], KEY).unwrap();
    let now = noon().as_second();
    assert_eq!((claims.iss.as_str(), claims.sub), ("comptoir-customers", marie.id.to_string()));
    assert_eq!((claims.iat, claims.exp), (now, now + 600));
    assert!(verified(&tokens["access_token"], "another key of thirty-two letters").is_err());
    let again = desk.signed_in(&marie).await;
    assert_ne!(verified(&again["access_token"], KEY).unwrap().jti, claims.jti);
    assert_ne!(again["refresh_token"], tokens["refresh_token"]);

    // The claims are what the service reads them as, with the gateway's word for them.
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let me = desk.app.get("/api/v1/customers/me").as_role(Role::Customer).header("authorization", bearer);
    assert_eq!(int(&me.send().await.expect_status(200).json::<Value>()["id"]), marie.id);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let erased = desk.register("luc").await;
    desk.erase(&erased).await;
    let mut problems = Vec::new();
    for email in [marie.email.as_str(), &erased.email, "nobody@example.com", "no address at all", ""] {
        let answer = desk.login(email, "another password altogether").send().await;
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"comptoir\"");
        problems.push(answer.expect_problem(401, "credentials-invalid"));
    }
    assert!(problems.windows(2).all(|two| two[0] == two[1]), "{problems:?}");
    // What cannot be a password is none; it is not looked at more closely.
    for password in ["", &"x".repeat(10_000)] {
        desk.login(&marie.email, password).send().await.expect_problem(401, "credentials-invalid");
    }
}

/// The hash is what takes the time, and it is computed in both cases. Half of it is more than all the
/// rest of a request, and the least of some attempts is not disturbed by others' work.
#[tokio::test]
async fn the_time_does_not_tell_whether_there_is_an_account() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..8 {
        for (email, least) in [(marie.email.as_str(), &mut known), ("nobody@example.com", &mut unknown)] {
            let started = Instant::now();
            desk.login(email, "another password altogether").send().await.expect_problem(401, "credentials-invalid");
            *least = started.elapsed().min(*least);
        }
    }
    assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} for one, {unknown:?} for nobody");
}

#[tokio::test]
async fn the_suspended_learn_it_from_their_own_password_alone() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let tokens = desk.signed_in(&marie).await;
    let patch = desk.app.patch(marie.path()).as_role(Role::Manager).header("if-match", "\"1\"");
    let suspended: Value = patch.json(&json!({"status": "suspended"})).send().await.expect_status(200).json();
    assert_eq!((&suspended["status"], &suspended["version"]), (&json!("suspended"), &json!(2)));

    desk.login(&marie.email, PASSWORD).send().await.expect_problem(403, "account-suspended");
    desk.login(&marie.email, "another password altogether").send().await.expect_problem(401, "credentials-invalid");
    desk.refresh(&tokens["refresh_token"]).send().await.expect_problem(401, "token-invalid");
    let me = desk.app.get("/api/v1/customers/me").as_customer(marie.id);
    me.send().await.expect_problem(403, "account-suspended");
    assert_eq!(desk.audit().await, json!([]));

    let patch = desk.app.patch(marie.path()).as_role(Role::Manager).header("if-match", "\"2\"");
    let _ = patch.json(&json!({"status": "active"})).send().await.expect_status(200);
    desk.signed_in(&marie).await;
    desk.refresh(&tokens["refresh_token"]).send().await.expect_problem(401, "token-invalid");
}

#[tokio::test]
async fn without_the_host_s_key_nobody_signs_in() {
    for secrets in [vec![], vec![("token-key", "short")], vec![("another", KEY)]] {
        let desk = Desk::with_secrets(Secrets::fixed(secrets)).await;
        let marie = desk.register("marie").await;
        let answer = desk.login(&marie.email, PASSWORD).send().await;
        let problem = answer.expect_problem(503, "sign-in-unavailable");
        assert_eq!(answer.header("retry-after"), "60");
        assert!(!problem.to_string().contains("token-key"), "that is for the log: {problem}");
        let token = format!("crt_{}", "A".repeat(43));
        desk.refresh(&json!(token)).send().await.expect_problem(503, "sign-in-unavailable");
        assert_eq!(desk.count("token_families").await, 0);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let desk = Desk::open().await;
    for (path, body, pointer, code) in [
        ("login", json!({"email": "marie@example.com"}), "/password", "missing-field"),
        ("login", json!({"email": "a@example.com", "password": "x", "totp": 1}), "/totp", "unknown-field"),
        ("refresh", json!({}), "/refresh_token", "missing-field"),
        ("logout", json!({"refresh_token": 7}), "/refresh_token", "invalid-type"),
    ] {
        let answer = desk.app.post(format!("/api/v1/auth/{path}")).json(&body).send().await;
        crate::support::assert_error(&answer, pointer, code);
    }
    desk.app.get("/api/v1/auth/login").send().await.expect_problem(405, "method-not-allowed");
    let query = desk.app.post("/api/v1/auth/login?next=/").json(&json!({"email": "", "password": ""}));
    query.send().await.expect_problem(400, "invalid-query");
}
