//! Refresh tokens: each is good once, and whoever shows one again ends them all.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::sign_in::verified;
use crate::support::{Desk, KEY, days, seconds};

/// What a refresh gives, which must be given.
async fn refreshed(desk: &Desk, token: &Value) -> Value {
    desk.refresh(token).send().await.expect_status(200).json::<Value>()
}

#[tokio::test]
async fn a_token_is_replaced_by_another() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let first = desk.signed_in(&marie).await;
    desk.pass(seconds(600));
    let answer = desk.refresh(&first["refresh_token"]).send().await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let second: Value = answer.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["customer_id"], marie.id);
    let (before, after) =
        (verified(&first["access_token"], KEY).unwrap(), verified(&second["access_token"], KEY).unwrap());
    assert_eq!((after.sub, after.exp), (before.sub, before.exp + 600));
    refreshed(&desk, &second["refresh_token"]).await;
    assert_eq!(desk.count("token_families").await, 1);
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn a_token_that_is_used_again_later_ends_everything_of_its_sign_in() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let (stolen, other) = (desk.signed_in(&marie).await, desk.signed_in(&marie).await);
    let second = refreshed(&desk, &stolen["refresh_token"]).await;
    let third = refreshed(&desk, &second["refresh_token"]).await;
    desk.pass(seconds(10));
    desk.refresh(&stolen["refresh_token"]).send().await.expect_problem(401, "token-invalid");
    for token in [&third, &second, &stolen] {
        let answer = desk.refresh(&token["refresh_token"]).send().await;
        answer.expect_problem(401, "token-invalid");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"comptoir\"");
    }
    let reasons: Vec<(String,)> = desk.select("select reason from token_families where revoked_at is not null").await;
    assert_eq!(reasons, [("reuse".to_owned(),)]);
    refreshed(&desk, &other["refresh_token"]).await;
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn within_ten_seconds_it_is_a_race_that_hurts_nobody() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let first = desk.signed_in(&marie).await;
    let second = refreshed(&desk, &first["refresh_token"]).await;
    desk.pass(seconds(9));
    desk.refresh(&first["refresh_token"]).send().await.expect_problem(409, "token-rotated");
    refreshed(&desk, &second["refresh_token"]).await;
}

#[tokio::test]
async fn of_twenty_at_once_exactly_one_wins_and_stays_signed_in() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let first = desk.signed_in(&marie).await;
    desk.app.warm_up().await;
    let answers = join_all((0..20).map(|_| desk.refresh(&first["refresh_token"]).send())).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.expect_problem(409, "token-rotated");
    }
    assert_eq!(desk.count("refresh_tokens").await, 2);
    refreshed(&desk, &winners[0].json::<Value>()["refresh_token"]).await;
    assert_eq!(desk.audit().await, json!([]));
}

#[tokio::test]
async fn a_token_waits_thirty_days_and_a_sign_in_ends_after_ninety() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let first = desk.signed_in(&marie).await;
    desk.pass(days(30));
    desk.refresh(&first["refresh_token"]).send().await.expect_problem(401, "token-invalid");

    let mut token = desk.signed_in(&marie).await;
    for _ in 0..3 {
        desk.pass(days(25));
        token = refreshed(&desk, &token["refresh_token"]).await;
    }
    assert_eq!(token["refresh_expires_in"], 15 * 24 * 3_600, "what is left of ninety days");
    desk.pass(days(15));
    desk.refresh(&token["refresh_token"]).send().await.expect_problem(401, "token-invalid");
}

#[tokio::test]
async fn signing_out_ends_what_the_sign_in_began() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let (first, other) = (desk.signed_in(&marie).await, desk.signed_in(&marie).await);
    let second = refreshed(&desk, &first["refresh_token"]).await;
    for _ in 0..2 {
        // With an old token as well: it is the same sign-in. And again.
        let _ = desk.logout(&first["refresh_token"]).send().await.expect_status(204);
    }
    desk.refresh(&second["refresh_token"]).send().await.expect_problem(401, "token-invalid");
    refreshed(&desk, &other["refresh_token"]).await;
    let _ = desk.logout(&json!("crt_unknown")).send().await.expect_status(204);
    let _ = desk.logout(&json!(format!("crt_{}", "A".repeat(43)))).send().await.expect_status(204);
}

#[tokio::test]
async fn what_was_never_given_out_is_no_token() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let tokens = desk.signed_in(&marie).await;
    for wrong in [json!(""), json!("crt_"), json!(format!("crt_{}", "A".repeat(43))), tokens["access_token"].clone()] {
        desk.refresh(&wrong).send().await.expect_problem(401, "token-invalid");
    }
}

#[tokio::test]
async fn no_token_is_in_the_database() {
    let desk = Desk::open().await;
    let marie = desk.register("marie").await;
    let tokens = desk.signed_in(&marie).await;
    let second = refreshed(&desk, &tokens["refresh_token"]).await;
    let hashes: Vec<(Vec<u8>, Vec<u8>)> =
        desk.select("select hash, convert_to(t::text, 'UTF8') from refresh_tokens t").await;
    assert_eq!(hashes.len(), 2);
    let rows: String = hashes.iter().map(|(_, row)| String::from_utf8_lossy(row).into_owned()).collect();
    let everything = desk.everything().await + &rows;
    for token in [&tokens, &second] {
        for name in ["refresh_token", "access_token"] {
            assert!(!everything.contains(token[name].as_str().unwrap()), "{name}");
        }
    }
}
