//! What a component sees of a request is what the client sent, byte for byte.

use serde_json::{Value, json};

use super::{GUESTS, faults, start};
use crate::support::host::Host;
use crate::support::raw::{self, Answer};

/// What the component saw of a request that is made of these lines.
async fn seen(host: &Host, line: &str, headers: &[u8]) -> Value {
    let answer = send(host, line, headers).await;
    assert_eq!(answer.status, 200, "{line}: {answer:?}");
    serde_json::from_str(&answer.body()).unwrap_or_else(|error| panic!("{line}: {error}: {answer:?}"))
}

async fn send(host: &Host, line: &str, headers: &[u8]) -> Answer {
    let request = [line.as_bytes(), b"\r\nconnection: close\r\n", headers, b"\r\n"].concat();
    raw::exchange(host.address, request).await
}

#[tokio::test]
pub async fn a_target_is_seen_as_it_was_written() {
    const HOST: &str = "shop.example:8080";
    let cases = [
        ("GET /", HOST, "/"),
        ("GET /?", HOST, "/?"),
        ("GET /a%20b/%C3%A9%2f?x=%2F&y", HOST, "/a%20b/%C3%A9%2f?x=%2F&y"),
        ("GET //a/./../b;c=1//", HOST, "//a/./../b;c=1//"),
        ("GET /x??a=b&a=&=", HOST, "/x??a=b&a=&="),
        ("OPTIONS *", HOST, "*"),
        // As to a proxy: it counts more than the header (RFC 9112, 3.2.2).
        ("GET http://other.example:81/y?z", "other.example:81", "/y?z"),
        ("GET http://other.example", "other.example", "/"),
        ("GET http://other.example?q", "other.example", "/?q"),
    ];
    for guest in GUESTS {
        let host = start(guest).await;
        for (line, authority, target) in cases {
            let seen = seen(&host, &format!("{line} HTTP/1.1"), b"host: shop.example:8080\r\n").await;
            assert_eq!(seen["scheme"], "Scheme::Http", "{guest}: {line}");
            assert_eq!(seen["authority"], authority, "{guest}: {line}");
            assert_eq!(seen["target"], target, "{guest}: {line}");
        }
    }
}

#[tokio::test]
async fn a_method_is_seen_as_it_was_written() {
    let cases = [
        ("GET", "Method::Get"),
        ("HEAD", "Method::Head"),
        ("POST", "Method::Post"),
        ("PUT", "Method::Put"),
        ("DELETE", "Method::Delete"),
        ("OPTIONS", "Method::Options"),
        ("TRACE", "Method::Trace"),
        ("PATCH", "Method::Patch"),
        ("PROPFIND", r#"Method::Other("PROPFIND")"#),
        ("M-SEARCH", r#"Method::Other("M-SEARCH")"#),
        // Methods have a case, and odd characters.
        ("get", r#"Method::Other("get")"#),
        ("a!#$%&*+-.^_`|~9", r#"Method::Other("a!#$%&*+-.^_`|~9")"#),
    ];
    for guest in GUESTS {
        let host = start(guest).await;
        for (method, seen) in cases {
            let answer = send(&host, &format!("{method} / HTTP/1.1"), b"host: x\r\n").await;
            assert_eq!((answer.status, answer.header("x-method")), (200, Some(seen)), "{guest}: {method}");
        }
        let answer = send(&host, "CONNECT shop.example:443 HTTP/1.1", b"host: shop.example:443\r\n").await;
        assert_eq!(answer.header("x-method"), Some("Method::Connect"), "{guest}");
    }
}

#[tokio::test]
async fn headers_are_seen_with_all_their_values_and_bytes() {
    let sent = b"host: x\r\nx-many: one\r\nX-Other: between\r\nx-many: two\r\nx-empty:\r\nx-many:three \r\n\
        x-bytes: caf\xe9 \xff\r\ncookie: a=1\r\ncookie: b=2\r\nte: trailers\r\n";
    let values = |value: &[&[u8]]| json!(value);
    for guest in GUESTS {
        let host = start(guest).await;
        let seen = seen(&host, "GET / HTTP/1.1", sent).await;
        for (name, expected) in [
            ("x-many", values(&[b"one", b"two", b"three"])),
            ("x-other", values(&[b"between"])),
            ("x-empty", values(&[b""])),
            ("x-bytes", values(&[b"caf\xe9 \xff"])),
            ("cookie", values(&[b"a=1", b"b=2"])),
            ("te", values(&[b"trailers"])),
        ] {
            assert_eq!(all(&seen, name), expected, "{guest}: {name}");
        }
    }
}

/// They are about this connection, and none of the component's business.
#[tokio::test]
async fn headers_of_the_connection_are_not_seen() {
    let names = ["keep-alive", "proxy-authorization", "proxy-authenticate", "proxy-connection", "http2-settings"];
    let sent: String = names.iter().map(|name| format!("{name}: x\r\n")).collect();
    for guest in GUESTS {
        let host = start(guest).await;
        let sent = format!("host: x\r\nupgrade: h2c\r\nx-kept: x\r\n{sent}");
        let seen = seen(&host, "GET / HTTP/1.1", sent.as_bytes()).await;
        for name in names.into_iter().chain(["host", "upgrade", "connection"]) {
            assert_eq!(all(&seen, name), json!([]), "{guest}: {name}");
        }
        assert_eq!(all(&seen, "x-kept"), json!([b"x"]), "{guest}");
    }
}

/// Every value of a header that a component saw.
fn all(seen: &Value, name: &str) -> Value {
    let headers = seen["headers"].as_array().expect("a list");
    headers.iter().filter(|header| header[0] == name).map(|header| header[1].clone()).collect()
}

/// An old client need not name a host (RFC 9110, 7.1: then it is the server's to say); others must, and
/// just one (RFC 9112, 3.2).
#[tokio::test]
async fn a_request_is_for_one_host() {
    for guest in GUESTS {
        let host = start(guest).await;
        let seen = seen(&host, "GET / HTTP/1.0", b"").await;
        assert_eq!(seen["authority"], guest, "{guest}");
        let mut wrong = Vec::new();
        for headers in
            [&b""[..], b"host: a\r\nhost: b\r\n", b"host: a\r\nhost: a\r\n", b"host: a b\r\n", b"host: \xe9\r\n"]
        {
            let answer = send(&host, "GET / HTTP/1.1", headers).await;
            let problem = serde_json::from_str::<Value>(&answer.body()).unwrap_or_default();
            if answer.status != 400 || problem["code"] != "bad-host" {
                wrong.push(format!("{guest}: {:?}: {answer:?}", String::from_utf8_lossy(headers)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(faults(&host).await, 0.0, "a client ended an instance of {guest}");
    }
}
