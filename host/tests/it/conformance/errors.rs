//! A component that answers with an error, or not at all, is a failure that clients are told in the
//! host's words.

use serde_json::Value;

use super::{GUESTS, faults, start};

/// How many error codes there are.
const ERRORS: u64 = 39;

/// Whichever it is: what went wrong behind this service is not the client's to tell apart.
#[tokio::test]
async fn every_error_code_is_a_problem_of_the_component() {
    for guest in GUESTS {
        let host = start(guest).await;
        for number in 0..ERRORS {
            let answer = host.get(&format!("/error?number={number}")).await;
            assert_eq!(answer.expect_problem(500, "component-error")["instance"], "/error", "{guest}: {number}");
            assert!(!answer.text().contains("secret"), "{guest}: {number}: {}", answer.text());
        }
        let told = |record: &Value| record["error"].as_str().is_some_and(|error| error.contains("a secret"));
        host.log.tells("what the component said", told).await;
        assert_eq!(faults(&host).await, 0.0, "{guest}");
    }
}

/// WASI 0.2 alone: a component of 0.3 returns its answer.
#[tokio::test]
async fn a_component_that_never_answers_is_a_problem_of_the_component() {
    let host = start("p2-conformance").await;
    for path in ["/silent", "/forgets"] {
        host.get(path).await.expect_problem(500, "component-error");
    }
    assert_eq!(faults(&host).await, 0.0);
}

/// What `limits` says of 0.3.
#[tokio::test]
async fn a_trap_of_a_component_of_0_2_is_told_as_one() {
    let host = start("p2-conformance").await;
    host.get("/trap").await.expect_problem(500, "component-trapped");
    host.get("/").await.expect_status(200);
    assert_eq!(faults(&host).await, 1.0);
}
