//! What browsers are given: pages that are asked for anew each time, files that are kept for ever, in
//! the coding that they take; and what a page may not do.

use axum::Router;
use sdk::Context;
use sdk::testing::{TestApp, TestResponse};
use sdk::web::{Bundle, File, Worker, routes, routes_with_worker};

const fn file(name: &'static str, content_type: &'static str, digest: &'static str) -> File {
    File { name, content_type, digest, identity: Some(b"as it is"), brotli: Some(b"br"), gzip: b"gz" }
}

static BUNDLE: Bundle = Bundle {
    service: "notes",
    digest: "d1",
    assets: &[
        file("boot.js", "text/javascript; charset=utf-8", "b1"),
        file("notes.css", "text/css; charset=utf-8", "c1"),
        file("worker.js", "text/javascript; charset=utf-8", "w1"),
        File { identity: None, brotli: None, ..file("large.js", "text/javascript; charset=utf-8", "l1") },
    ],
    pages: &[file("docs.html", "text/html; charset=utf-8", "o1"), file("notes.html", "text/html; charset=utf-8", "p1")],
};
static NOTES: &File = BUNDLE.page("notes.html");

fn router(_: Context) -> Router {
    routes(&BUNDLE, &[("/", NOTES), ("/note/{id}", NOTES)])
}

static WORKER: Worker = Worker { script: BUNDLE.file("worker.js"), path: "/note/worker", scope: "/note" };

fn router_with_worker(_: Context) -> Router {
    routes_with_worker(&BUNDLE, &[("/note", NOTES)], WORKER)
}

async fn get(path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let app = TestApp::builder(router, "notes", &[]).without_database();
    headers.iter().fold(app.get(path), |request, (name, value)| request.header(name, value)).send().await
}

#[tokio::test]
async fn a_page_is_asked_for_each_time_and_sent_when_it_is_another() {
    for path in ["/", "/note/7"] {
        let page = get(path, &[]).await.expect_status(200);
        assert_eq!(page.text(), "as it is");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!((page.header("etag"), page.header("cache-control")), ("\"p1\"", "no-cache"));
        let same = get(path, &[("if-none-match", "\"p1\"")]).await.expect_status(304);
        assert_eq!(same.text(), "");
        assert_eq!((same.header("etag"), same.header("cache-control")), ("\"p1\"", "no-cache"));
        let _ = get(path, &[("if-none-match", "\"p0\"")]).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_file_is_kept_for_ever_under_the_digest_of_all() {
    let file = get("/assets/notes/d1/notes.css", &[]).await.expect_status(200);
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!((file.header("etag"), file.header("x-content-type-options")), ("\"c1\"", "nosniff"));
    assert_eq!(file.header("cross-origin-resource-policy"), "same-origin");
}

#[tokio::test]
async fn what_is_of_another_version_is_not_there_and_never_kept() {
    for path in ["/assets/notes/d0/notes.css", "/assets/notes/d1/absent.js", "/assets/notes/d1/notes.html"] {
        let answer = get(path, &[]).await;
        answer.expect_problem(404, "asset-not-found");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    get("/assets/others/d1/notes.css", &[]).await.expect_problem(404, "not-found");
    // It is what loads the page again.
    let boot = get("/assets/notes/d0/boot.js", &[]).await.expect_status(200);
    assert_eq!(boot.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_client_gets_the_smallest_coding_that_it_takes() {
    for (accepted, coding, tag, content) in [
        ("gzip, deflate, br, zstd", "br", "\"p1.br\"", "br"),
        ("br;q=0.1, gzip;q=1.0", "br", "\"p1.br\"", "br"),
        ("BR", "br", "\"p1.br\"", "br"),
        ("gzip, deflate", "gzip", "\"p1.gzip\"", "gz"),
        ("br;q=0, gzip", "gzip", "\"p1.gzip\"", "gz"),
        ("br; q=0.000, *;q=0.5", "gzip", "\"p1.gzip\"", "gz"),
        ("*", "br", "\"p1.br\"", "br"),
        ("*;q=0", "", "\"p1\"", "as it is"),
        ("identity", "", "\"p1\"", "as it is"),
        ("", "", "\"p1\"", "as it is"),
    ] {
        let page = get("/", &[("accept-encoding", accepted)]).await.expect_status(200);
        let got = (page.header("content-encoding"), page.header("etag"), page.text());
        assert_eq!(got, (coding, tag, content.to_owned()), "{accepted}");
        assert_eq!(page.header("vary"), "accept-encoding");
        // The tag of another coding is of something else.
        let headers = [("accept-encoding", accepted), ("if-none-match", "\"p1.zstd\"")];
        let _ = get("/", &headers).await.expect_status(200);
        let headers = [("accept-encoding", accepted), ("if-none-match", tag)];
        let same = get("/", &headers).await.expect_status(304);
        assert_eq!((same.header("content-encoding"), same.header("vary")), ("", "accept-encoding"), "{accepted}");
    }
}

#[tokio::test]
async fn a_page_runs_its_own_scripts_only_and_is_shown_in_no_other() {
    let page = get("/", &[]).await.expect_status(200);
    let policy = page.header("content-security-policy").to_owned();
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(directives.contains(&directive), "{directive} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    let _ = get("/", &[("if-none-match", "\"p1\"")]).await.expect_status(304);
}

#[tokio::test]
async fn what_is_large_is_compressed_for_everybody() {
    for accepted in ["gzip, br", "gzip", "br", "identity", ""] {
        let file = get("/assets/notes/d1/large.js", &[("accept-encoding", accepted)]).await.expect_status(200);
        let got = (file.header("content-encoding"), file.header("etag"), file.text());
        assert_eq!(got, ("gzip", "\"l1.gzip\"", "gz".to_owned()), "{accepted}");
    }
}

#[tokio::test]
async fn every_service_shows_its_document() {
    let page = get("/docs", &[]).await.expect_status(200);
    assert_eq!((page.header("content-type"), page.header("etag")), ("text/html; charset=utf-8", "\"o1\""));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("referrer-policy")), ("DENY", "no-referrer"));
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let app = TestApp::builder(router, "notes", &[]).without_database();
    for path in ["/", "/assets/notes/d1/boot.js"] {
        let answer = app.post(path).send().await;
        answer.expect_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

#[tokio::test]
async fn a_worker_answers_for_pages_beside_it_and_they_may_register_it() {
    let app = TestApp::builder(router_with_worker, "notes", &[]).without_database();
    let worker = app.get("/note/worker").send().await.expect_status(200);
    assert_eq!(worker.header("service-worker-allowed"), "/note");
    assert_eq!(worker.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!((worker.header("etag"), worker.header("cache-control")), ("\"w1\"", "no-cache"));
    assert!(worker.header("content-security-policy").ends_with("trusted-types 'none'"));
    let page = app.get("/note").send().await.expect_status(200);
    assert!(page.header("content-security-policy").ends_with("trusted-types worker"));
    assert!(get("/", &[]).await.header("content-security-policy").ends_with("trusted-types 'none'"));
}
