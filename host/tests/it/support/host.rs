//! Running hosts. A host is a child process that ends with the test, and whose log is shown when
//! the test fails.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use tempfile::TempDir;

use super::client::{self, Client, Response};
use super::database::Database;
use super::metrics::Metrics;
use super::{eventually, eventually_within, guest, in_time};

/// The token of every host that has one.
pub const ADMIN_TOKEN: &str = "the-admin-token";

/// Components are compiled one after another, and other tests have theirs compiled as well.
const COMPILING: Duration = Duration::from_secs(180);

const ANNOUNCEMENT: &str = "Serving HTTP on http://";

/// `comptoir serve`, about to be started; or `comptoir gateway`, which says in the same way that it serves.
pub struct Serve {
    command: &'static str,
    flags: Vec<(String, Option<OsString>)>,
    directory: TempDir,
    component: PathBuf,
}

impl Serve {
    /// The guest in a file of its own, which a test may replace.
    pub fn guest(name: &str) -> Self {
        Self::component_of(name, &guest::path(name))
    }

    /// One of the platform's own components.
    pub fn service(name: &str) -> Self {
        Self::component_of(name, &guest::service(name))
    }

    fn component_of(name: &str, from: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let component = directory.path().join("component.wasm");
        std::fs::copy(from, &component).expect("a copy of the component");
        Self { command: "serve", flags: Vec::new(), directory, component }
            .anywhere()
            .arg("--name", name)
            .arg("--cache", cache())
    }

    /// In the place of a component: what the gateway is to do.
    pub fn gateway(kong: &str) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let component = directory.path().join("kong.yml");
        std::fs::write(&component, kong).expect("a file");
        Self { command: "gateway", flags: Vec::new(), directory, component }.anywhere()
    }

    fn anywhere(self) -> Self {
        self.arg("--listen", "127.0.0.1:0").arg("--admin", "127.0.0.1:0").arg("--log-format", "json")
    }

    /// A flag and its value, in place of an earlier value.
    pub fn arg(mut self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.flags.retain(|(known, _)| known != flag || flag == "--peer" || flag == "--target");
        self.flags.push((flag.to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// A flag without a value.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push((flag.to_owned(), None));
        self
    }

    pub fn database(self, database: &Database) -> Self {
        self.arg("--database-url", database.url())
    }

    pub fn peer(self, name: &str, address: SocketAddr) -> Self {
        self.arg("--peer", format!("{name}={address}"))
    }

    /// A flag whose value is the path of a file with this content.
    pub fn secret(self, flag: &str, secret: &str) -> Self {
        let path = self.directory.path().join(flag.trim_start_matches('-'));
        std::fs::write(&path, format!("{secret}\n")).expect("a file for a secret");
        self.arg(flag, path)
    }

    /// What the component may ask for by that name.
    pub fn granted(self, name: &str, secret: &str) -> Self {
        let path = self.directory.path().join(name);
        std::fs::write(&path, secret).expect("a file for a secret");
        self.arg("--secret", format!("{name}={}", path.display()))
    }

    pub fn admin_token(self) -> Self {
        self.secret("--admin-token-file", ADMIN_TOKEN)
    }

    /// Everything on one thread.
    pub fn one_shard(self) -> Self {
        self.arg("--shards", "1")
    }

    /// The file that is served, to prepare it.
    pub fn component(&self) -> &Path {
        &self.component
    }

    /// Waits until it serves.
    pub async fn start(self) -> Host {
        let mut host = self.spawn();
        let mut addresses = None;
        eventually_within(COMPILING, "the host says where it serves", async || {
            if let Some(status) = host.child.try_wait().expect("a child") {
                panic!("the host ended with {status}");
            }
            addresses = host.log.addresses();
            addresses.is_some()
        })
        .await;
        (host.address, host.admin) = addresses.expect("both addresses");
        host
    }

    /// Waits until it has ended by itself.
    pub async fn end(self) -> Ended {
        let mut host = self.spawn();
        let status = host.ended().await;
        // What it said last may still be in the pipe.
        let reader = host.reader.take().expect("taken once");
        in_time("the end of the log", tokio::task::spawn_blocking(|| reader.join()))
            .await
            .expect("no panic")
            .expect("no panic");
        Ended { status, stderr: host.log.text() }
    }

    fn spawn(self) -> Host {
        let mut command = super::command::comptoir();
        command.arg(self.command).arg(&self.component);
        for (flag, value) in &self.flags {
            command.arg(flag).args(value);
        }
        let input = self.directory.path().join("input");
        std::fs::write(&input, "which no component gets to read").expect("a file");
        let input = std::fs::File::open(input).expect("a file");
        let mut child = command.stdin(input).stderr(Stdio::piped()).spawn().expect("the program starts");
        let log = Log::default();
        let (lines, stderr) = (log.clone(), child.stderr.take().expect("a pipe"));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.0.lock().expect("no panic").push(line);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Host {
            child,
            reader: Some(reader),
            log,
            address: nowhere,
            admin: nowhere,
            client: Client::keep_alive(),
            component: self.component,
            directory: self.directory,
        }
    }
}

/// Compiled guests are shared by all tests and runs; a test of the cache has one of its own.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("artifacts")
}

/// A host that did not stay.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

/// A running host.
pub struct Host {
    child: Child,
    /// Ends with the log.
    reader: Option<JoinHandle<()>>,
    pub log: Log,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    client: Client,
    component: PathBuf,
    directory: TempDir,
}

impl Host {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.client.send(client::request(http::Method::GET, &self.url(path), headers)).await
    }

    pub async fn post(&self, path: &str, body: impl Into<bytes::Bytes>) -> Response {
        self.client.send(client::post(&self.url(path), body)).await
    }

    pub async fn admin(&self, path: &str) -> Response {
        self.client.get(self.admin_url(path)).await
    }

    pub async fn metrics(&self) -> Metrics {
        Metrics::parse(self.admin("/metrics").await.expect_status(200).text())
    }

    /// What the admin port says about the component.
    pub async fn component(&self) -> Value {
        self.admin("/components").await.expect_status(200).json()["components"][0].clone()
    }

    /// The number of the generation that serves.
    pub async fn generation(&self) -> u64 {
        let component = self.component().await;
        component["current"]["generation"].as_u64().unwrap_or_else(|| panic!("no generation: {component:#}"))
    }

    /// The file that is served.
    pub fn file(&self) -> &Path {
        &self.component
    }

    /// A folder for this test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Puts another component in the place of the one that is served, in one step.
    pub fn replace_file(&self, bytes: &[u8]) {
        let new = self.directory.path().join("new.wasm");
        std::fs::write(&new, bytes).expect("a new file");
        std::fs::rename(new, &self.component).expect("a rename");
    }

    /// As `comptoir swap` does it.
    pub async fn put(&self, component: &[u8]) -> Response {
        let name = self.component().await["service"].as_str().expect("a name").to_owned();
        let mut request = client::post(&self.admin_url(&format!("/components/{name}")), component.to_vec());
        *request.method_mut() = http::Method::PUT;
        let token = format!("Bearer {ADMIN_TOKEN}");
        request.headers_mut().insert("authorization", token.parse().expect("a header"));
        self.client.send(request).await
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a running process");
    }

    /// How many files it may have open from now on.
    pub fn limit_files(&self, limit: Rlimit) {
        prlimit(Some(Pid::from_child(&self.child)), Resource::Nofile, limit).expect("a running process");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the host ends", async || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        })
        .await;
        status.expect("a status")
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the host with {}:\n{}\n", self.component.display(), self.log.text());
        }
    }
}

/// What a host wrote to standard error so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }

    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The lines that are JSON.
    pub fn records(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Records of one level: `ERROR`, `WARN`.
    pub fn at(&self, level: &str) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["level"] == level).collect()
    }

    pub fn has(&self, message: &str) -> bool {
        self.records().iter().any(|record| record["message"] == message)
    }

    /// Waits for such a record: a host writes it before it answers, and the pipe brings it later.
    pub async fn tells(&self, what: &str, record: impl Fn(&Value) -> bool) {
        eventually(&format!("the log tells {what}"), async || self.records().iter().any(&record)).await;
    }

    /// Waits for that message.
    pub async fn says(&self, message: &str) {
        self.tells(message, |record| record["message"] == message).await;
    }

    fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        let text = self.text();
        let announced = text.lines().find_map(|line| line.strip_prefix(ANNOUNCEMENT))?;
        // In either format.
        let admin = text.lines().find(|line| line.contains("admin port"))?;
        let admin = admin.rsplit_once("admin=").map(|(_, address)| address.to_owned()).or_else(|| {
            let record: Value = serde_json::from_str(admin).ok()?;
            Some(record["admin"].as_str()?.to_owned())
        })?;
        Some((announced.trim_end_matches('/').parse().ok()?, admin.parse().ok()?))
    }
}
