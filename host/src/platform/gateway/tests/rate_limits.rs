//! Signing in: an address may try so often in a minute.

use super::*;

const SIGN_IN: &str = "/api/v1/auth/login";

/// A minute may end between two requests, so that twice as many are let through.
#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start_with(KONG.replace("minute: 600", "minute: 3"), customers.address, &[]).await;
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(edge.send(with_body(Method::POST, SIGN_IN, "{}")).await);
    }
    let (admitted, late): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status == StatusCode::OK);
    assert!((3..=6).contains(&admitted.len()), "{admitted:?}");
    assert_eq!(customers.traffic(), admitted.len());
    let number = |answer: &Answer, name: &str| answer.header(name).unwrap().parse::<u64>().unwrap();
    for answer in admitted.iter().chain(&late) {
        assert_eq!(number(answer, "ratelimit-limit"), 3);
        assert!((1..=60).contains(&number(answer, "ratelimit-reset")));
    }
    assert_eq!([0, 1, 2].map(|index| number(&admitted[index], "ratelimit-remaining")), [2, 1, 0]);
    for answer in &late {
        assert_eq!(answer.problem(), refused(429, "rate-limited"));
        assert_eq!(answer.header("retry-after"), answer.header("ratelimit-reset"));
    }
    // Everything else goes on.
    assert_eq!(edge.get("/api/v1/products").await.status, StatusCode::OK);
}
