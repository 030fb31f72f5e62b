//! What a component answers reaches the client as it is.

use super::{GUESTS, faults, start};
use crate::support::client::{self, Client};
use crate::support::host::Serve;
use crate::support::raw;

#[tokio::test]
async fn headers_arrive_with_all_their_values_and_bytes() {
    for guest in GUESTS {
        let host = start(guest).await;
        let answer = raw::exchange(host.address, "GET /headers HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert_eq!(answer.all("x-many"), [&b"one"[..], b"two", b""], "{guest}");
        assert_eq!(answer.all("x-other"), [b"between"], "{guest}");
        assert_eq!(answer.all("set-cookie"), [b"a=1", b"b=2"], "{guest}");
        assert_eq!(answer.all("x-bytes"), [b"caf\xe9 \xff"], "{guest}");
    }
}

/// WASI 0.3 on wasmtime goes to 599, as HTTP does; 0.2 takes whatever has three digits.
#[tokio::test]
async fn every_final_status_reaches_the_client() {
    for (guest, last) in GUESTS.into_iter().zip([599, 999]) {
        let host = start(guest).await;
        let client = Client::keep_alive();
        let mut wrong = Vec::new();
        for code in (200..1001).chain([0, 1, 99, u16::MAX]) {
            let answer = client.get(host.url(&format!("/status?code={code}"))).await;
            let accepted = (200..=last).contains(&code);
            let expected = if accepted { (code, false) } else { (200, true) };
            if (answer.status.as_u16(), answer.text().contains("refused")) != expected {
                wrong.push(format!("{code}: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{guest}: {}", wrong.join("\n"));
    }
}

/// An informational status promises an answer that does not come; 101 would hand over the connection.
#[tokio::test]
async fn a_status_that_is_no_answer_is_an_error_of_the_component() {
    for guest in GUESTS {
        let host = start(guest).await;
        for code in [100, 101, 102, 103, 199] {
            let answer = host.get(&format!("/status?code={code}")).await;
            answer.expect_problem(500, "component-error");
        }
        host.get("/").await.expect_status(200);
        assert_eq!(faults(&host).await, 0.0, "{guest}");
    }
}

/// Whatever the component wrote: the next answer on the connection is where the client looks for it.
#[tokio::test]
async fn an_answer_that_has_no_body_leaves_the_connection_in_step() {
    let cases = [
        ("GET", "/status?code=204", None),
        ("GET", "/status?code=304", None),
        ("GET", "/length?promised=5&written=5&code=204", None),
        ("GET", "/length?promised=5&written=5&code=304", None),
        ("GET", "/length?promised=5&code=304", None),
        ("HEAD", "/length?promised=5&written=5", Some("5")),
        // As many write it: the length of the body that is not sent.
        ("HEAD", "/length?promised=5&written=0", Some("5")),
        ("HEAD", "/length?promised=5", Some("5")),
        ("HEAD", "/length?promised=100000", Some("100000")),
        ("HEAD", "/length?promised=100000&written=0", Some("100000")),
        ("HEAD", "/headers", None),
    ];
    for guest in GUESTS {
        let host = start(guest).await;
        let mut wrong = Vec::new();
        for (method, target, length) in cases {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: x\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            );
            let answer = raw::exchange(host.address, request).await;
            let in_step = answer.rest.starts_with("HTTP/1.1 200 OK\r\n") && answer.rest.contains("/next");
            if answer.status >= 400 || answer.header("content-length") != length || !in_step {
                wrong.push(format!("{guest}: {method} {target}: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(faults(&host).await, 0.0, "{guest}");
    }
}

/// WASI 0.2 alone: there, a body has to be finished, and a component can go without doing so.
#[tokio::test]
async fn a_body_that_is_not_finished_does_not_look_whole() {
    // An instance that has nothing to do any more waits for the body, and the body for its deadline.
    let serve = Serve::guest("p2-conformance").arg("--instance-idle-ms", "100");
    let host = serve.arg("--stream-timeout-ms", "1000").start().await;
    for path in ["/half", "/trap-later", "/forgets-half"] {
        let cut = Client::fresh().try_send(client::get(&host.url(path))).await;
        assert!(cut.is_err(), "{path}: {cut:?}");
    }
    host.get("/").await.expect_status(200);
}
