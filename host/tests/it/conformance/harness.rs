//! A suite that was not written for this host can drive it: by its command line, the first line that it
//! says, and a signal.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::client::Client;
use crate::support::command::comptoir;
use crate::support::{guest, in_time};

/// Also when the component is new, and compiled first.
#[tokio::test]
async fn the_first_line_says_where_it_serves_and_an_interrupt_ends_it() {
    let cache = tempfile::tempdir().expect("a folder");
    for run in ["new", "known"] {
        let mut command = comptoir();
        command.arg("serve").arg(guest::path("p3-conformance")).args(["--listen", "127.0.0.1:0", "--cache"]);
        command.arg(cache.path().join("artifacts")).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("a host");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let first = in_time("a line", lines.next_line()).await.expect("text").expect("a line");
        let port = first.strip_prefix("Serving HTTP on http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
        let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{run}: {first}"));
        Client::fresh().get(format!("http://127.0.0.1:{port}/")).await.expect_status(200);
        let pid = Pid::from_raw(child.id().expect("a running process").cast_signed()).expect("a process");
        kill_process(pid, Signal::INT).expect("a running process");
        // Somebody has to take what it says last.
        while in_time("the last line", lines.next_line()).await.expect("text").is_some() {}
        let status = in_time("its end", child.wait()).await.expect("an end");
        assert!(status.success(), "{run}: {status}");
    }
}
