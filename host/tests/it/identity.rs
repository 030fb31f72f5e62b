//! Who a request comes from: what clients claim is removed, what comes with a secret is believed, and
//! no component ever sees a secret.

use crate::support::client::Response;
use crate::support::host::{Host, Serve};

const CLAIMS: &[(&str, &str)] = &[
    ("x-consumer-username", "mallory"),
    ("X-Consumer-Groups", "hq"),
    ("x-consumer-custom-id", "1"),
    ("x-credential-identifier", "key"),
    ("x-authenticated-groups", "hq"),
    ("x-anonymous-consumer", "true"),
];

async fn echo() -> Host {
    let serve = Serve::guest("echo").secret("--gateway-secret-file", "the-gateway");
    serve.secret("--service-secret-file", "the-services").start().await
}

async fn ask(host: &Host, more: &[(&str, &str)]) -> Response {
    let headers = [CLAIMS, &[("x-service-name", "products"), ("x-harmless", "kept")], more].concat();
    let answer = host.get_with("/", &headers).await.expect_status(200);
    assert_eq!(seen(&answer, "x-harmless"), Some("kept"));
    for secret in ["x-gateway-secret", "x-service-secret"] {
        assert_eq!(seen(&answer, secret), None, "a component saw a secret");
    }
    answer
}

fn seen<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.header(&format!("seen-{}", name.to_ascii_lowercase()))
}

/// Which of the gateway's claims, and the service's name, the component saw.
fn believed(answer: &Response) -> (usize, bool) {
    let claims = CLAIMS.iter().filter(|(name, value)| seen(answer, name) == Some(value)).count();
    let some = CLAIMS.iter().filter(|(name, _)| seen(answer, name).is_some()).count();
    assert_eq!(claims, some);
    (claims, seen(answer, "x-service-name") == Some("products"))
}

#[tokio::test]
async fn a_client_is_nobody() {
    let host = echo().await;
    assert_eq!(believed(&ask(&host, &[]).await), (0, false));
    for (gateway, service) in
        [("wrong", "wrong"), ("", ""), ("the-services", "the-gateway"), ("THE-GATEWAY", "the-service")]
    {
        let answer = ask(&host, &[("x-gateway-secret", gateway), ("x-service-secret", service)]).await;
        assert_eq!(believed(&answer), (0, false), "{gateway} {service}");
    }
}

#[tokio::test]
async fn a_gateway_is_believed_about_consumers() {
    let host = echo().await;
    assert_eq!(believed(&ask(&host, &[("x-gateway-secret", "the-gateway")]).await), (CLAIMS.len(), false));
}

#[tokio::test]
async fn a_host_is_believed_about_its_service() {
    let host = echo().await;
    assert_eq!(believed(&ask(&host, &[("x-service-secret", "the-services")]).await), (0, true));
}

#[tokio::test]
async fn a_guess_beside_the_secret_spoils_it() {
    let host = echo().await;
    let twice = [("x-gateway-secret", "the-gateway"), ("x-gateway-secret", "a guess")];
    assert_eq!(believed(&ask(&host, &twice).await), (0, false));
}

#[tokio::test]
async fn a_host_without_secrets_believes_nobody() {
    let host = Serve::guest("echo").start().await;
    for secret in ["", "the-gateway"] {
        let answer = ask(&host, &[("x-gateway-secret", secret), ("x-service-secret", secret)]).await;
        assert_eq!(believed(&answer), (0, false), "{secret:?}");
    }
}

#[tokio::test]
async fn a_service_proves_itself_to_another_by_the_shared_secret_alone() {
    for (of_callee, proven) in [(Some("shared"), true), (Some("another"), false), (None, false)] {
        let callee = Serve::guest("echo");
        let callee = match of_callee {
            Some(secret) => callee.secret("--service-secret-file", secret),
            None => callee,
        };
        let callee = callee.start().await;
        let caller = Serve::guest("outbound").arg("--name", "cart").peer("echo", callee.address);
        let caller = caller.secret("--service-secret-file", "shared").start().await;
        // The component claims to be another service; its host knows better.
        let headers = [("x-target", "http://echo/"), ("forward-x-service-name", "products")];
        let told = caller.get_with("/", &headers).await.expect_status(200).json();
        assert_eq!(told["status"], 200, "{told:#}");
        let name = told["headers"]["seen-x-service-name"].as_str();
        assert_eq!(name, proven.then_some("cart"), "{of_callee:?}");
        assert!(told["headers"]["seen-x-service-secret"].is_null(), "a component saw a secret");
    }
}
