//! Bodies: their limits, and that they stream.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::*;

const MEGABYTE: usize = 1 << 20;

#[tokio::test]
async fn what_is_too_large_is_refused_before_the_service_sees_it() {
    let (products, cart) = (Backend::named("products").await, Backend::named("cart").await);
    let edge = Edge::start(products.address, &[cart.address]).await;
    let quote = |size: usize| with_body(Method::POST, "/api/v1/price-quotes", vec![b'x'; size]);
    assert_eq!(edge.send(quote(MEGABYTE)).await.status, StatusCode::OK);
    assert_eq!(products.last().body.len(), MEGABYTE);
    assert_eq!(edge.send(quote(MEGABYTE + 1)).await.problem(), refused(413, "content-too-large"));
    assert_eq!(products.traffic(), 1);

    let import = with_body(Method::POST, "/api/v1/products/import", vec![b'x'; 2 * MEGABYTE]);
    assert_eq!(edge.send(with_header(import, "x-api-key", "key_hq")).await.status, StatusCode::OK);
}

/// Without `content-length` nobody knows before.
#[tokio::test]
async fn what_turns_out_to_be_too_large_is_refused_as_well() {
    let cart = Backend::named("cart").await;
    let edge = Edge::start(nobody().await, &[cart.address]).await;
    let mut stream = TcpStream::connect(edge.address).await.unwrap();
    stream.write_all(b"PUT /api/v1/carts/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    while !answer.contains("content-too-large") {
        read_more(&mut stream, &mut answer).await;
    }
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(cart.traffic(), 0, "the whole of it never came");
    assert_eq!(edge.get("/api/v1/carts/x").await.status, StatusCode::OK, "no target is blamed for it");
}

/// What follows is sent only after what came before has arrived at the other end.
#[tokio::test]
async fn a_response_streams_piece_by_piece() {
    let (go, wait) = mpsc::channel::<()>(1);
    let wait = Arc::new(tokio::sync::Mutex::new(wait));
    let (address, _server) = Backend::raw(move |mut stream| {
        let wait = Arc::clone(&wait);
        async move {
            read_request(&mut stream).await;
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";
            stream.write_all(head).await.unwrap();
            wait.lock().await.recv().await.unwrap();
            stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let edge = Edge::start(address, &[]).await;
    let mut stream = TcpStream::connect(edge.address).await.unwrap();
    stream.write_all(b"GET /api/v1/products HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.contains("first") {
        read_more(&mut stream, &mut answer).await;
    }
    assert!(!answer.contains("second"));
    go.send(()).await.unwrap();
    while !answer.contains("second") {
        read_more(&mut stream, &mut answer).await;
    }
}

#[tokio::test]
async fn a_request_streams_piece_by_piece() {
    let (arrived, mut arrivals) = mpsc::channel::<String>(16);
    let (address, _server) = Backend::raw(move |mut stream| {
        let arrived = arrived.clone();
        async move {
            let mut text = String::new();
            while !text.contains("0\r\n\r\n") {
                let mut buffer = [0; 1024];
                let count = stream.read(&mut buffer).await.unwrap();
                text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
                arrived.send(text.clone()).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
        }
    })
    .await;
    let edge = Edge::start(address, &[]).await;
    let mut stream = TcpStream::connect(edge.address).await.unwrap();
    let head =
        "POST /api/v1/products/import HTTP/1.1\r\nhost: x\r\nx-api-key: key_hq\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for (piece, chunk) in [("one", "3\r\none\r\n"), ("two", "3\r\ntwo\r\n"), ("", "0\r\n\r\n")] {
        stream.write_all(chunk.as_bytes()).await.unwrap();
        while !arrivals.recv().await.unwrap().contains(piece) {}
    }
    let mut answer = String::new();
    while !answer.ends_with("done") {
        read_more(&mut stream, &mut answer).await;
    }
}

#[tokio::test]
async fn lengths_without_bodies_are_kept_or_dropped_as_they_must() {
    let products = Backend::start(|seen| {
        let mut response = text(StatusCode::OK, "12345");
        if seen.header("if-none-match").is_some() {
            response = text(StatusCode::NOT_MODIFIED, "");
            response.headers_mut().insert("etag", "\"7\"".parse().unwrap());
        }
        response
    })
    .await;
    let edge = Edge::start(products.address, &[]).await;
    let answer = edge.send(request(Method::HEAD, "/api/v1/products/1")).await;
    assert_eq!((answer.header("content-length"), answer.body.len()), (Some("5"), 0));
    let answer = edge.send(with_header(request(Method::GET, "/api/v1/products/1"), "if-none-match", "\"7\"")).await;
    assert_eq!((answer.status, answer.header("etag")), (StatusCode::NOT_MODIFIED, Some("\"7\"")));
    let answer = edge.get("/api/v1/products/1").await;
    assert_eq!((answer.header("content-length"), &answer.body[..]), (Some("5"), &b"12345"[..]));
}

#[tokio::test]
async fn a_service_that_breaks_off_does_not_look_complete() {
    let (address, _server) = Backend::raw(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let edge = Edge::start(address, &[]).await;
    assert!(edge.try_send(request(Method::GET, "/api/v1/products")).await.is_err());
}

async fn read_more(stream: &mut TcpStream, text: &mut String) {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).await.unwrap();
    assert_ne!(count, 0, "the end came after {text}");
    text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
}
