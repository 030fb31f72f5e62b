//! Fields take what HTTP allows and a component may say, and refuse everything else.

use serde_json::{Value, json};

use super::{GUESTS, start};
use crate::support::host::Host;

const ACCEPTED: &str = "accepted";
const INVALID: &str = "HeaderError::InvalidSyntax";
const FORBIDDEN: &str = "HeaderError::Forbidden";

/// How the ways to say it were answered. The name goes into a query.
async fn tried(host: &Host, name: &str, value: &[u8]) -> Value {
    host.post(&format!("/field?name={name}"), value.to_vec()).await.expect_status(200).json()
}

fn answers(of_value: &str, of_name: &str) -> Value {
    json!({"from_list": of_value, "append": of_value, "set": of_value, "delete": of_name})
}

#[tokio::test]
async fn names_are_tokens() {
    for guest in GUESTS {
        let host = start(guest).await;
        for good in ["x-good", "X-Good", "9", "!%23$%25%26'*%2B-.^_`|~"] {
            assert_eq!(tried(&host, good, b"value").await, answers(ACCEPTED, ACCEPTED), "{guest}: {good}");
        }
        for bad in ["", "a%20b", "a%3Ab", ":path", "a%0D%0Ab", "a%00", "%C3%A9", "(a)", "a,b", "a%22"] {
            assert_eq!(tried(&host, bad, b"value").await, answers(INVALID, INVALID), "{guest}: {bad:?}");
        }
    }
}

#[tokio::test]
async fn values_end_no_line() {
    for guest in GUESTS {
        let host = start(guest).await;
        for good in [&b""[..], b"a", b"a\tb", b"caf\xc3\xa9", b"\xff"] {
            assert_eq!(tried(&host, "x-good", good).await, answers(ACCEPTED, ACCEPTED), "{guest}: {good:?}");
        }
        for bad in [&b"a\nb"[..], b"a\r\nx-forged: b", b"a\rb", b"a\0b", b"\x7f"] {
            assert_eq!(tried(&host, "x-good", bad).await, answers(INVALID, ACCEPTED), "{guest}: {bad:?}");
        }
    }
}

/// What a message is long is decided by these digits alone.
#[tokio::test]
async fn a_length_is_one_number() {
    for guest in GUESTS {
        let host = start(guest).await;
        for bad in [&b""[..], b"+5", b"-5", b" 5", b"5,5", b"0x5", b"99999999999999999999"] {
            assert_eq!(tried(&host, "content-length", bad).await, answers(INVALID, ACCEPTED), "{guest}: {bad:?}");
        }
        let told = tried(&host, "content-length", b"5").await;
        // The second one, appended to nothing, is the first.
        assert_eq!(told, answers(ACCEPTED, ACCEPTED), "{guest}");
    }
}

#[tokio::test]
async fn what_is_about_the_connection_is_forbidden() {
    let names = [
        "connection",
        "Connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "host",
        "HOST",
        "http2-settings",
    ];
    for guest in GUESTS {
        let host = start(guest).await;
        for name in names {
            assert_eq!(tried(&host, name, b"value").await, answers(FORBIDDEN, FORBIDDEN), "{guest}: {name}");
        }
    }
}

#[tokio::test]
async fn the_fields_of_a_request_do_not_change() {
    for guest in GUESTS {
        let host = start(guest).await;
        let told = host.get_with("/immutable", &[("accept", "text/plain")]).await.expect_status(200).json();
        let immutable = "HeaderError::Immutable";
        let expected = json!({
            "append": immutable, "set": immutable, "delete": immutable, "copy": ACCEPTED, "copied": true,
        });
        assert_eq!(told, expected, "{guest}");
    }
}
