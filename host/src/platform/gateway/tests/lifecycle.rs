//! Starting, stopping, counting.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[tokio::test]
async fn what_runs_is_finished_and_nothing_new_begins() {
    let (release, released) = tokio::sync::watch::channel(false);
    let (asked, mut asking) = tokio::sync::mpsc::channel::<()>(1);
    let (address, _server) = Backend::raw(move |mut stream| {
        let (mut released, asked) = (released.clone(), asked.clone());
        async move {
            read_request(&mut stream).await;
            asked.send(()).await.unwrap();
            released.wait_for(|released| *released).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
        }
    })
    .await;
    let mut edge = Edge::start(address, &[]).await;
    let mut idle = TcpStream::connect(edge.address).await.unwrap();
    idle.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_ne!(idle.read(&mut [0; 4096]).await.unwrap(), 0);
    let mut running = TcpStream::connect(edge.address).await.unwrap();
    running.write_all(b"GET /api/v1/products HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    asking.recv().await.unwrap();

    edge.stop.take().unwrap().send(()).unwrap();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0, "an idle connection is closed");
    eventually("nobody listens", async || TcpStream::connect(edge.address).await.is_err()).await;
    assert!(!edge.served.is_finished());
    release.send(true).unwrap();
    let mut answer = String::new();
    running.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    edge.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_grace_has_an_end() {
    let (address, _server) = Backend::raw(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let gateway = Edge::start(address, &[]).await.gateway;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.write_all(b"GET /api/v1/products HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let served = gateway.serve(listener, tokio::time::sleep(Duration::from_millis(200)), Duration::from_millis(100));
    tokio::time::timeout(PATIENCE, served).await.unwrap().unwrap();
    assert_eq!(client.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let connections = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let (address, _server) = Backend::raw(move |mut stream| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await;
    let edge = Edge::start(address, &[]).await;
    let mut client = TcpStream::connect(edge.address).await.unwrap();
    for _ in 0..20 {
        client.write_all(b"GET /api/v1/products HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("ok") {
            let mut buffer = [0; 1024];
            let count = client.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0);
            answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_are_counted_under_kongs_names() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    edge.get("/api/v1/products/1").await;
    edge.get("/api/v1/products/2").await;
    edge.send(request(Method::DELETE, "/api/v1/products/2")).await;
    edge.get("/nowhere/7").await;
    for (labels, count) in [
        ("code=\"200\",route=\"products-read\",service=\"products\",source=\"service\"", 2.0),
        ("code=\"401\",route=\"products-write\",service=\"products\",source=\"exit\"", 1.0),
        ("code=\"404\",route=\"\",service=\"\",source=\"error\"", 1.0),
    ] {
        assert_eq!(edge.metric(&format!("kong_http_requests_total{{{labels}}}")), Some(count), "{labels}");
    }
    for family in ["kong_request_latency_ms_count", "kong_upstream_latency_ms_count"] {
        let sample = format!("{family}{{route=\"products-read\",service=\"products\"}}");
        assert_eq!(edge.metric(&sample), Some(2.0), "{sample}");
    }
}
