//! Who may do what. Invariant 29: customer A never reads B.

use axum::http::Method;
use sdk::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Shop, uuid};

const ROLES: [Role; 7] =
    [Role::Anonymous, Role::Customer, Role::Pos, Role::Manager, Role::Logistics, Role::Hq, Role::Service];

#[tokio::test]
async fn every_route_takes_the_roles_that_it_is_for_and_no_other() {
    let shop = Shop::open().await;
    let id = Uuid::now_v7();
    let app = &shop.checkout;
    let amount = json!({"amount": {"amount": 1, "currency": "CAD"}});
    let (post, put, get) = (Method::POST, Method::PUT, Method::GET);
    let cart = json!({"cart_id": id});
    let routes: [(_, _, _, Option<&Value>, &[Role]); 11] = [
        ("quote", &post, "/api/v1/checkouts/quote".to_owned(), Some(&cart), &[Role::Customer]),
        ("cancel", &post, format!("/api/v1/checkouts/{id}/cancel"), None, &[Role::Customer]),
        ("list", &get, "/api/v1/checkouts".to_owned(), None, &[Role::Customer, Role::Hq]),
        ("read", &get, format!("/api/v1/checkouts/{id}"), None, &[Role::Customer, Role::Hq]),
        ("void", &post, format!("/internal/v1/payments/{id}/void"), None, &[Role::Service]),
        ("refund", &put, format!("/internal/v1/payments/{id}/refunds/{id}"), Some(&amount), &[Role::Service]),
        ("events", &get, "/internal/v1/events".to_owned(), None, &[Role::Service]),
        ("audit", &get, "/internal/v1/audit".to_owned(), None, &[Role::Service]),
        ("look", &get, format!("/simulator/v1/payments/{id}"), None, &[Role::Service]),
        ("capture", &post, format!("/simulator/v1/payments/{id}/capture"), None, &[Role::Service]),
        ("provider's void", &post, format!("/simulator/v1/payments/{id}/void"), None, &[Role::Service]),
    ];
    for (name, method, path, body, may) in routes {
        for role in ROLES {
            let request = app.request(method.clone(), &path);
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let sent = match role {
                Role::Customer => request.as_customer(7),
                role => request.as_role(role),
            };
            let status = sent.send().await.status.as_u16();
            match (may.contains(&role), role) {
                (true, _) => assert!(![401, 403].contains(&status), "{name} {role:?}: {status}"),
                (false, Role::Anonymous) => assert_eq!(status, 401, "{name}"),
                (false, _) => assert_eq!(status, 403, "{name} {role:?}"),
            }
        }
    }
}

#[tokio::test]
async fn somebody_elses_checkout_is_as_good_as_none() {
    let shop = Shop::open().await;
    let (marie, paul) = (shop.customer("marie").await, shop.customer("paul").await);
    let purchase = shop.purchase(marie, "tok_ok").await;
    let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
    let id = uuid(&body["id"]);
    let path = format!("/api/v1/checkouts/{id}");
    let unknown = shop.checkout.get(format!("/api/v1/checkouts/{}", Uuid::now_v7())).as_customer(paul);
    unknown.send().await.expect_problem(404, "checkout-not-found");
    shop.checkout.get(&path).as_customer(paul).send().await.expect_problem(404, "checkout-not-found");
    shop.cancel(paul, id).send().await.expect_problem(404, "checkout-not-found");
    let _ = shop.checkout.get(&path).as_customer(marie).send().await.expect_status(200);
    let _ = shop.checkout.get(&path).as_role(Role::Hq).send().await.expect_status(200);

    let list = async |request: sdk::testing::TestRequest| {
        let body: Value = request.send().await.expect_status(200).json();
        body["data"].as_array().unwrap().len()
    };
    let all = || shop.checkout.get("/api/v1/checkouts");
    assert_eq!(list(all().as_customer(marie)).await, 1);
    assert_eq!(list(all().as_customer(paul)).await, 0);
    assert_eq!(list(all().as_role(Role::Hq)).await, 1);
    let of_marie = shop.checkout.get(format!("/api/v1/checkouts?customer={marie}")).as_customer(paul);
    assert_eq!(list(of_marie).await, 0);
}

#[tokio::test]
async fn nobody_buys_for_somebody_else() {
    let shop = Shop::open().await;
    let (marie, paul) = (shop.customer("marie").await, shop.customer("paul").await);
    let mut purchase = shop.purchase(marie, "tok_ok").await;
    purchase.body["customer_id"] = json!(paul);
    shop.check_out(&purchase).send().await.expect_problem(403, "forbidden");
    let post = shop.checkout.post("/api/v1/checkouts").as_role(Role::Hq).idempotency_key("k").json(&purchase.body);
    post.send().await.expect_problem(403, "forbidden");
    purchase.body["customer_id"] = json!(marie);
    let _ = shop.check_out(&purchase).send().await.expect_status(201);
}

#[tokio::test]
async fn lists_are_in_pages_and_by_state() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for token in ["tok_ok", "tok_declined", "tok_ok"] {
        let purchase = shop.purchase(marie, token).await;
        shop.check_out(&purchase).send().await;
        shop.pass(1);
    }
    let page = async |query: &str| -> Value {
        shop.checkout
            .get(format!("/api/v1/checkouts?{query}"))
            .as_customer(marie)
            .send()
            .await
            .expect_status(200)
            .json()
    };
    let states = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|c| c["state"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("limit=2").await;
    assert_eq!(states(&first), ["completed", "failed"]);
    let rest = page(&format!("limit=2&after={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((states(&rest), &rest["next_cursor"]), (vec!["completed".to_owned()], &Value::Null));
    assert_eq!(states(&page("state=failed").await), ["failed"]);
    for wrong in ["limit=0", "state=lost", "colour=red", "after=x"] {
        let request = shop.checkout.get(format!("/api/v1/checkouts?{wrong}")).as_customer(marie);
        assert_eq!(request.send().await.status, 400, "{wrong}");
    }
}
