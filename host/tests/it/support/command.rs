//! The program's other commands, which do their work and end.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::host::{ADMIN_TOKEN, Host};
use super::in_time;

/// The program.
pub fn comptoir() -> Command {
    command(env!("CARGO_BIN_EXE_comptoir"))
}

/// Without settings of whoever runs the tests.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let settings = std::env::vars_os().map(|(name, _)| name);
    for name in settings.filter(|name| name.to_string_lossy().starts_with("COMPTOIR_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs it to its end.
pub async fn run(command: Command) -> Said {
    let mut command = tokio::process::Command::from(command);
    let output: Output = in_time("a command", command.kill_on_drop(true).output()).await.expect("the program starts");
    Said {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A command that needs the admin token: `swap`, `rollback`.
pub async fn administer(host: &Host, command: &str, arguments: &[&Path]) -> Said {
    let token = host.directory().join("token-of-the-command");
    std::fs::write(&token, ADMIN_TOKEN).expect("a token");
    let mut program = comptoir();
    program
        .arg(command)
        .args(arguments)
        .arg("--admin")
        .arg(host.admin.to_string())
        .arg("--admin-token-file")
        .arg(token);
    run(program).await
}
