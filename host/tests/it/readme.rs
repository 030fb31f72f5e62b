//! The README is a promise: its commands are run as they are written, and say what it says that they say.

use std::env::{join_paths, split_paths, var_os};
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use crate::support::command::{Said, command, comptoir, run};
use crate::support::platform::Platform;

const README: &str = include_str!("../../../README.md");

/// In a comment, whatever is in between.
const ELLIPSIS: &str = "...";

/// Has curl say how each request was answered, beside what the README has it say.
const TELLING: &str = r#"curl() { command curl -w '%{stderr}%{http_code} %{method} %{url}\n' "$@"; }"#;

#[tokio::test]
async fn its_commands_do_what_it_says() {
    let platform = Platform::start().await;
    let reader = Reader::of(&platform);
    assert_eq!(reader.follows("First requests", 0).await, ["412 PATCH /api/v1/products/2"]);
    assert_eq!(reader.follows("A day in a store", 0).await, [""; 0]);
    assert_eq!(reader.follows("A swap to watch", 2).await, [""; 0]);
    reader.is_refused_what_is_no_component().await;
    platform.stop().await;
}

/// Somebody with a shell in a folder where `make up` was run.
struct Reader<'a> {
    platform: &'a Platform,
    folder: TempDir,
}

impl<'a> Reader<'a> {
    fn of(platform: &'a Platform) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        symlink(platform.folder().join("data"), folder.path().join(".comptoir")).expect("a link");
        Self { platform, folder }
    }

    /// Runs the block of shell commands of that number. Answers that are no success are returned; all of them, and what
    /// comments say of the output, have to be there, in that order.
    async fn follows(&self, heading: &str, number: usize) -> Vec<String> {
        let commands = *blocks(heading, "sh").get(number).expect("a block of commands");
        let gateway = self.platform.url("").replace("http://", "");
        let here =
            commands.replace("localhost:8000", &gateway).replace("localhost:9464", self.platform.admin_address());
        let Said { code, stdout, stderr } = self.run(&format!("set -e\n{TELLING}\n{here}")).await;
        assert_eq!(code, 0, "{heading}: {stderr}\n{stdout}");
        let mut rest = stdout.as_str();
        for piece in claims(commands) {
            let (_, after) = rest.split_once(piece).unwrap_or_else(|| panic!("{heading}: no {piece} in {rest}"));
            rest = after;
        }
        let requests: Vec<String> = stderr.lines().map(|line| line.replace(&gateway, "")).collect();
        assert_eq!(requests.len(), commands.matches("curl -").count(), "{heading}: {requests:#?}");
        requests.into_iter().filter(|line| !line.starts_with('2')).collect()
    }

    async fn is_refused_what_is_no_component(&self) {
        let shown = blocks("A swap to watch", "console");
        let (typed, shown) = shown.first().and_then(|block| block.split_once('\n')).expect("a command and its output");
        assert_eq!(typed, "$ comptoir swap products garbage.wasm");
        std::fs::write(self.folder.path().join("garbage.wasm"), "garbage").expect("a file");
        let said = self.run(typed.trim_start_matches("$ ")).await;
        assert!(said.code != 0 && said.stderr == shown, "{said:#?}\n{shown}");
    }

    async fn run(&self, script: &str) -> Said {
        let program = comptoir();
        let ours = Path::new(program.get_program()).parent().expect("a folder").to_owned();
        let others = var_os("PATH").unwrap_or_default();
        let path = join_paths([ours].into_iter().chain(split_paths(&others))).expect("folders");
        let mut shell = command("bash");
        shell
            .arg("-c")
            .arg(script)
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("COMPTOIR_ADMIN", self.platform.admin_address());
        run(shell).await
    }
}

/// The fenced blocks of that kind under a heading.
fn blocks(heading: &str, kind: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("a heading");
    let section = section.split("\n## ").next().expect("a section");
    let parts = section.split("```").skip(1).step_by(2);
    parts.filter_map(|part| part.strip_prefix(kind)?.strip_prefix('\n')).collect()
}

/// What comments say of what is printed.
fn claims(commands: &str) -> impl Iterator<Item = &str> {
    let comments = commands.lines().filter_map(|line| line.strip_prefix('#'));
    let output = comments.filter(|comment| comment.contains(ELLIPSIS));
    output.flat_map(|comment| comment.split(ELLIPSIS)).map(str::trim).filter(|piece| !piece.is_empty())
}
