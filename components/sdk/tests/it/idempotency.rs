//! A request that is sent again has its effect once.

use crate::service::{NewNote, SERVICE, app, insert};
use axum::extract::FromRequestParts as _;
use futures_util::future::join_all;
use http::Request;
use sdk::testing::TestApp;
use sdk::{Clock, Executor, Idempotency, Problem, Reply, Role, Tx, params};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Barrier;

fn note(title: &str) -> Value {
    json!({"title": title, "price": {"amount": 299, "currency": "CAD"}})
}

fn new_note(title: &str) -> NewNote {
    serde_json::from_value(note(title)).unwrap()
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    let (count,): (i64,) = app.db().query_one(&sql, params![]).await.unwrap();
    count
}

/// What the extractor makes of a POST with that key.
async fn keyed(key: &str) -> Idempotency {
    let request = Request::post("/api/v1/notes").header("idempotency-key", key).body(()).unwrap();
    Idempotency::from_request_parts(&mut request.into_parts().0, &()).await.unwrap()
}

#[tokio::test]
async fn a_repetition_is_answered_with_the_first_answer() {
    let app = app().await;
    let post = || app.post("/api/v1/notes").idempotency_key("k-1");
    let first = post().json(&note("a")).send().await.expect_status(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    // The same members in another order are the same body.
    let body = r#"{ "price": {"currency":"CAD","amount":299}, "title": "a" }"#;
    let again = post().body("application/json", body).send().await.expect_status(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body, first.body);
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
        assert!(!first.header(name).is_empty(), "{name}");
    }
    assert_eq!(count(&app, "notes").await, 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_principal() {
    let app = app().await;
    let post = |title| app.post("/api/v1/notes").idempotency_key("k-1").json(&note(title));
    let _ = post("a").send().await.expect_status(201);
    post("b").send().await.expect_problem(422, "idempotency-key-reused");
    let _ = post("c").as_role(Role::Hq).send().await.expect_status(201);
    assert_eq!(count(&app, "notes").await, 2);
}

#[tokio::test]
async fn keys_have_a_syntax() {
    let app = TestApp::of(&SERVICE).without_database();
    for key in ["", "with space", &"k".repeat(256)] {
        let response = app.post("/api/v1/notes").idempotency_key(key).json(&note("a")).send().await;
        response.expect_problem(400, "idempotency-key-invalid");
    }
}

#[tokio::test]
async fn without_a_key_every_request_counts() {
    let app = app().await;
    let post = || app.post("/api/v1/notes").json(&note("a")).send();
    let _ = post().await.expect_status(201);
    post().await.expect_problem(409, "title-taken");
    assert_eq!(count(&app, "idempotency_keys").await, 0);
}

#[tokio::test]
async fn a_failure_is_not_stored() {
    let app = app().await;
    let _ = app.post("/api/v1/notes").json(&note("a")).send().await.expect_status(201);
    let post = || app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a")).send();
    post().await.expect_problem(409, "title-taken");
    assert_eq!(count(&app, "idempotency_keys").await, 0);
    let _ = app.delete("/api/v1/notes/1").send().await.expect_status(204);
    let retried = post().await.expect_status(201);
    assert_eq!(retried.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn while_the_first_runs_the_second_is_told_to_wait() {
    let app = app().await;
    let (inside, go) = (Barrier::new(2), Barrier::new(2));
    let first = keyed("k-1").await;
    let body = new_note("a");
    let create = |tx: Tx| {
        let (inside, go, body) = (&inside, &go, &body);
        async move {
            inside.wait().await;
            go.wait().await;
            Ok(Reply::ok(&insert(&tx, body).await?))
        }
    };
    let second = async {
        inside.wait().await;
        let request = app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a"));
        let response = request.send().await;
        response.expect_problem(409, "idempotency-in-progress");
        assert_eq!(response.header("retry-after"), "1");
        // Another key is not in the way.
        let other = app.post("/api/v1/notes").idempotency_key("k-2").json(&note("b"));
        let _ = other.send().await.expect_status(201);
        go.wait().await;
    };
    let (first, ()) = tokio::join!(first.run(app.db(), &body, create), second);
    assert!(first.is_ok());
    let again = app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a")).send().await;
    assert_eq!(again.expect_status(200).header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn of_many_at_once_one_has_an_effect() {
    let app = app().await;
    let requests = (0..10).map(|_| app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a")).send());
    let answers = join_all(requests).await;
    let fresh = answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotent-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(409, "idempotency-in-progress");
    }
    assert_eq!(count(&app, "notes").await, 1);
}

#[tokio::test]
async fn a_crash_after_the_effect_and_before_the_answer_undoes_the_effect() {
    let app = app().await;
    let inside = Barrier::new(2);
    let crashing = keyed("k-1").await;
    let body = new_note("a");
    let create = |tx: Tx| {
        let (inside, body) = (&inside, &body);
        async move {
            insert(&tx, body).await?;
            inside.wait().await;
            std::future::pending::<Result<Reply, Problem>>().await
        }
    };
    tokio::select! {
        _ = crashing.run(app.db(), &body, create) => unreachable!("it hangs"),
        _ = inside.wait() => {}
    }
    // The connection is on its way back; until then the key is locked.
    let retried = loop {
        let response = app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a")).send().await;
        if response.status != 409 {
            break response;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(retried.expect_status(201).header("idempotent-replayed"), "");
    assert_eq!(count(&app, "notes").await, 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_stored_undoes_the_effect() {
    let app = app().await;
    app.database().administer("drop table idempotency_keys").await;
    let post = app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a"));
    post.send().await.expect_problem(500, "internal");
    assert_eq!(count(&app, "notes").await, 0);
}

#[tokio::test]
async fn the_effect_runs_once_even_when_its_transaction_is_run_again() {
    let app = app().await;
    let attempts = AtomicU32::new(0);
    let body = new_note("a");
    let create = |tx: Tx| {
        let (body, attempt) = (&body, attempts.fetch_add(1, Ordering::Relaxed));
        async move {
            let note = insert(&tx, body).await?;
            if attempt == 0 {
                let raise = "select 1 / 0 where pg_sleep(0) is not null";
                let _ = tx.query_values(raise, params![]).await;
                return Err(Problem::from(sdk::DbError::Database {
                    sqlstate: "40001".to_owned(),
                    message: "could not serialize access".to_owned(),
                    detail: None,
                    constraint: None,
                    table: None,
                }));
            }
            Ok(Reply::ok(&note))
        }
    };
    assert!(keyed("k-1").await.run(app.db(), &body, create).await.is_ok());
    assert_eq!(attempts.into_inner(), 2);
    assert_eq!(count(&app, "notes").await, 1);
}

#[tokio::test]
async fn answers_are_kept_for_a_day() {
    let clock = Clock::fixed(jiff::Timestamp::now());
    let app = TestApp::of(&SERVICE).clock(clock.clone()).build().await;
    let post = app.post("/api/v1/notes").idempotency_key("k-1").json(&note("a"));
    let _ = post.send().await.expect_status(201);
    let purge = SERVICE.tasks[0].run;
    clock.advance(jiff::SignedDuration::from_hours(23));
    purge(app.context().clone()).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 1);
    clock.advance(jiff::SignedDuration::from_hours(2));
    purge(app.context().clone()).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 0);
}

#[tokio::test]
async fn a_key_can_be_stored_with_an_effect_of_its_own() {
    let claim = keyed("k-1").await.claim(&note("a")).unwrap();
    assert_eq!((claim.principal.as_str(), claim.key.as_str(), claim.fingerprint.len()), ("anonymous", "k-1", 32));
    assert_eq!(keyed("k-1").await.claim(&note("a")).unwrap(), claim);
    assert_ne!(keyed("k-1").await.claim(&note("b")).unwrap().fingerprint, claim.fingerprint);
    let request = Request::post("/api/v1/notes").body(()).unwrap();
    let without = Idempotency::from_request_parts(&mut request.into_parts().0, &()).await.unwrap();
    assert_eq!(without.claim(&note("a")).unwrap_err().get_code(), "idempotency-key-required");
}
