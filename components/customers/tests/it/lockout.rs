//! Wrong passwords, one after the other and at once.

use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD, at_once, seconds};

const WRONG: &str = "another password altogether";

#[tokio::test]
async fn ten_wrong_passwords_lock_an_account_until_the_first_is_old() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    // And one that does not exist is locked as well, or else this would tell.
    for email in [marie.email.as_str(), "nobody@example.com"] {
        for attempt in 0..10 {
            let answer = desk.login(email, WRONG).send().await;
            assert_eq!(answer.status, 401, "attempt {attempt} for {email}");
            desk.pass(seconds(30));
        }
        let locked = desk.login(email, PASSWORD).send().await;
        locked.expect_problem(429, "account-locked");
        assert_eq!(locked.header("retry-after"), "600", "15 minutes less the 5 since the first");
        desk.pass(seconds(599));
        let locked = desk.login(&email.to_uppercase(), PASSWORD).send().await;
        locked.expect_problem(429, "account-locked");
        assert_eq!(locked.header("retry-after"), "1");
        desk.pass(seconds(1));
    }
    desk.signed_in(&marie).await;
}

#[tokio::test]
async fn attempts_while_it_is_locked_do_not_count() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for _ in 0..25 {
        desk.login(&marie.email, WRONG).send().await;
    }
    assert_eq!(desk.count("login_attempts").await, 10);
    desk.pass(seconds(15 * 60));
    desk.signed_in(&marie).await;
}

#[tokio::test]
async fn the_right_password_forgives_what_went_before() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for _ in 0..3 {
        for _ in 0..9 {
            desk.login(&marie.email, WRONG).send().await.expect_problem(401, "credentials-invalid");
        }
        desk.signed_in(&marie).await;
    }
    assert_eq!(desk.count("login_attempts").await, 0);
}

#[tokio::test]
async fn wrong_passwords_a_quarter_of_an_hour_apart_lock_nothing() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    for _ in 0..30 {
        desk.login(&marie.email, WRONG).send().await.expect_problem(401, "credentials-invalid");
        desk.pass(seconds(100));
    }
    desk.signed_in(&marie).await;
}

#[tokio::test]
async fn one_account_s_lock_is_nobody_else_s_and_ends_no_session() {
    let desk = Desk::open().await;
    let (marie, luc) = (desk.register("marie").await, desk.register("luc").await);
    let tokens = desk.signed_in(&marie).await;
    for _ in 0..10 {
        desk.login(&marie.email, WRONG).send().await;
    }
    desk.login(&marie.email, PASSWORD).send().await.expect_problem(429, "account-locked");
    desk.signed_in(&luc).await;
    let _ = desk.refresh(&tokens["refresh_token"]).send().await.expect_status(200);
}

/// All forty have passed the first look before any is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_forty_guesses_at_once_ten_are_answered() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.app.warm_up().await;
    let answers = at_once((0..40).map(|_| desk.login(&marie.email, WRONG))).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((count(401), count(429)), (10, 30));
    desk.login(&marie.email, PASSWORD).send().await.expect_problem(429, "account-locked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_owner_may_sign_in_many_times_at_once() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    desk.app.warm_up().await;
    let answers = at_once((0..20).map(|_| desk.login(&marie.email, PASSWORD))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(desk.count("token_families").await, 20);
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn no_address_is_stored_with_an_attempt() {
    let desk = Desk::open().await;
    desk.login("nobody@example.com", "my secret of another shop").send().await;
    let rows: Vec<(Value,)> = desk.select("select to_jsonb(a) from login_attempts a").await;
    assert_eq!(rows.len(), 1);
    let text = rows[0].0.to_string();
    assert!(!text.contains("nobody") && !text.contains("secret"), "{text}");
}
