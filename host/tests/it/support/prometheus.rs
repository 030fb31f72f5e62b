//! A real Prometheus, over the rules of `observability/`, and `promtool`. `.tools/prometheus` says where
//! they are, and what to do where they are not.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use super::client::{self, Client, Response};
use super::command::{Said, run};
use super::eventually;

/// A range of `$__rate_interval`, at a scrape a second.
const RATE_INTERVAL: &str = "10s";

pub fn observability() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../observability")
}

/// The directory that holds the programs.
fn programs() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/prometheus");
        let found = Command::new(script).arg("--find").output().expect("a script that runs");
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        PathBuf::from(String::from_utf8(found.stdout).expect("a path").trim())
    })
}

/// In `observability/prometheus`.
pub async fn promtool(arguments: &[&str]) -> Said {
    let mut command = Command::new(programs().join("promtool"));
    command.args(arguments).current_dir(observability().join("prometheus")).stdin(Stdio::null());
    run(command).await
}

/// Looks at a platform once a second, by `laptop.yml`. Ends with the test.
pub struct Prometheus {
    child: Child,
    folder: TempDir,
    address: String,
    client: Client,
}

impl Prometheus {
    /// `admin`: host and port of the platform's metrics.
    pub async fn start(admin: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let source = observability().join("prometheus");
        std::fs::create_dir(folder.path().join("rules")).expect("a folder");
        for rules in std::fs::read_dir(source.join("rules")).expect("rules") {
            let rules = rules.expect("rules").path();
            let name = rules.file_name().expect("a name");
            std::fs::copy(&rules, folder.path().join("rules").join(name)).expect("a copy");
        }
        let config = std::fs::read_to_string(source.join("laptop.yml")).expect("a configuration");
        for here in ["127.0.0.1:9464", "127.0.0.1:9091", "interval: 15s", "timeout: 10s"] {
            assert!(config.contains(here), "{here} is not in laptop.yml any more");
        }
        let config = config.replace("127.0.0.1:9464", admin).replace("127.0.0.1:9091", &address);
        let config = config.replace("interval: 15s", "interval: 1s").replace("timeout: 10s", "timeout: 1s");
        std::fs::write(folder.path().join("prometheus.yml"), config).expect("a file");

        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(programs().join("prometheus"));
        command.arg(format!("--web.listen-address={address}")).current_dir(folder.path());
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        let mut prometheus = Self { child, folder, address, client: Client::keep_alive() };
        prometheus.is_ready().await;
        prometheus
    }

    async fn is_ready(&mut self) {
        eventually("Prometheus is ready", async || {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", self.log());
            let answer = self.client.try_send(client::get(&self.url("/-/ready"))).await;
            answer.is_ok_and(|answer| answer.status == 200)
        })
        .await;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).await
    }

    /// How many numbers the answer to a panel's query has; Grafana's variables are what they are for "all".
    pub async fn numbers(&self, query: &str) -> Result<usize, String> {
        let query = query.replace("$__rate_interval", RATE_INTERVAL).replace("$service", ".+");
        let answer = self.get(&format!("/api/v1/query?query={}", percent_encoded(&query))).await;
        let document = answer.json();
        if answer.status != 200 {
            return Err(format!("{query}: {}", document["error"]));
        }
        let series = document["data"]["result"].as_array().expect("series");
        Ok(series.iter().filter(|series| series["value"][1] != "NaN").count())
    }

    /// Of every series that there was since the start.
    pub async fn names(&self) -> BTreeSet<String> {
        let answer = self.get("/api/v1/label/__name__/values").await.expect_status(200).json();
        let names = answer["data"].as_array().expect("names").iter();
        names.map(|name| name.as_str().expect("a name").to_owned()).collect()
    }

    /// All rules, as it has evaluated them.
    pub async fn rules(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/rules").await.expect_status(200).json();
        let groups = answer["data"]["groups"].as_array().expect("groups").iter();
        groups.flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of Prometheus:\n{}\n", self.log());
        }
    }
}

/// Free at this moment: Prometheus has to look at itself, so its port is needed before it starts.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("a string takes everything"),
        }
        encoded
    })
}
