//! The whole platform as its users meet it: `comptoir up`, everything through the gateway.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::{Value, json};

use crate::support::client::{self, Client};
use crate::support::command::comptoir;
use crate::support::guest;
use crate::support::platform::{Platform, SERVICES};

/// The same component with another digest: a custom section at its end.
fn another_version(service: &str, tag: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(guest::service(service)).expect("a component");
    bytes.extend_from_slice(&[0, 3, 1, b'v', tag]);
    bytes
}

fn replace(folder: &Path, service: &str, bytes: &[u8]) {
    let new = folder.join("new.wasm");
    std::fs::write(&new, bytes).expect("a file");
    std::fs::rename(new, folder.join(format!("components/{service}.wasm"))).expect("a rename");
}

#[tokio::test]
async fn from_the_first_request_to_the_second_start() {
    let platform = Platform::start().await;
    catalogue(&platform).await;
    staff(&platform).await;
    stock(&platform).await;
    let cart = carts(&platform).await;
    gateway_keeps_the_inside_in(&platform).await;
    metrics(&platform).await;

    let folder = platform.stop().await;
    let platform = Platform::start_in(folder).await;
    let cart = platform.get(&format!("/api/v1/carts/{cart}")).await.expect_status(200).json();
    assert_eq!(cart["lines"][0]["quantity"], 32, "the second start finds the data: {cart:#}");
    platform.stop().await;
}

async fn catalogue(platform: &Platform) {
    let list = platform.get("/api/v1/products?limit=5").await.expect_status(200).json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(5));
    let found = platform.get("/api/v1/products?q=cafe").await.expect_status(200).json();
    let names: Vec<&str> =
        found["data"].as_array().expect("a list").iter().filter_map(|p| p["name"].as_str()).collect();
    assert!(names.contains(&"Café"), "{names:?}");
    let basket =
        json!({"lines": [{"product_id": 1, "quantity": 2}, {"product_id": 3, "quantity": 1}], "payment": "cash"});
    let quote = platform.send(Method::POST, "/api/v1/price-quotes", &[], &basket).await.expect_status(200).json();
    assert_eq!(quote["total"], json!({"amount": 1118, "currency": "CAD"}));
    assert_eq!(quote["cash_total"], json!({"amount": 1120, "currency": "CAD"}));
    platform.get("/api/products/openapi.json").await.expect_status(200);
}

async fn staff(platform: &Platform) {
    let product = platform.get("/api/v1/products/2").await.expect_status(200);
    let etag = product.header("etag").expect("an ETag").to_owned();
    let change = json!({"description": "changed"});
    let path = "/api/v1/products/2";
    let (hq, pos) = (platform.key("hq"), platform.key("pos"));
    platform.send(Method::PATCH, path, &[("if-match", &etag)], &change).await.expect_status(401);
    let wrong = [("if-match", etag.as_str()), ("x-api-key", "wrong")];
    platform.send(Method::PATCH, path, &wrong, &change).await.expect_status(401);
    let forged = [("if-match", etag.as_str()), ("x-consumer-groups", "hq"), ("x-consumer-username", "hq")];
    platform.send(Method::PATCH, path, &forged, &change).await.expect_status(401);
    let till = [("if-match", etag.as_str()), ("x-api-key", pos.as_str())];
    platform.send(Method::PATCH, path, &till, &change).await.expect_status(403);
    let staff = [("if-match", etag.as_str()), ("x-api-key", hq.as_str())];
    platform.send(Method::PATCH, path, &staff, &change).await.expect_status(200);
    let stale = platform.send(Method::PATCH, path, &staff, &json!({"description": "stale"})).await;
    stale.expect_problem(412, "precondition-failed");
}

/// What can be had is for everybody, the rest for staff.
async fn stock(platform: &Platform) {
    let available = platform.get("/api/v1/stock/availability/1").await.expect_status(200).json();
    assert_eq!(available["locations"].as_array().map(Vec::len), Some(6), "{available:#}");
    platform.get("/api/v1/locations").await.expect_status(200);
    platform.get("/api/v1/stock/1/1").await.expect_status(401);
    platform.get("/api/inventory/openapi.json").await.expect_status(200);
}

/// Leaves a cart with 32 of one product.
async fn carts(platform: &Platform) -> String {
    let cart = platform.send(Method::POST, "/api/v1/carts", &[], &json!({})).await.expect_status(201).json();
    let id = cart["id"].as_str().expect("an id").to_owned();
    let items = format!("/api/v1/carts/{id}/items");
    let one = json!({"product_id": 1, "quantity": 1});
    let adds = (0..32).map(|_| platform.send(Method::POST, &items, &[], &one));
    for answer in futures_util::future::join_all(adds).await {
        assert!(answer.status.is_success(), "{answer:?}");
    }
    let cart = platform.get(&format!("/api/v1/carts/{id}")).await.expect_status(200).json();
    assert_eq!(cart["lines"][0]["quantity"], 32, "parallel adds sum up: {cart:#}");

    let mut replicas = std::collections::BTreeSet::new();
    for _ in 0..12 {
        let health = platform.get("/api/cart/health").await.expect_status(200);
        replicas.insert(health.header("x-served-by").expect("a replica").to_owned());
    }
    assert_eq!(replicas.into_iter().collect::<Vec<_>>(), ["cart-1", "cart-2", "cart-3"]);
    let product = platform.get("/api/v1/products/1").await;
    assert_eq!(product.header("x-served-by"), Some("products"));
    id
}

async fn gateway_keeps_the_inside_in(platform: &Platform) {
    for path in
        ["/internal/v1/carts/x/snapshot", "/api/cart/internal/v1/carts/x/snapshot", "/api/products/api/v1/products"]
    {
        platform.get(path).await.expect_status(404);
    }
}

async fn metrics(platform: &Platform) {
    let text = platform.admin("/metrics").await.expect_status(200);
    for service in SERVICES {
        assert!(text.text().contains(&format!("service=\"{service}\"")), "{service} has no series");
    }
    assert!(text.text().contains("http_route=\"/api/v1/carts/{id}\""), "routes are templates");
}

#[tokio::test]
async fn a_swap_is_not_noticed_and_rubbish_is_refused() {
    let platform = Arc::new(Platform::start().await);
    let stop = Arc::new(AtomicBool::new(false));
    let loops: Vec<_> = [Client::keep_alive(), Client::fresh()]
        .into_iter()
        .map(|client| {
            let (stop, url) = (stop.clone(), platform.url("/api/v1/products/1"));
            tokio::spawn(async move {
                let mut answers = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.try_send(client::get(&url)).await.expect("an answer");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let current = |list: &[Value], service: &str, key: &str| {
        list.iter().find(|item| item["service"] == service).map(|item| item["current"][key].clone()).expect("a service")
    };
    for tag in 1..=3 {
        let before = current(&platform.components().await, "products", "digest");
        replace(platform.folder(), "products", &another_version("products", tag));
        platform
            .wait("the new version serves", async || {
                current(&platform.components().await, "products", "digest") != before
            })
            .await;
    }
    // The command replaces all replicas.
    let new = platform.folder().join("cart-2.wasm");
    std::fs::write(&new, another_version("cart", 1)).expect("a file");
    let mut swap = comptoir();
    swap.args(["swap", "cart"]).arg(&new).arg("--admin").arg(platform.admin_address());
    swap.arg("--admin-token-file").arg(platform.secret_file("admin-token"));
    let said = crate::support::command::run(swap).await;
    assert_eq!(said.code, 0, "{said:?}");
    for replica in ["cart-1", "cart-2", "cart-3"] {
        assert!(said.stdout.contains(&format!("{replica}: switched (generation 2)")), "{said:?}");
    }
    replace(platform.folder(), "products", b"garbage");
    let refusal = |list: &[Value]| {
        list.iter().find(|item| item["service"] == "products").map(|item| item["last_refusal"].clone())
    };
    platform
        .wait("the refusal is told", async || {
            refusal(&platform.components().await).is_some_and(|found| !found.is_null())
        })
        .await;
    let found = refusal(&platform.components().await).expect("a refusal");
    assert_eq!(found["stage"], "read");
    assert!(found["message"].as_str().is_some_and(|message| message.contains("not WebAssembly")), "{found}");
    platform.get("/api/v1/products/1").await.expect_status(200);

    stop.store(true, Ordering::Relaxed);
    for requests in loops {
        assert!(requests.await.expect("no failed request") > 0);
    }
    Arc::into_inner(platform).expect("nobody else has it").stop().await;
}

#[tokio::test]
async fn a_killed_postgres_is_a_503_and_comes_back() {
    let platform = Platform::start().await;
    platform.get("/api/v1/products/1").await.expect_status(200);
    let pid = platform.postmaster().expect("a running Postgres");
    platform.kill_postgres();
    platform
        .wait("requests are answered again", async || {
            let answer = platform.get("/api/v1/products/1").await;
            if answer.status != 200 {
                answer.expect_status(503).expect_problem(503, "database-unavailable");
                return false;
            }
            platform.postmaster().is_some_and(|now| now != pid)
        })
        .await;
    platform.stop().await;
}
