//! What is over is forgotten, and nothing else.

use customers::SERVICE;
use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD, days, seconds};

async fn run(desk: &Desk, name: &str) {
    let task = SERVICE.tasks.iter().find(|task| task.name == name).unwrap();
    (task.run)(desk.app.context().clone()).await.unwrap();
}

#[tokio::test]
async fn tokens_are_kept_until_they_expire_also_used_ones() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let first = desk.signed_in(&marie).await;
    desk.pass(days(20));
    let second = desk.refresh(&first["refresh_token"]).send().await.expect_status(200).json::<Value>();
    desk.pass(days(10) - seconds(1));
    run(&desk, "purge-refresh-tokens").await;
    assert_eq!((desk.count("refresh_tokens").await, desk.count("token_families").await), (2, 1));
    // The first has expired, the second has not.
    desk.pass(seconds(1));
    run(&desk, "purge-refresh-tokens").await;
    assert_eq!((desk.count("refresh_tokens").await, desk.count("token_families").await), (1, 1));
    let _ = desk.refresh(&second["refresh_token"]).send().await.expect_status(200);
    desk.pass(days(60));
    run(&desk, "purge-refresh-tokens").await;
    assert_eq!((desk.count("refresh_tokens").await, desk.count("token_families").await), (0, 0));
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn wrong_passwords_are_forgotten_when_they_count_no_longer() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        desk.login("nobody@example.com", PASSWORD).send().await.expect_problem(401, "credentials-invalid");
        desk.pass(seconds(300));
    }
    // The first is exactly a quarter of an hour old.
    run(&desk, "purge-login-attempts").await;
    assert_eq!(desk.count("login_attempts").await, 2);
    desk.pass(days(1));
    run(&desk, "purge-login-attempts").await;
    assert_eq!(desk.count("login_attempts").await, 0);
}

#[tokio::test]
async fn a_batch_is_not_the_end() {
    let desk = Desk::open().await;
    let insert = "insert into login_attempts (account, failed_at)
        select sha256(n::text::bytea), '2026-01-01' from generate_series(1, 2500) n";
    desk.app.database().administer(insert).await;
    run(&desk, "purge-login-attempts").await;
    assert_eq!(desk.count("login_attempts").await, 0);
}

#[test]
fn every_task_is_named_once() {
    let names: Vec<&str> = SERVICE.tasks.iter().map(|task| task.name).collect();
    assert_eq!(names, ["purge-refresh-tokens", "purge-login-attempts", "purge-idempotency-keys"]);
}
