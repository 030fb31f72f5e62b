//! What is not fit to serve is refused, with the stage, what is wrong and what to do about it, and
//! the version before goes on.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::support::client::Response;
use crate::support::command::administer;
use crate::support::database::Database;
use crate::support::host::{Host, Serve};
use crate::support::{eventually, guest};

/// A core module without anything in it.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

const TOO_MANY_TABLES: &str = "(component
    (core module $m (table 1 funcref) (table 1 funcref)) (core instance (instantiate $m)))";

/// A component that exports something of ours, and not all of it.
const HALF_A_SERVICE: &str = r#"(component
    (core module $m (func (export "migrations")))
    (core instance $i (instantiate $m))
    (func $migrations (canon lift (core func $i "migrations")))
    (instance $lifecycle (export "migrations" (func $migrations)))
    (export "comptoir:service/lifecycle@0.1.0" (instance $lifecycle)))"#;

/// What to do about a file that is not whole.
const RENAME: &str = "copy it under another name and rename it into place";

/// One that a guest which waits or computes for ever goes over soon.
const TIMEOUT_MS: &str = "1500";

/// Larger than any component may be.
const TOO_LARGE: u64 = (64 << 20) + 1;

struct Unfit {
    name: &'static str,
    bytes: Vec<u8>,
    stage: &'static str,
    /// What the message has to speak of: what is wrong, and what to do.
    says: &'static [&'static str],
}

fn unfit(name: &'static str, bytes: Vec<u8>, stage: &'static str, says: &'static [&'static str]) -> Unfit {
    Unfit { name, bytes, stage, says }
}

/// A guest that is refused.
fn refused(name: &'static str, stage: &'static str, says: &'static [&'static str]) -> Unfit {
    unfit(name, guest::bytes(name), stage, says)
}

/// What is not a component, or not the whole of one.
fn unfit_files() -> Vec<Unfit> {
    let whole = guest::bytes("sdk-hello-2");
    let middle = whole.len() / 2;
    let mut damaged = whole.clone();
    damaged[middle..middle + 64].fill(0xff);
    vec![
        unfit("empty", Vec::new(), "read", &["the file is empty", RENAME]),
        unfit("text", b"<html>404 Not Found</html>".to_vec(), "read", &["not WebAssembly", "is it another file"]),
        unfit("core-module", CORE_MODULE.to_vec(), "read", &["core module", "--target wasm32-wasip2"]),
        unfit("first-bytes", whole[..6].to_vec(), "read", &["first 8 bytes", RENAME]),
        unfit("truncated", whole[..middle].to_vec(), "read", &["not a complete component", RENAME]),
        unfit("damaged", damaged, "compile", &["the file is damaged", "build it again", RENAME]),
    ]
}

/// Components that this host cannot run.
fn unfit_components() -> Vec<Unfit> {
    vec![
        refused("wrong-world", "link", &["no HTTP handler", "wasi:http/handler@0.3"]),
        unfit("no-handler", guest::text("(component)"), "link", &["no HTTP handler", "wasi:http/handler@0.3"]),
        refused("sockets", "link", &["wasi:sockets", "does not grant", "comptoir check --help"]),
        unfit(
            "half-a-service",
            guest::text(HALF_A_SERVICE),
            "link",
            &["only a part of `comptoir:service`", "comptoir:service/background", "sdk::service!"],
        ),
        unfit(
            "too-much-memory",
            guest::text(guest::TOO_MUCH_MEMORY),
            "compile",
            &["minimum byte size of 2147483648", "exceeds the limit", "--initial-memory"],
        ),
        unfit(
            "too-many-tables",
            guest::text(TOO_MANY_TABLES),
            "compile",
            &["tables count of 2 exceeds", "build it with one table a module"],
        ),
    ]
}

/// Components that do not get as far as serving; those with migrations come after `migrated`, and in order.
fn unfit_guests() -> Vec<Unfit> {
    vec![
        refused("traps-on-start", "instantiate", &["failed on its start", "unreachable", "see its log lines"]),
        refused("misnamed-task", "instantiate", &["`Expire carts`", "its name must be"]),
        refused("spins-on-start", "instantiate", &["did not start within", "--request-timeout-ms"]),
        refused("allocates-on-start", "instantiate", &["failed on its start", "--max-memory-bytes", "or raise"]),
        refused("spins-in-migrations", "instantiate", &["`migrations` did not return within", "return a list"]),
        refused("migrated-failing", "migrate", &["migration 3 (`half`)", "rolled back, correct", "division by zero"]),
        refused("migrated-changed", "migrate", &["migration 1 (`notes`) was changed", "add a new one"]),
        refused("unhealthy", "probe", &["`GET /health`", "503", "log lines"]),
        refused("health-traps", "probe", &["failed its first request", "`GET /health`", "unreachable"]),
        refused("health-slow", "probe", &["was not answered to its end within", "--request-timeout-ms"]),
        refused("health-trickles", "probe", &["was not answered to its end within", "--request-timeout-ms"]),
        refused("health-endless", "probe", &["longer than 1048576 bytes", "answer it with a short text"]),
    ]
}

fn everything_unfit() -> Vec<Unfit> {
    unfit_files().into_iter().chain(unfit_components()).chain(unfit_guests()).collect()
}

impl Unfit {
    /// What is missing in a refusal, so that all cases are told at once.
    fn misses(&self, stage: &str, message: &str) -> Option<String> {
        let as_expected = stage == self.stage && self.says.iter().all(|part| message.contains(part));
        (!as_expected)
            .then(|| format!("{}: expected {} and {:?}\n{stage}: {message}", self.name, self.stage, self.says))
    }

    fn misses_in(&self, refusal: &serde_json::Value, message: &str) -> Option<String> {
        let text = |name: &str| refusal[name].as_str().unwrap_or_default();
        self.misses(text("stage"), text(message))
    }
}

async fn start(database: &Database) -> Host {
    let serve = Serve::guest("migrated").admin_token().database(database);
    serve.arg("--request-timeout-ms", TIMEOUT_MS).start().await
}

async fn serves_version(host: &Host, version: u64) {
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], version);
    assert_eq!(host.generation().await, version);
}

async fn refusals(host: &Host) -> f64 {
    host.metrics().await.find("component_swaps_total", &[("outcome", "refused")]).unwrap_or(0.0)
}

#[tokio::test]
pub async fn the_command_says_at_which_stage_and_why() {
    let database = Database::new().await;
    let host = start(&database).await;
    let mut wrong = Vec::new();
    for unfit in everything_unfit() {
        let file: PathBuf = host.directory().join(format!("{}.unfit", unfit.name));
        std::fs::write(&file, &unfit.bytes).expect("a file");
        let said = administer(&host, "swap", &[Path::new("migrated"), &file]).await;
        assert_eq!(said.code, 1, "{}: {said:#?}", unfit.name);
        let stage = said.stderr.split('`').nth(1).unwrap_or_default();
        wrong.extend(unfit.misses(stage, &said.stderr));
        wrong.extend(unfit.misses_in(&host.component().await["last_refusal"], "message"));
        serves_version(&host, 1).await;
        let labels = [("outcome", "refused"), ("stage", unfit.stage)];
        assert!(host.metrics().await.value("component_swaps_total", &labels) >= 1.0);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    host.put(&guest::bytes("migrated-more")).await.expect_status(200);
}

#[tokio::test]
pub async fn the_admin_port_says_at_which_stage_and_why() {
    let database = Database::new().await;
    let host = start(&database).await;
    let mut wrong = Vec::new();
    for unfit in everything_unfit() {
        let refusal: Response = host.put(&unfit.bytes).await;
        assert_eq!(refusal.status, 422, "{}: {}", unfit.name, refusal.text());
        wrong.extend(unfit.misses_in(&refusal.json(), "detail"));
        serves_version(&host, 1).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    host.put(&guest::bytes("migrated-more")).await.expect_status(200);
    serves_version(&host, 2).await;
}

#[tokio::test]
pub async fn a_file_that_does_not_fit_is_refused() {
    let database = Database::new().await;
    let host = start(&database).await;
    let mut wrong = Vec::new();
    for unfit in everything_unfit() {
        let before = refusals(&host).await;
        host.replace_file(&unfit.bytes);
        eventually(&format!("{} is refused", unfit.name), async || refusals(&host).await > before).await;
        wrong.extend(unfit.misses_in(&host.component().await["last_refusal"], "message"));
        serves_version(&host, 1).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    host.replace_file(&guest::bytes("migrated-more"));
    eventually("a version that fits serves", async || host.get("/hello").await.json()["version"] == 2).await;
}

#[tokio::test]
async fn a_host_whose_first_component_does_not_fit_ends() {
    let database = Database::new().await;
    let mut wrong = Vec::new();
    for unfit in everything_unfit() {
        let serve = Serve::guest("echo").database(&database).arg("--request-timeout-ms", TIMEOUT_MS);
        std::fs::write(serve.component(), &unfit.bytes).expect("the file");
        let ended = serve.end().await;
        assert_eq!(ended.status.code(), Some(1), "{}: {ended:#?}", unfit.name);
        let last_words = ended.stderr.rfind("error: refused").and_then(|start| ended.stderr.get(start..));
        let last_words = last_words.unwrap_or_default();
        let stage = last_words.split('`').nth(1).unwrap_or_default();
        wrong.extend(unfit.misses(stage, last_words));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// As a slow copy does it: longer than a host waits for a file to settle.
#[tokio::test]
async fn a_file_that_is_still_being_written_is_refused_until_it_is_whole() {
    let database = Database::new().await;
    let host = start(&database).await;
    let new = guest::bytes("migrated-more");
    let (first, second) = new.split_at(new.len() / 2);
    let mut file = std::fs::File::create(host.file()).expect("the file");
    file.write_all(first).expect("the first half");
    eventually("half a file is refused", async || refusals(&host).await >= 1.0).await;
    let refusal = host.component().await["last_refusal"].clone();
    let half = unfit("half", Vec::new(), "read", &["not a complete component", RENAME]);
    assert_eq!(half.misses_in(&refusal, "message"), None);
    serves_version(&host, 1).await;
    file.write_all(second).expect("the second half");
    drop(file);
    eventually("the whole serves", async || host.get("/hello").await.json()["version"] == 2).await;
}

#[tokio::test]
async fn what_is_too_large_for_a_component_is_not_read() {
    let database = Database::new().await;
    let host = start(&database).await;
    let too_large = unfit("too-large", Vec::new(), "read", &["larger than 67108864 bytes", "is it another file"]);
    let path = host.directory().join("too-large");
    std::fs::File::create(&path).and_then(|file| file.set_len(TOO_LARGE)).expect("a file");
    let said = administer(&host, "swap", &[Path::new("migrated"), &path]).await;
    assert_eq!((said.code, too_large.misses("read", &said.stderr)), (1, None), "{said:#?}");
    std::fs::rename(&path, host.file()).expect("a rename");
    eventually("it is refused", async || refusals(&host).await >= 1.0).await;
    assert_eq!(too_large.misses_in(&host.component().await["last_refusal"], "message"), None);
    let body = vec![0; usize::try_from(TOO_LARGE).expect("it fits")];
    let refusal = host.put(&body).await.expect_status(413).json();
    assert_eq!(too_large.misses("read", refusal["detail"].as_str().expect("a text")), None);
    serves_version(&host, 1).await;
}
