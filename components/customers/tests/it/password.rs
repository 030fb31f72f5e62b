//! Changing one's password.

use sdk::Role;
use sdk::testing::TestRequest;
use serde_json::json;

use crate::support::{Desk, PASSWORD, Somebody, assert_error, at_once, errors};

const NEW: &str = "cinq chiens noirs aboient";

fn change(desk: &Desk, who: &Somebody, current: &str, new: &str) -> TestRequest {
    let put = desk.app.put("/api/v1/customers/me/password").as_customer(who.id);
    put.json(&json!({"current_password": current, "new_password": new}))
}

#[tokio::test]
async fn the_new_password_is_good_and_the_old_one_and_every_session_are_not() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let sessions = [desk.signed_in(&marie).await, desk.signed_in(&marie).await];
    let _ = change(&desk, &marie, PASSWORD, NEW).send().await.expect_status(204);
    desk.login(&marie.email, PASSWORD).send().await.expect_problem(401, "credentials-invalid");
    for session in &sessions {
        desk.refresh(&session["refresh_token"]).send().await.expect_problem(401, "token-invalid");
    }
    let _ = desk.login(&marie.email, NEW).send().await.expect_status(200);
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn a_repetition_is_answered_alike_and_ends_no_session() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let _ = change(&desk, &marie, PASSWORD, NEW).send().await.expect_status(204);
    let session = desk.login(&marie.email, NEW).send().await.expect_status(200).json::<serde_json::Value>();
    let _ = change(&desk, &marie, PASSWORD, NEW).send().await.expect_status(204);
    let _ = desk.refresh(&session["refresh_token"]).send().await.expect_status(200);
}

#[tokio::test]
async fn the_present_password_is_asked_for_and_guesses_are_counted() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for _ in 0..10 {
        let answer = change(&desk, &marie, "another password altogether", NEW).send().await;
        assert_error(&answer, "/current_password", "password-wrong");
    }
    let locked = change(&desk, &marie, PASSWORD, NEW).send().await;
    locked.expect_problem(429, "account-locked");
    assert_eq!(locked.header("retry-after"), "900");
    desk.login(&marie.email, PASSWORD).send().await.expect_problem(429, "account-locked");
}

#[tokio::test]
async fn the_rules_of_a_new_account_hold_for_a_new_password() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for (new, code) in [
        ("short", "password-too-short"),
        ("motdepasse2026", "password-too-common"),
        ("marie@example.com!", "password-contains-email"),
    ] {
        let answer = change(&desk, &marie, PASSWORD, new).send().await;
        assert!(errors(&answer).contains(&("/new_password".to_owned(), code.to_owned())), "{}", answer.text());
    }
    desk.signed_in(&marie).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_changes_one_is_made() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let new = |number: usize| format!("{NEW} {number}");
    desk.app.warm_up().await;
    let answers = at_once((0..8).map(|number| change(&desk, &marie, PASSWORD, &new(number)))).await;
    let winners: Vec<usize> = (0..8).filter(|number| answers[*number].status == 204).collect();
    assert_eq!(winners.len(), 1);
    let _ = desk.login(&marie.email, &new(winners[0])).send().await.expect_status(200);
}

#[tokio::test]
async fn nobody_changes_another_s_password() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let put = || desk.app.put(format!("{}/password", marie.path()));
    put().as_customer(luc.id).json(&body).send().await.expect_problem(404, "customer-not-found");
    put().as_role(Role::Hq).json(&body).send().await.expect_problem(403, "forbidden");
    desk.signed_in(&marie).await;
}
