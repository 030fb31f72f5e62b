//! Who is out, and how they come back.

use super::*;

fn watchful() -> String {
    KONG.replace("interval: 2 #", "interval: 0.02 #").replace("interval: 1 #", "interval: 0.02 #")
}

impl Edge {
    fn is_healthy(&self, target: &str, address: SocketAddr) -> bool {
        let labels = format!("address=\"{address}\",state=\"healthy\",target=\"{target}:8007\",upstream=\"cart\"");
        self.metric(&format!("kong_upstream_target_health{{{labels}}}")) == Some(1.0)
    }
}

#[tokio::test]
async fn a_replica_that_dies_is_out_and_one_that_returns_is_in() {
    let (first, second) = (Backend::named("first").await, Backend::named("second").await);
    let address = first.address;
    let edge = Edge::start_with(watchful(), nobody().await, &[address, second.address]).await;
    assert!(edge.is_healthy("cart-service", address));
    drop(first);
    eventually("the dead one is out", async || !edge.is_healthy("cart-service", address)).await;
    assert_eq!(edge.get("/api/v1/carts/x").await.body, "second");

    let first = Backend::start_on(address, |_| text(StatusCode::OK, "first")).await;
    eventually("it is in again", async || edge.is_healthy("cart-service", address)).await;
    eventually("it gets its share", async || edge.get("/api/v1/carts/x").await.body == "first").await;
    assert!(first.seen().iter().any(|seen| seen.path == "/health"));
}

#[tokio::test]
async fn when_all_are_out_the_answer_is_503_until_one_is_back() {
    let address = nobody().await;
    let edge = Edge::start_with(watchful(), nobody().await, &[address]).await;
    eventually("all are out", async || !edge.is_healthy("cart-service-3", address)).await;
    let answer = edge.send(with_body(Method::POST, "/api/v1/carts", "{}")).await;
    assert_eq!(answer.problem(), refused(503, "service-unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    let _back = Backend::start_on(address, |_| text(StatusCode::OK, "back")).await;
    eventually("it is back", async || edge.get("/api/v1/carts/x").await.status == StatusCode::OK).await;
}

/// Five in a row, by the file; a 500 is a bug, which another replica has as well.
#[tokio::test]
async fn real_traffic_throws_out_for_503_and_not_for_500() {
    let lazy = KONG.replace("interval: 2 #", "interval: 3600 #").replace("interval: 1 #", "interval: 3600 #");
    for (status, stays) in [(StatusCode::INTERNAL_SERVER_ERROR, true), (StatusCode::SERVICE_UNAVAILABLE, false)] {
        let sick = Backend::start(move |_| text(status, "sick")).await;
        let well = Backend::named("well").await;
        let edge = Edge::start_with(lazy.clone(), nobody().await, &[sick.address, well.address]).await;
        for _ in 0..30 {
            edge.get("/api/v1/carts/x").await;
        }
        assert_eq!(edge.is_healthy("cart-service", sick.address), stays, "{status}");
        assert_eq!(sick.traffic(), if stays { 10 } else { 5 });
    }
}

/// All three replicas share one Postgres: when it is away, their own 503 reaches the client, and nothing needs a restart.
#[tokio::test]
async fn a_database_that_is_away_is_a_503_and_then_over() {
    let away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let switch = Arc::clone(&away);
    let cart = Backend::start(move |seen| {
        let down = switch.load(std::sync::atomic::Ordering::Relaxed) && seen.path != "/health";
        if down { text(StatusCode::SERVICE_UNAVAILABLE, "no database") } else { text(StatusCode::OK, "fine") }
    })
    .await;
    let edge = Edge::start_with(watchful(), nobody().await, &[cart.address]).await;
    for _ in 0..40 {
        assert_eq!(edge.get("/api/v1/carts/x").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    away.store(false, std::sync::atomic::Ordering::Relaxed);
    eventually("it is over", async || edge.get("/api/v1/carts/x").await.status == StatusCode::OK).await;
}
