//! Which request goes where, and as what.

use super::*;

#[tokio::test]
async fn every_request_reaches_its_service_or_none() {
    let (products, cart) = (Backend::named("products").await, Backend::named("cart").await);
    let edge = Edge::start(products.address, &[cart.address]).await;
    for (method, path, expected) in [
        ("GET", "/api/v1/products?ids=1,2&q=caf%C3%A9", Some(("products", "/api/v1/products?ids=1,2&q=caf%C3%A9"))),
        ("HEAD", "/api/v1/products/7", Some(("products", "/api/v1/products/7"))),
        ("GET", "/api/v1/categories", Some(("products", "/api/v1/categories"))),
        ("GET", "/api/v1/tax-categories", Some(("products", "/api/v1/tax-categories"))),
        ("POST", "/api/v1/price-quotes", Some(("products", "/api/v1/price-quotes"))),
        ("GET", "/api/v1/price-quotes", None),
        ("POST", "/api/v1/carts", Some(("cart", "/api/v1/carts"))),
        ("PATCH", "/api/v1/carts/x/items/1", Some(("cart", "/api/v1/carts/x/items/1"))),
        ("TRACE", "/api/v1/carts", None),
        // A service's own pages, and nothing else of it.
        ("GET", "/api/products/health", Some(("products", "/health"))),
        ("GET", "/api/products/ready?verbose", Some(("products", "/ready?verbose"))),
        ("GET", "/api/cart/openapi.json", Some(("cart", "/openapi.json"))),
        ("GET", "/api/cart/docs", Some(("cart", "/docs"))),
        ("GET", "/api/cart/openapiXjson", None),
        ("GET", "/api/cart/docs/x", None),
        ("POST", "/api/cart/health", None),
        ("GET", "/api/products", None),
        ("GET", "/api/products/api/v1/products", None),
        ("GET", "/x/api/cart/health", None),
        // What a browser shows, and what that loads.
        ("GET", "/", Some(("products", "/"))),
        ("GET", "/?q=caf%C3%A9", Some(("products", "/?q=caf%C3%A9"))),
        ("HEAD", "/product/7", Some(("products", "/product/7"))),
        (
            "GET",
            "/orders/0198f7a0-0000-7000-8000-000000000000",
            Some(("products", "/orders/0198f7a0-0000-7000-8000-000000000000")),
        ),
        ("GET", "/product/x", None),
        ("GET", "/cart/x", None),
        ("POST", "/cart", None),
        ("GET", "/till", Some(("sales", "/till"))),
        (
            "GET",
            "/till/sales/0198f7a0-0000-7000-8000-000000000000/return",
            Some(("sales", "/till/sales/0198f7a0-0000-7000-8000-000000000000/return")),
        ),
        ("GET", "/till/worker", Some(("sales", "/till/worker"))),
        ("GET", "/till/../internal/v1/audit", None),
        ("GET", "/office", Some(("reports", "/office"))),
        ("GET", "/office/stock/requests?store=1", Some(("reports", "/office/stock/requests?store=1"))),
        ("PUT", "/office", None),
        ("GET", "/office/Stock", None),
        ("GET", "/assets/products/0a1b/shop.js", Some(("products", "/assets/products/0a1b/shop.js"))),
        ("GET", "/assets/cart/0a1b/docs.js", Some(("cart", "/assets/cart/0a1b/docs.js"))),
        ("GET", "/assets/cart/0a1b/../../../internal/v1/audit", None),
        ("GET", "/assets/cart/0a1b/x%2Fy", None),
        // Nothing internal, however it is spelt.
        ("GET", "/internal/v1/events", None),
        ("GET", "/api/cart/internal/v1/audit", None),
        ("GET", "/api/cart/health/../internal/v1/audit", None),
        ("GET", "/api/cart/health%2F..%2Finternal", None),
        ("GET", "/api/v1/carts/%2e%2e/%2E%2e/../internal/v1/events", None),
        ("GET", "/api/v1/carts/..//products/%41", Some(("products", "/api/v1/products/A"))),
        ("GET", "//api//v1/carts", Some(("cart", "/api/v1/carts"))),
        ("OPTIONS", "/", None),
    ] {
        let answer = edge.send(request(method.parse().unwrap(), path)).await;
        match expected {
            None => assert_eq!(answer.problem(), refused(404, "route-not-found"), "{method} {path}"),
            Some((service, target)) => {
                assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
                let backend = if service == "cart" { &cart } else { &products };
                assert_eq!(backend.last().path, target, "{method} {path}");
                assert_eq!(backend.last().method.as_str(), method);
            }
        }
    }
}

#[tokio::test]
async fn the_longer_prefix_wins_and_regular_expressions_come_first() {
    let edge = Edge::start(nobody().await, &[]).await;
    let routes = edge.gateway.routes();
    let place = |name: &str| routes.iter().position(|route| *route == name).unwrap();
    assert!(place("products-import") < place("products-write"), "{routes:?}");
    assert!(place("cart-pages") < place("products-import"), "{routes:?}");
}

#[tokio::test]
async fn no_route_is_a_problem_document() {
    let edge = Edge::start(nobody().await, &[]).await;
    let answer = edge.send(with_header(request(Method::GET, "/nowhere?q=1"), "x-request-id", "abc")).await;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({
        "type": "urn:comptoir:problem:route-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "no Route matched with those values",
        "instance": "/nowhere",
        "code": "route-not-found",
        "request_id": "abc",
    });
    assert_eq!(body, expected);
    assert_eq!(answer.header("x-request-id"), Some("abc"));
}

#[tokio::test]
async fn a_request_without_an_id_gets_one_and_the_client_is_told() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    let answer = edge.get("/api/v1/products").await;
    let given = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(uuid::Uuid::try_parse(&given).unwrap().get_version_num(), 7);
    assert_eq!(products.last().header("x-request-id"), Some(given.as_str()));
    edge.send(with_header(request(Method::GET, "/api/v1/products"), "x-request-id", "mine")).await;
    assert_eq!(products.last().header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn the_service_learns_how_the_client_came() {
    let products = Backend::named("products").await;
    let edge = Edge::start(products.address, &[]).await;
    edge.send(with_header(request(Method::GET, "/api/products/health"), "host", "shop.example")).await;
    let seen = products.last();
    assert_eq!(seen.header("host"), Some("products-service:8001"));
    assert_eq!(seen.header("x-forwarded-host"), Some("shop.example"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-port"), Some(edge.address.port().to_string().as_str()));
    assert_eq!(seen.header("x-forwarded-prefix"), Some("/api/products/health"));
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_ask_and_read() {
    let cart = Backend::named("cart").await;
    let edge = Edge::start(nobody().await, &[cart.address]).await;
    let ask = |origin: &str| {
        let ask = with_header(request(Method::OPTIONS, "/api/v1/carts/x"), "origin", origin);
        with_header(ask, "access-control-request-method", "PATCH")
    };
    let answer = edge.send(ask("http://localhost:5173")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:5173"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("If-Match"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    let answer = edge.send(ask("http://evil.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(cart.traffic(), 0, "the service is not asked");

    let read = with_header(request(Method::GET, "/api/v1/carts/x"), "origin", "http://127.0.0.1:5173");
    let answer = edge.send(read).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://127.0.0.1:5173"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
