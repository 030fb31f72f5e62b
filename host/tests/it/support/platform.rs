//! The whole platform as its users meet it: `comptoir up`, a child process that ends with the test.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use super::books::{Books, Service};
use super::client::{self, Body, Client, Response};
use super::command::comptoir;
use super::guest;

/// Two clusters' worth of initdb, eight hosts, and a machine that is busy with other tests.
const START: Duration = Duration::from_secs(180);
pub const SERVICES: [&str; 8] =
    ["products", "inventory", "reports", "sales", "customers", "orders", "cart", "checkout"];

pub struct Platform {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    gateway: String,
    admin: String,
    folder: Arc<TempDir>,
    client: Client,
}

impl Platform {
    pub async fn start() -> Self {
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
            let from = other.map_or_else(|| guest::service(service), |(_, from)| from.clone());
            std::fs::copy(from, folder.path().join(format!("components/{service}.wasm"))).expect("a copy");
        }
        Self::start_in(Arc::new(folder)).await
    }

    pub async fn start_in(folder: Arc<TempDir>) -> Self {
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

    pub fn log(&self) -> String {
        self.lines.lock().expect("no panic").join("\n")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn secret_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/secrets").join(name)
    }

    pub fn secret(&self, name: &str) -> String {
        std::fs::read_to_string(self.secret_file(name)).expect("a secret").trim().to_owned()
    }

    /// Of a group of staff.
    pub fn key(&self, group: &str) -> String {
        self.secret(&format!("key-{group}"))
    }

    /// Host and port.
    pub fn admin_address(&self) -> &str {
        self.admin.trim_start_matches("http://")
    }

    pub async fn admin(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.admin)).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        self.client.send(self.request(method, path, headers, body)).await
    }

    pub fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Request<Body> {
        let mut request = client::request(method, &self.url(path), headers);
        if !request.headers().contains_key("content-type") {
            request.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
        }
        *request.body_mut() = client::whole(Bytes::from(body.to_string()));
        request
    }

    pub async fn components(&self) -> Vec<Value> {
        let answer = self.admin("/components").await.expect_status(200).json();
        answer["components"].as_array().expect("a list").clone()
    }

    pub async fn wait(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let waited = tokio::time::timeout(START, async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("never happened: {what}\n{}", self.log()));
    }

    /// Where it listens; of several, the first one.
    pub fn service(&self, name: &str) -> SocketAddr {
        let replica = if name == "cart" { "cart-1" } else { name };
        let address = self.line(&format!("{replica}: http://"));
        address.split('/').next().expect("an address").parse().expect("an address")
    }

    /// What the services' databases say.
    pub fn books(&self) -> Books {
        let port = self.line("postgres: ready on port ");
        let port = port.split(' ').next().expect("a port");
        let service = |name: &'static str| {
            let (role, database) = (format!("comptoir_{name}"), name);
            let password = self.secret(&format!("postgres-{role}"));
            let url = format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}?sslmode=disable");
            let address = self.service(name);
            (name, Service { address, database: PgConnectOptions::from_str(&url).expect("a URL") })
        };
        Books::new(SERVICES.map(service).into(), &self.secret("service-secret"))
    }

    /// The process of the server; none while it starts.
    pub fn postmaster(&self) -> Option<i32> {
        // Postgres may lie elsewhere than asked for, when its user cannot reach the folder.
        let postgres = self.folder.path().join("data/postgres");
        let files = [postgres.join("postmaster.pid"), postgres.join("data/postmaster.pid")];
        files.iter().find_map(|file| std::fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok())
    }

    pub fn kill_postgres(&self) {
        let pid = self.postmaster().expect("a running Postgres");
        kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("a signal");
    }

    /// All of it at once, as when a machine loses its power. What is left is in the folder.
    pub fn power_fails(&self) -> Arc<TempDir> {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("a signal");
        self.kill_postgres();
        self.folder.clone()
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
