//! Trailers, there and back.

use super::{GUESTS, start};
use crate::support::host::Host;
use crate::support::raw::{self, Answer};

/// A request that ends with trailers, two of which are not for components.
async fn send(host: &Host, headers: &str) -> Answer {
    let head = format!(
        "POST /trailers HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n{headers}\r\n"
    );
    let body =
        b"3\r\nhel\r\n2\r\nlo\r\n0\r\nx-check: one\r\nX-Bytes: caf\xe9\r\nhost: forged\r\nconnection: close\r\n\r\n";
    let answer = raw::exchange(host.address, [head.as_bytes(), body].concat()).await;
    assert_eq!((answer.status, answer.body().as_str()), (200, "hello"), "{answer:?}");
    answer
}

#[tokio::test]
async fn trailers_reach_the_component_and_the_client() {
    for guest in GUESTS {
        let host = start(guest).await;
        let answer = send(&host, "te: trailers\r\n").await;
        let (_, trailers) = answer.rest.split_once("\r\n0\r\n").unwrap_or_else(|| panic!("{guest}: {answer:?}"));
        let mut trailers: Vec<_> = trailers.trim_end().lines().map(str::to_ascii_lowercase).collect();
        trailers.sort();
        // The byte that is no text is one in this text as well.
        assert_eq!(trailers, ["seen-x-bytes: caf\u{fffd}", "seen-x-check: one"], "{guest}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_trailers_gets_none() {
    for guest in GUESTS {
        let host = start(guest).await;
        let answer = send(&host, "").await;
        assert!(answer.rest.ends_with("\r\n0\r\n\r\n"), "{guest}: {answer:?}");
    }
}
