//! A component that promises a length and does not keep to it harms nobody but itself.

use super::{GUESTS, faults, start};
use crate::support::client::{self, Client};
use crate::support::raw;

/// Small answers are looked at before they leave; large ones are on their way when it turns out.
const LARGE: u64 = 100_000;

#[tokio::test]
async fn a_promise_that_is_kept_is_a_good_answer() {
    for guest in GUESTS {
        let host = start(guest).await;
        for length in [0, 5, LARGE] {
            let answer = host.get(&format!("/length?promised={length}&written={length}")).await.expect_status(200);
            assert_eq!(answer.header("content-length"), Some(length.to_string().as_str()), "{guest}");
            assert_eq!(answer.body.len() as u64, length, "{guest}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_short_does_not_look_whole() {
    let cases = [(5, Some(3)), (5, Some(0)), (5, None), (LARGE, Some(LARGE - 1)), (LARGE, Some(0)), (LARGE, None)];
    for guest in GUESTS {
        let host = start(guest).await;
        let mut wrong = Vec::new();
        for (promised, written) in cases {
            match Client::fresh().try_send(client::get(&host.url(&path(promised, written)))).await {
                Ok(answer) if answer.status == 500 => drop(answer.expect_problem(500, "component-error")),
                Ok(answer) => wrong.push(format!("{guest}: {written:?} of {promised}: {answer:?}")),
                // Broken off.
                Err(_) => {}
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(faults(&host).await, 0.0, "{guest}");
    }
}

/// What is beyond the promise would be the next answer on this connection, to whoever asked for it.
#[tokio::test]
async fn a_body_that_is_too_long_does_not_run_over() {
    for guest in GUESTS {
        let host = start(guest).await;
        let mut wrong = Vec::new();
        for (promised, written) in [(5, 8), (0, 3), (LARGE, LARGE + 1), (LARGE, 2 * LARGE)] {
            let target = path(promised, Some(written));
            let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            // Broken off, an error, or no more than was promised: no client takes it for anything else.
            let Some(answer) = raw::try_exchange(host.address, request).await else { continue };
            if answer.status == 200 && answer.rest.len() as u64 > promised {
                wrong.push(format!("{guest}: {written} of {promised}: {} bytes arrived", answer.rest.len()));
            }
            if promised < LARGE && answer.status != 500 {
                wrong.push(format!("{guest}: {written} of {promised}: {}", answer.status));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(faults(&host).await, 0.0, "{guest}");
    }
}

fn path(promised: u64, written: Option<u64>) -> String {
    let written = written.map(|written| format!("&written={written}")).unwrap_or_default();
    format!("/length?promised={promised}{written}")
}
