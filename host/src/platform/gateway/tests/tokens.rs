//! Customers: what a token has to be, and which of the three doors to one path a request takes.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const ME: &str = "/api/v1/customers/me";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// What the customers service signs.
fn claims() -> Value {
    json!({"iss": "comptoir-customers", "sub": "7", "iat": now(), "exp": now() + 600, "jti": "1"})
}

fn signed(algorithm: Algorithm, claims: &Value, key: &str) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

fn good() -> String {
    signed(Algorithm::HS256, &claims(), TOKEN_KEY)
}

fn with_token(request: Request<Full<Bytes>>, token: &str) -> Request<Full<Bytes>> {
    with_header(request, "authorization", &format!("Bearer {token}"))
}

fn me() -> Request<Full<Bytes>> {
    request(Method::GET, ME)
}

#[tokio::test]
async fn a_good_token_reaches_the_service_as_the_customer() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    let token = good();
    for scheme in ["Bearer", "bearer"] {
        let claim = identity::CLAIMS.iter().fold(me(), |request, name| with_header(request, name, "forged"));
        let answer = edge.send(with_header(claim, "authorization", &format!("{scheme} {token}"))).await;
        assert_eq!(answer.status, StatusCode::OK);
        let seen = customers.last();
        assert_eq!(seen.path, ME);
        assert_eq!(seen.header("x-consumer-username"), Some("customer"));
        assert_eq!(seen.header("x-consumer-groups"), Some("customer"));
        assert_eq!(seen.header("x-credential-identifier"), Some("comptoir-customers"));
        assert_eq!(seen.header("x-gateway-secret"), Some("gateway_secret"));
        assert_eq!(seen.header("authorization"), Some(format!("{scheme} {token}").as_str()), "whom it is about");
        assert!(!seen.headers.values().any(|value| value == "forged"), "{seen:?}");
    }
}

#[tokio::test]
async fn without_a_token_one_is_asked_for_it() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    let basic = with_header(me(), "authorization", "Basic bWFyaWU6c2VjcmV0");
    let in_query = request(Method::GET, &format!("{ME}?jwt={}", good()));
    let in_cookie = with_header(me(), "cookie", &format!("jwt={}", good()));
    let bare = with_header(me(), "authorization", &good());
    let nothing = with_header(me(), "authorization", "Bearer");
    for request in [me(), basic, in_query, in_cookie, bare, nothing] {
        let answer = edge.send(request).await;
        assert_eq!(answer.problem(), refused(401, "authentication-required"));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"comptoir\""));
    }
    assert!(customers.seen().is_empty());
}

#[tokio::test]
async fn what_the_customers_service_has_not_signed_is_no_token() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    let good = good();
    let (_, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{body}.");
    let none_signed = format!("eyJhbGciOiJub25lIn0.{body}.{signature}");
    let other = signed(Algorithm::HS256, &json!({"sub": "8", "iss": "comptoir-customers", "exp": now() + 600}), "x");
    let other_body = other.split('.').nth(1).unwrap();
    let (head, _) = good.split_once('.').unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        signed(Algorithm::HS256, &claims, TOKEN_KEY)
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        signed(Algorithm::HS256, &claims, TOKEN_KEY)
    };
    for (what, token) in [
        ("another key", signed(Algorithm::HS256, &claims(), "another_key_of_more_than_32_letters")),
        ("no algorithm", none),
        ("no algorithm, and a signature", none_signed),
        ("another algorithm", signed(Algorithm::HS512, &claims(), TOKEN_KEY)),
        ("another's claims under a good signature", format!("{head}.{other_body}.{signature}")),
        ("no signature", format!("{head}.{body}.")),
        ("an unknown issuer", with("iss", json!("somebody-else"))),
        ("no issuer", without("iss")),
        ("no end", without("exp")),
        ("no token at all", "rubbish".to_owned()),
    ] {
        let answer = edge.send(with_token(me(), &token)).await;
        assert_eq!(answer.problem(), refused(401, "token-invalid"), "{what}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"comptoir\", error=\"invalid_token\""));
    }
    for ended in [now() - 1, now() - 3_600] {
        let answer = edge.send(with_token(me(), &with("exp", json!(ended)))).await;
        assert_eq!(answer.problem(), refused(401, "token-expired"));
    }
    let two = with_token(with_token(me(), &good), &good);
    assert_eq!(edge.send(two).await.problem(), refused(401, "token-invalid"));
    assert!(customers.seen().is_empty());
}

#[tokio::test]
async fn staff_has_a_door_of_its_own_to_the_same_path() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    for name in ["hq", "manager"] {
        // Whatever else it sends: who has a key is staff.
        for request in [me(), with_token(me(), &good()), with_token(me(), "rubbish")] {
            let answer = edge.send(with_header(request, "x-api-key", &format!("key_{name}"))).await;
            assert_eq!(answer.status, StatusCode::OK);
            let seen = customers.last();
            assert_eq!(seen.header("x-consumer-username"), Some(name));
            assert_eq!(seen.header("x-consumer-groups"), Some(name));
            assert_eq!(seen.header("x-api-key"), None);
        }
    }
    let count = customers.traffic();
    let stranger = with_header(with_token(me(), &good()), "x-api-key", "key_nobody");
    assert_eq!(edge.send(stranger).await.problem(), refused(401, "key-invalid"));
    for key in ["key_pos", "key_logistics"] {
        let answer = edge.send(with_header(me(), "x-api-key", key)).await;
        assert_eq!(answer.problem(), refused(403, "forbidden"));
    }
    // No key is no key, and then a token is asked for.
    let empty = with_header(me(), "x-api-key", "");
    assert_eq!(edge.send(empty).await.problem(), refused(401, "authentication-required"));
    assert_eq!(customers.traffic(), count);
}

#[tokio::test]
async fn registering_and_signing_in_are_open_and_nothing_beside_them() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    for path in ["/api/v1/customers", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"] {
        // With a token in the browser's hands as well, which says nothing here.
        for request in [with_body(Method::POST, path, "{}"), with_token(with_body(Method::POST, path, "{}"), "rubbish")]
        {
            let claim = identity::CLAIMS.iter().fold(request, |request, name| with_header(request, name, "forged"));
            assert_eq!(edge.send(claim).await.status, StatusCode::OK, "{path}");
            let seen = customers.last();
            assert_eq!(seen.path, path);
            assert!(identity::CLAIMS.iter().all(|name| seen.header(name).is_none()), "{seen:?}");
        }
    }
    let count = customers.traffic();
    for (method, path) in [
        (Method::GET, "/api/v1/customers"),
        (Method::POST, "/api/v1/customers/"),
        (Method::POST, "/api/v1/customers/me/addresses"),
        (Method::PATCH, ME),
        (Method::PUT, "/api/v1/customers/me/password"),
        (Method::DELETE, "/api/v1/customers/1"),
        (Method::GET, "/api/v1/customers/1/export"),
    ] {
        let answer = edge.send(request(method.clone(), path)).await;
        assert_eq!(answer.problem(), refused(401, "authentication-required"), "{method} {path}");
    }
    for (method, path) in [
        (Method::GET, "/api/v1/auth/login"),
        (Method::POST, "/api/v1/auth"),
        (Method::POST, "/api/v1/auth/login/x"),
        (Method::GET, "/internal/v1/customers/1"),
        (Method::PUT, "/internal/v1/loyalty/x"),
        (Method::GET, "/api/customers/internal/v1/customers/1"),
    ] {
        let answer = edge.send(with_token(request(method.clone(), path), &good())).await;
        assert_eq!(answer.problem(), refused(404, "route-not-found"), "{method} {path}");
    }
    assert_eq!(customers.traffic(), count);
    assert_eq!(edge.get("/api/customers/health").await.status, StatusCode::OK);
    assert_eq!(customers.last().path, "/health");
}

/// A browser asks first, without a token.
#[tokio::test]
async fn a_browser_may_ask_before_it_signs_in() {
    let customers = Backend::named("customers").await;
    let edge = Edge::start(customers.address, &[]).await;
    let asked = with_header(request(Method::OPTIONS, ME), "origin", "http://localhost:5173");
    let asked = with_header(asked, "access-control-request-method", "PATCH");
    let answer = edge.send(with_header(asked, "access-control-request-headers", "authorization,if-match")).await;
    assert!(answer.status.is_success(), "{answer:?}");
    let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("if-match"), "{allowed}");
    assert!(customers.seen().is_empty());
}
