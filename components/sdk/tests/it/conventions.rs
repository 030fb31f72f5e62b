//! What our HTTP interfaces have in common: problems, entity tags, pages, roles, the current request.

use crate::service::{SERVICE, app};
use futures_util::future::join_all;
use sdk::testing::TestApp;
use sdk::{Clock, Role};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::util::SubscriberInitExt as _;

fn cad(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

async fn app_with_notes(count: i64) -> TestApp {
    let app = app().await;
    for number in 1..=count {
        let note = json!({"title": format!("note {number}"), "price": cad(number)});
        let _ = app.post("/api/v1/notes").json(&note).send().await.expect_status(201);
    }
    app
}

#[tokio::test]
async fn every_service_says_that_it_is_well_and_ready() {
    let app = app().await;
    let health = app.get("/health").send().await.expect_status(200);
    assert_eq!(health.json::<Value>(), json!({"status": "ok", "service": "notes"}));
    assert_eq!(health.header("content-type"), "application/json");
    let _ = app.get("/ready").send().await.expect_status(200);
    let document = app.get("/openapi.json").send().await.expect_status(200);
    assert_eq!(document.json::<Value>(), json!({"openapi": "3.1.0"}));
}

#[tokio::test]
async fn a_service_without_its_database_is_well_and_not_ready() {
    let app = TestApp::of(&SERVICE).without_database();
    let _ = app.get("/health").send().await.expect_status(200);
    let ready = app.get("/ready").send().await;
    ready.expect_problem(503, "database-unavailable");
    assert_eq!(ready.header("retry-after"), "1");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let app = TestApp::of(&SERVICE).without_database();
    let response = app.get("/api/v1/nothing?a=b").header("x-request-id", "r-1").send().await;
    assert_eq!(
        response.problem(),
        json!({
            "type": "urn:comptoir:problem:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "there is nothing at this path",
            "instance": "/api/v1/nothing",
            "code": "not-found",
            "request_id": "<request-id>",
        })
    );
    assert_eq!(response.json::<Value>()["request_id"], "r-1");
    assert_eq!(response.header("x-comptoir-route"), "unmatched");
    app.get("/api/v1/notes/seven").send().await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_a_problem_that_lists_those_that_are() {
    let app = TestApp::of(&SERVICE).without_database();
    let response = app.delete("/api/v1/notes").send().await;
    response.expect_problem(405, "method-not-allowed");
    let mut allowed: Vec<&str> = response.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    assert_eq!(response.header("x-comptoir-route"), "/api/v1/notes");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = app_with_notes(1).await;
    let get = app.get("/api/v1/notes/1").send().await.expect_status(200);
    let head = app.request(http::Method::HEAD, "/api/v1/notes/1").send().await.expect_status(200);
    assert!(head.body.is_empty());
    for name in ["content-type", "content-length", "etag", "x-comptoir-route"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(get.header("x-comptoir-route"), "/api/v1/notes/{id}");
}

#[tokio::test]
async fn bodies_are_refused_for_what_is_wrong_with_them() {
    let app = TestApp::of(&SERVICE).without_database();
    let post = || app.post("/api/v1/notes");
    let send = |kind, body: &str| post().body(kind, body.to_owned()).send();

    let problem = send("application/json", r#"{"title":"a","price":{"amount":1.5,"currency":"CAD"}}"#).await;
    let problem = problem.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/price/amount");

    let problem = send("application/json; charset=utf-8", r#"{"name":"a"}"#).await;
    let problem = problem.expect_problem(422, "validation-failed");
    let expected = json!([{
        "pointer": "/name",
        "code": "unknown-field",
        "detail": "unknown field `name`, expected `title` or `price`",
    }]);
    assert_eq!(problem["errors"], expected);

    send("application/json", "{\"title\":").await.expect_problem(400, "json-malformed");
    send("text/plain", "{}").await.expect_problem(415, "unsupported-media-type");
    post().send().await.expect_problem(415, "unsupported-media-type");
    let large = send("application/json", &" ".repeat((1 << 20) + 1)).await;
    assert_eq!(large.expect_problem(413, "content-too-large")["bytes_max"], 1 << 20);
}

#[tokio::test]
async fn parameters_are_refused_for_what_is_wrong_with_them() {
    let app = TestApp::of(&SERVICE).without_database();
    let problem = app.get("/api/v1/notes?pages=2").send().await.expect_problem(400, "invalid-query");
    let expected = json!([{
        "parameter": "pages",
        "code": "unknown-parameter",
        "detail": "unknown parameter `pages`, expected one of `limit`, `after`, `q`",
    }]);
    assert_eq!(problem["errors"], expected);
    let problem = app.get("/api/v1/notes?limit=201").send().await.expect_problem(400, "invalid-query");
    assert_eq!(problem["errors"][0]["code"], "out-of-range");
    app.get("/api/v1/notes?after=zzz").send().await.expect_problem(400, "cursor-invalid");
}

#[tokio::test]
async fn pages_show_everything_once_and_keep_the_filters() {
    let app = app_with_notes(5).await;
    let mut path = "/api/v1/notes?limit=2&q=note".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = app.get(&path).send().await.expect_status(200);
        let body: Value = page.json();
        seen.extend(body["data"].as_array().unwrap().iter().map(|note| note["id"].as_i64().unwrap()));
        let Some(cursor) = body["next_cursor"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        let link = format!("</api/v1/notes?limit=2&q=note&after={cursor}>; rel=\"next\"");
        assert_eq!(page.header("link"), link);
        path = format!("/api/v1/notes?limit=2&q=note&after={cursor}");
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_version_that_the_client_has_is_not_sent_again() {
    let app = app_with_notes(1).await;
    let first = app.get("/api/v1/notes/1").send().await.expect_status(200);
    assert_eq!(first.header("etag"), "\"1\"");
    let show = |tags| app.get("/api/v1/notes/1").header("if-none-match", tags).send();
    let again = show("\"0\", W/\"1\"").await.expect_status(304);
    assert!(again.body.is_empty());
    assert_eq!(again.header("etag"), "\"1\"");
    assert_eq!(again.header("content-type"), "");
    let _ = show("\"2\"").await.expect_status(200);
}

#[tokio::test]
async fn of_many_changes_to_one_version_one_wins() {
    let app = app_with_notes(1).await;
    let body = json!({"title": "changed", "price": cad(7)});
    let put = || app.put("/api/v1/notes/1").json(&body);

    let missing = put().send().await;
    missing.expect_problem(428, "if-match-required");
    put().header("if-match", "1").send().await.expect_problem(400, "if-match-invalid");

    let changes = (0..8).map(|_| put().header("if-match", "\"1\"").send());
    let answers = join_all(changes).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.expect_problem(412, "precondition-failed");
        assert_eq!(lost.header("etag"), "\"2\"");
    }
    let any = put().header("if-match", "*").send().await.expect_status(200);
    assert_eq!(any.header("etag"), "\"3\"");
}

#[tokio::test]
async fn roles_are_what_the_headers_say() {
    let app = TestApp::of(&SERVICE).without_database();
    let staff = || app.get("/api/v1/staff");
    let nobody = staff().send().await;
    nobody.expect_problem(401, "authentication-required");
    assert_eq!(nobody.header("www-authenticate"), "Key realm=\"comptoir\"");
    staff().as_role(Role::Pos).send().await.expect_problem(403, "forbidden");
    staff().as_role(Role::Service).send().await.expect_problem(403, "forbidden");
    let stranger = staff().header("x-consumer-username", "eve").send().await;
    stranger.expect_problem(403, "forbidden");
    let anonymous = staff().as_role(Role::Hq).header("x-anonymous-consumer", "true").send().await;
    anonymous.expect_problem(401, "authentication-required");

    let both = staff().header("x-consumer-username", "ana").header("x-consumer-groups", "pos, manager");
    let both = both.send().await.expect_status(200);
    assert_eq!(both.json::<Value>(), json!({"name": "ana", "key": "consumer:ana"}));
}

#[tokio::test]
async fn a_bug_is_500_and_says_nothing() {
    let app = app().await;
    let problem = app.get("/api/v1/broken").send().await.expect_problem(500, "internal");
    assert_eq!(
        problem,
        json!({
            "type": "urn:comptoir:problem:internal",
            "title": "Internal",
            "status": 500,
            "instance": "/api/v1/broken",
            "code": "internal",
            "request_id": "<request-id>",
        })
    );
}

/// What is logged on this thread, while the guard lives.
fn capture_log() -> (tracing::subscriber::DefaultGuard, Arc<Mutex<Vec<u8>>>) {
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt().with_writer(move || Sink(Arc::clone(&sink))).finish();
    (subscriber.set_default(), log)
}

#[tokio::test]
async fn the_cause_of_a_bug_is_logged_once_with_the_request() {
    let app = app().await;
    let (_guard, log) = capture_log();
    let _ = app.get("/api/v1/broken").header("x-request-id", "r-13").send().await.expect_status(500);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("ERROR").count(), 1, "{log}");
    for text in ["a request failed by a bug", "nowhere", "42P01", "r-13"] {
        assert!(log.contains(text), "{text}: {log}");
    }
}

#[tokio::test]
async fn a_constraint_by_its_name_is_an_answer() {
    let app = app_with_notes(1).await;
    let post = |title, cents| app.post("/api/v1/notes").json(&json!({"title": title, "price": cad(cents)})).send();
    post("note 1", 1).await.expect_problem(409, "title-taken");
    let problem = post("note 2", -1).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/price");
}

#[tokio::test]
async fn lines_have_a_result_each() {
    let app = app_with_notes(1).await;
    let text = r#"{"title":"a","price":{"amount":1,"currency":"CAD"}}

{"title":"note 1","price":{"amount":1,"currency":"CAD"}}
{"title":"b"}
nonsense
"#;
    let import = app.post("/api/v1/notes/import").body("application/x-ndjson", text).send().await;
    let expected = json!({"data": [
        {"line": 1, "id": 2},
        {"line": 3, "code": "title-taken"},
        {"line": 4, "code": "validation-failed"},
        {"line": 5, "code": "json-malformed"},
    ]});
    assert_eq!(import.expect_status(201).json::<Value>(), expected);
    let wrong = app.post("/api/v1/notes/import").json(&json!([])).send().await;
    wrong.expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn requests_that_run_at_once_are_not_taken_for_each_other() {
    let app = app().await;
    let app = &app;
    let requests = (0..24).map(|number| async move {
        let id = format!("request-{number}");
        let response = app.get("/api/v1/request").header("x-request-id", &id).send().await;
        (id, response.expect_status(200).json::<Value>())
    });
    for (id, seen) in join_all(requests).await {
        assert_eq!((&seen["before"], &seen["after"]), (&json!(id), &json!(id)));
        assert_eq!(seen["route"], "/api/v1/request");
    }
    let generated = app.get("/api/v1/request").send().await.json::<Value>();
    assert_eq!(generated["before"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn a_fixed_clock_moves_when_it_is_told_to() {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let app = TestApp::of(&SERVICE).clock(Clock::fixed(now)).without_database();
    let clock = &app.context().clock;
    assert_eq!(clock.now(), now);
    clock.clone().advance(jiff::SignedDuration::from_secs(90));
    assert_eq!(clock.now().to_string(), "2026-11-22T12:01:30Z");
    let (first, second) = (sdk::new_uuid_v7(clock), sdk::new_uuid_v7(clock));
    assert_ne!(first, second);
    assert_eq!(first.get_version_num(), 7);
    assert_eq!(first.get_timestamp().map(|time| time.to_unix().0), Some(1_795_348_890));
}
