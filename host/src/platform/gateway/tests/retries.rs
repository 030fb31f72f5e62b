//! What is tried again, and what must not be.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt as _;

use super::*;

/// Reads the whole request and hangs up.
async fn hangs_up() -> (SocketAddr, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let (address, _server) = Backend::raw(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            if read_request(&mut stream).await.contains(" /api/") {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    (address, reached)
}

#[tokio::test]
async fn what_is_idempotent_goes_to_another_replica() {
    let good = Backend::named("good").await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let (bad, reached) = hangs_up().await;
        let edge = Edge::start(nobody().await, &[bad, good.address]).await;
        for _ in 0..3 {
            let answer = edge.send(with_body(method.clone(), "/api/v1/carts/x", "whole")).await;
            assert_eq!(answer.status, StatusCode::OK, "{method}");
            assert_eq!((good.last().method, good.last().body), (method.clone(), Bytes::from("whole")));
        }
        assert_eq!(reached.load(Ordering::Relaxed), 1, "{method}: once, and then it is out");
    }
    assert_eq!(good.traffic(), 9);
}

#[tokio::test]
async fn a_post_that_reached_a_replica_is_not_sent_again() {
    let (bad, reached) = hangs_up().await;
    let edge = Edge::start(nobody().await, &[bad]).await;
    let answer = edge.send(with_body(Method::POST, "/api/v1/carts", "{}")).await;
    assert_eq!(answer.problem(), refused(502, "service-failed"));
    assert_eq!(reached.load(Ordering::Relaxed), 1);
    let answer = edge.send(with_body(Method::PATCH, "/api/v1/carts/x/items/1", "{}")).await;
    assert_eq!(answer.problem(), refused(502, "service-failed"));
    assert_eq!(reached.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_post_that_reached_nobody_is_sent_again() {
    let good = Backend::named("good").await;
    for body in [Vec::new(), vec![b'x'; 10], vec![b'x'; 500_000]] {
        let edge = Edge::start(nobody().await, &[nobody().await, nobody().await, good.address]).await;
        let answer = edge.send(with_body(Method::POST, "/api/v1/carts", body.clone())).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(good.last().body.len(), body.len());
    }
    assert_eq!(good.traffic(), 3);
}

/// Half of a stream is gone, so there is nothing left to send to another replica.
#[tokio::test]
async fn a_stream_that_was_begun_is_not_sent_again() {
    let half = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&half);
    let (bad, _server) = Backend::raw(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            let mut buffer = [0; 1024];
            tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await.unwrap();
            counter.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let edge = Edge::start(nobody().await, &[bad]).await;
    let answer = edge.send(with_body(Method::PUT, "/api/v1/carts/x", vec![b'x'; 1 << 20])).await;
    assert_eq!(answer.problem(), refused(502, "service-failed"));
    assert_eq!(half.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_status_is_an_answer() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let cart = Backend::start(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        text(StatusCode::SERVICE_UNAVAILABLE, "from the service")
    })
    .await;
    let edge = Edge::start(nobody().await, &[cart.address]).await;
    let answer = edge.get("/api/v1/carts/x").await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::SERVICE_UNAVAILABLE, &b"from the service"[..]));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nobody_there_is_a_503_with_a_hint() {
    let edge = Edge::start(nobody().await, &[nobody().await]).await;
    for path in ["/api/v1/products", "/api/v1/carts/x"] {
        let answer = edge.get(path).await;
        assert_eq!(answer.problem(), refused(503, "service-unavailable"));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

fn impatient() -> String {
    KONG.replace("read_timeout: 20000", "read_timeout: 200")
}

/// Takes requests and never answers.
async fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let (address, _server) = Backend::raw(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            read_request(&mut stream).await;
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
    })
    .await;
    (address, reached)
}

#[tokio::test]
async fn a_silent_service_is_a_504() {
    let (address, reached) = silent().await;
    let edge = Edge::start_with(impatient(), address, &[]).await;
    assert_eq!(edge.get("/api/v1/products").await.problem(), refused(504, "service-timeout"));
    assert_eq!(reached.load(Ordering::Relaxed), 1, "the only replica is not asked twice");
}

#[tokio::test]
async fn what_is_idempotent_does_not_wait_for_a_silent_replica_only() {
    let good = Backend::named("good").await;
    let edge = Edge::start_with(impatient(), nobody().await, &[silent().await.0, good.address]).await;
    for _ in 0..6 {
        assert_eq!(edge.get("/api/v1/carts/x").await.status, StatusCode::OK);
    }
}

/// A stream has to move, not to end.
#[tokio::test]
async fn a_slow_stream_may_take_longer_than_the_timeout() {
    let (address, _server) = Backend::raw(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stream.write_all(b"1\r\nx\r\n").await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await;
    let edge = Edge::start_with(KONG.replace("read_timeout: 20000", "read_timeout: 450"), address, &[]).await;
    assert_eq!(&edge.get("/api/v1/products").await.body[..], b"xxxxxx");
}

#[tokio::test]
async fn a_stream_that_stops_is_cut_off() {
    let (address, _server) = Backend::raw(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let edge = Edge::start_with(impatient(), address, &[]).await;
    assert!(edge.try_send(request(Method::GET, "/api/v1/products")).await.is_err());
}

/// The acceptance test of replicas: one is killed under load, and nobody who reads notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_costs_no_read() {
    let carts = [Backend::named("1").await, Backend::named("2").await, Backend::named("3").await];
    let addresses = carts.each_ref().map(|cart| cart.address);
    let edge = Arc::new(Edge::start(nobody().await, &addresses).await);
    let load = |edge: Arc<Edge>| async move {
        for _ in 0..150 {
            let answer = edge.get("/api/v1/carts/x").await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    };
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(load(Arc::clone(&edge)));
    }
    let [first, second, third] = carts;
    eventually("all three work", async || [&first, &second, &third].iter().all(|cart| cart.traffic() > 10)).await;
    drop(second);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert!(first.traffic() + third.traffic() > 300);
}
