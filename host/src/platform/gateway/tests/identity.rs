//! Who may do what, and what a client cannot claim.

use super::*;

fn write(key: Option<&str>) -> Request<Full<Bytes>> {
    let write = with_body(Method::POST, "/api/v1/products", "{}");
    if let Some(key) = key { with_header(write, "x-api-key", key) } else { write }
}

#[tokio::test]
async fn writing_needs_the_key_of_a_manager_or_of_head_office() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;

    let answer = edge.send(write(None)).await;
    assert_eq!(answer.problem(), refused(401, "authentication-required"));
    assert_eq!(answer.header("www-authenticate"), Some("Key realm=\"comptoir\""));
    assert_eq!(edge.send(write(Some(""))).await.problem(), refused(401, "authentication-required"));
    assert_eq!(edge.send(write(Some("key_nobody"))).await.problem(), refused(401, "key-invalid"));
    let two = with_header(write(Some("key_hq")), "x-api-key", "key_hq");
    assert_eq!(edge.send(two).await.problem(), refused(401, "key-invalid"));
    let in_query = with_body(Method::POST, "/api/v1/products?X-API-Key=key_hq&x-api-key=key_hq", "{}");
    assert_eq!(edge.send(in_query).await.problem(), refused(401, "authentication-required"));
    for stranger in ["key_pos", "key_logistics"] {
        assert_eq!(edge.send(write(Some(stranger))).await.problem(), refused(403, "forbidden"));
    }
    assert!(products.seen().is_empty());

    for name in ["hq", "manager"] {
        assert_eq!(edge.send(write(Some(&format!("key_{name}")))).await.status, StatusCode::OK);
        let seen = products.last();
        assert_eq!(seen.header("x-consumer-username"), Some(name));
        assert_eq!(seen.header("x-consumer-groups"), Some(name));
        assert!(seen.header("x-consumer-id").unwrap().starts_with("c0000000-"));
        assert!(seen.header("x-credential-identifier").unwrap().starts_with("4e000000-"));
        assert_eq!(seen.header("x-gateway-secret"), Some("gateway_secret"));
        assert_eq!(seen.header("x-api-key"), None, "the service has no use for it");
    }
}

#[tokio::test]
async fn every_write_of_the_catalogue_is_closed() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    for path in ["products", "products/1", "products/1/prices", "products/import", "categories", "tax-categories/x"] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = edge.send(request(method.clone(), &format!("/api/v1/{path}"))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
    }
    assert!(products.seen().is_empty());
}

/// Headers that only a gateway or a host may set.
pub const CLAIMS: [&str; 11] = [
    "x-consumer-id",
    "x-consumer-username",
    "x-consumer-custom-id",
    "x-consumer-groups",
    "x-anonymous-consumer",
    "x-credential-identifier",
    "x-authenticated-groups",
    "x-authenticated-userid",
    "x-gateway-secret",
    "x-service-name",
    "x-service-secret",
];

#[tokio::test]
async fn nobody_is_what_they_claim_to_be() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    let claim = |request| CLAIMS.iter().fold(request, |request, name| with_header(request, name, "forged"));
    edge.send(claim(request(Method::GET, "/api/v1/products"))).await;
    let seen = products.last();
    assert!(CLAIMS.iter().all(|name| seen.header(name).is_none()), "{seen:?}");

    edge.send(claim(write(Some("key_manager")))).await;
    let seen = products.last();
    let forged: Vec<_> = seen.headers.values().filter(|value| *value == "forged").collect();
    assert!(forged.is_empty(), "{seen:?}");
    assert_eq!(seen.header("x-consumer-groups"), Some("manager"));
}

/// A proxy that removes what `Connection` names after it has set it would do the client's bidding.
#[tokio::test]
async fn a_client_cannot_have_its_identity_removed_either() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    let names = "close, x-consumer-groups, x-gateway-secret, x-forwarded-for, x-request-id";
    edge.send(with_header(write(Some("key_hq")), "connection", names)).await;
    let seen = products.last();
    for name in ["x-consumer-groups", "x-gateway-secret", "x-forwarded-for", "x-request-id"] {
        assert!(seen.headers.contains_key(name), "{name}");
    }
}

/// Kong looks at the first 100 headers only. This gateway takes no request with more.
#[tokio::test]
async fn a_claim_does_not_hide_behind_a_hundred_headers() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    let noise =
        (0..100).fold(request(Method::GET, "/api/v1/products"), |request, _| with_header(request, "x-noise", "1"));
    let answer = edge.send(with_header(noise, "x-consumer-groups", "hq")).await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(products.seen().is_empty());
}
