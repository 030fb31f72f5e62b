//! The compiler is a process that bounds itself and stands back; when it ends before its time, the
//! host says why.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::command::comptoir;
use crate::support::host::{Ended, Serve};
use crate::support::{eventually, guest};

/// A component that takes seconds to compile: functions as long as they may be.
static LABORIOUS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let body = "local.get 0 local.get 1 i32.mul local.get 1 local.get 0 i32.rotl i32.add local.set 0 ";
    let function = format!("(func (param i32 i32) (result i32) {} local.get 0)", body.repeat(20_000));
    let module = format!("(core module $m {})", function.repeat(24));
    guest::text(&format!("(component {module} (core instance (instantiate $m)))"))
});

/// A host whose first component is this one, with a cache of its own.
async fn refused(component: &[u8], flag: &str, value: &str) -> Ended {
    let cache = tempfile::tempdir().expect("a folder");
    let serve = Serve::guest("p2-hello").arg("--cache", cache.path()).arg(flag, value);
    std::fs::write(serve.component(), component).expect("the file");
    let ended = serve.end().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("refused at stage `compile`"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(cache.path()).expect("the cache").count(), 0, "something is left behind");
    ended
}

#[tokio::test]
async fn a_compiler_that_wants_too_much_memory_is_ended_with_advice() {
    let ended = refused(&guest::bytes("sdk-hello"), "--compile-memory-bytes", "120000000").await;
    assert!(ended.stderr.contains("takes more than 120000000 bytes of memory"), "{}", ended.stderr);
    assert!(ended.stderr.contains("more with `--compile-memory-bytes`"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_compiler_that_takes_too_long_is_ended_with_advice() {
    let ended = refused(&LABORIOUS, "--compile-cpu-s", "1").await;
    assert!(ended.stderr.contains("takes more than 1 s of CPU time"), "{}", ended.stderr);
    assert!(ended.stderr.contains("more with `--compile-cpu-s`"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_compiler_that_is_killed_is_told_from_a_component_that_is_wrong() {
    let cache = tempfile::tempdir().expect("a folder");
    let host = Serve::guest("p2-hello").arg("--cache", cache.path()).admin_token().start().await;
    let (refusal, ()) = tokio::join!(host.put(&LABORIOUS), async {
        let mut compiler = None;
        eventually("the compiler works", async || {
            compiler = child(host.pid());
            compiler.is_some()
        })
        .await;
        kill_process(compiler.expect("a process"), Signal::KILL).expect("a signal");
    });
    let refusal = refusal.expect_status(422).json();
    let detail = refusal["detail"].as_str().expect("a text");
    assert!(detail.contains("the compiler was killed") && detail.contains("load it again"), "{detail}");
    host.get("/").await.expect_status(200);
}

/// A child of a process.
fn child(parent: u32) -> Option<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).ok()?;
    let mut children = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    children.find_map(|children| Pid::from_raw(children.split_whitespace().next()?.parse().ok()?))
}

/// Ends the compiler with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_compiler_bounds_itself_and_stands_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let input: PathBuf = folder.path().join("component.wasm");
    std::fs::write(&input, &*LABORIOUS).expect("a file");
    let mut command = comptoir();
    command.arg("compile").arg(&input).arg(folder.path().join("artifact")).stderr(Stdio::null());
    let compiler = Running(command.spawn().expect("the program starts"));
    let process = Path::new("/proc").join(compiler.0.id().to_string());
    eventually("the compiler stands back", async || niceness(&process) == Some(10)).await;
    let limits = std::fs::read_to_string(process.join("limits")).expect("the limits");
    let limit =
        |name: &str| limits.lines().find_map(|line| line.strip_prefix(name)).expect("a limit").trim().to_owned();
    assert!(limit("Max address space").starts_with("2147483648 "), "{limits}");
    assert!(limit("Max cpu time").starts_with("120 "), "{limits}");
    assert!(limit("Max core file size").starts_with("0 "), "{limits}");
}

/// The 19th field of `stat`; the second, in parentheses, may have blanks.
fn niceness(process: &Path) -> Option<i32> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(16)?.parse().ok()
}
