//! The whole platform as its users meet it: `comptoir up`, everything through the gateway.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{self, Client, Response};
use crate::support::command::comptoir;

/// Two clusters' worth of initdb, a host for each replica, and a machine that is busy with other tests.
const START: Duration = Duration::from_secs(180);
const SERVICES: [&str; 6] = ["products", "inventory", "customers", "orders", "checkout", "cart"];

pub struct Platform {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    gateway: String,
    admin: String,
    folder: Arc<TempDir>,
    client: Client,
}

impl Platform {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these components in the place of ours.
    pub async fn start_with(others: &[(&str, PathBuf)]) -> Self {
        // Postgres runs as another user when the tests run as root: the way must be open to it.
        let mut builder = tempfile::Builder::new();
        let folder = builder.permissions(std::fs::Permissions::from_mode(0o711)).tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("components")).expect("a folder");
        for service in SERVICES {
            let other = others.iter().find(|(name, _)| *name == service);
            let from = other.map_or_else(|| built(service), |(_, from)| from.clone());
            std::fs::copy(from, component(folder.path(), service)).expect("a copy of the component");
        }
        Self::start_in(Arc::new(folder)).await
    }

    async fn start_in(folder: Arc<TempDir>) -> Self {
        let mut command = comptoir();
        command.args(["up", "--free-ports", "--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--directory"]);
        command.arg(folder.path().join("data")).arg("--components").arg(folder.path().join("components"));
        command.arg("--kong").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../kong/kong.yml"));
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("a pipe");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.lock().expect("no panic").push(line);
            }
        });
        let client = Client::keep_alive();
        let mut platform = Self { child, lines, gateway: String::new(), admin: String::new(), folder, client };
        let waited = tokio::time::timeout(START, platform.ready()).await;
        waited.unwrap_or_else(|_| panic!("not ready within {START:?}:\n{}", platform.log()));
        platform.gateway = platform.line("gateway: ").trim_end_matches('/').to_owned();
        platform.admin = platform.line("admin:").split('/').take(3).collect::<Vec<_>>().join("/");
        platform
    }

    async fn ready(&mut self) {
        while !self.lines.lock().expect("no panic").iter().any(|line| line == "ready") {
            if let Some(status) = self.child.try_wait().expect("a child") {
                panic!("ended with {status}:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The rest of the first line that starts so.
    pub fn line(&self, start: &str) -> String {
        let lines = self.lines.lock().expect("no panic");
        let line = lines.iter().find_map(|line| line.strip_prefix(start)).expect("a line of the start");
        line.trim().to_owned()
    }

    fn log(&self) -> String {
        self.lines.lock().expect("no panic").join("\n")
    }

    fn key(&self, group: &str) -> String {
        let path = self.folder.path().join(format!("data/secrets/key-{group}"));
        std::fs::read_to_string(path).expect("a key").trim().to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let mut request = client::request(method, &self.url(path), headers);
        if !request.headers().contains_key("content-type") {
            request.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
        }
        *request.body_mut() = client::whole(Bytes::from(body.to_string()));
        self.client.send(request).await
    }

    async fn components(&self) -> Vec<Value> {
        let answer = self.client.get(format!("{}/components", self.admin)).await.expect_status(200).json();
        answer["components"].as_array().expect("a list").clone()
    }

    async fn wait(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let waited = tokio::time::timeout(START, async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("never happened: {what}\n{}", self.log()));
    }

    pub async fn stop(mut self) -> Arc<TempDir> {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a signal");
        let mut status = None;
        while status.is_none() {
            status = self.child.try_wait().expect("a child");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(status.is_some_and(|status| status.success()), "{status:?}:\n{}", self.log());
        self.folder.clone()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // Its Postgres ends with it only if it can say so.
            _ = kill_process(Pid::from_child(&self.child), Signal::INT);
            _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the platform's log:\n{}\n", self.log());
        }
    }
}

fn built(service: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_comptoir"));
    let target = program.parent().and_then(Path::parent).expect("target/release/comptoir");
    let path = target.join(format!("wasm32-wasip2/component/{service}.wasm"));
    assert!(path.is_file(), "there is no {}: run `make components`", path.display());
    path
}

fn component(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("components/{service}.wasm"))
}

/// The same component with another digest: a custom section at its end.
fn another_version(service: &str, tag: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(built(service)).expect("a component");
    bytes.extend_from_slice(&[0, 3, 1, b'v', tag]);
    bytes
}

fn replace(folder: &Path, service: &str, bytes: &[u8]) {
    let new = folder.join("new.wasm");
    std::fs::write(&new, bytes).expect("a file");
    std::fs::rename(new, component(folder, service)).expect("a rename");
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
    let text = platform.client.get(format!("{}/metrics", platform.admin)).await.expect_status(200);
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
        replace(platform.folder.path(), "products", &another_version("products", tag));
        platform
            .wait("the new version serves", async || {
                current(&platform.components().await, "products", "digest") != before
            })
            .await;
    }
    // The command replaces all replicas.
    let new = platform.folder.path().join("cart-2.wasm");
    std::fs::write(&new, another_version("cart", 1)).expect("a file");
    let mut swap = comptoir();
    swap.args(["swap", "cart"]).arg(&new).arg("--admin").arg(platform.admin.trim_start_matches("http://"));
    swap.arg("--admin-token-file").arg(platform.folder.path().join("data/secrets/admin-token"));
    let said = crate::support::command::run(swap).await;
    assert_eq!(said.code, 0, "{said:?}");
    for replica in ["cart-1", "cart-2", "cart-3"] {
        assert!(said.stdout.contains(&format!("{replica}: switched (generation 2)")), "{said:?}");
    }
    replace(platform.folder.path(), "products", b"garbage");
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
    let pid_file = find_postmaster(&platform);
    let pid = postmaster(&pid_file).expect("a running Postgres");
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("a signal");
    platform
        .wait("requests are answered again", async || {
            let answer = platform.get("/api/v1/products/1").await;
            if answer.status != 200 {
                answer.expect_status(503).expect_problem(503, "database-unavailable");
                return false;
            }
            postmaster(&pid_file).is_some_and(|now| now != pid)
        })
        .await;
    platform.stop().await;
}

fn postmaster(pid_file: &Path) -> Option<i32> {
    std::fs::read_to_string(pid_file).ok()?.lines().next()?.trim().parse().ok()
}

/// Postgres may lie elsewhere than asked for, when its user cannot reach the folder.
fn find_postmaster(platform: &Platform) -> PathBuf {
    let postgres = platform.folder.path().join("data/postgres");
    let candidates = [postgres.join("postmaster.pid"), postgres.join("data/postmaster.pid")];
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no postmaster.pid:\n{}", platform.log()))
}
