//! A purchase as customers make it, through the gateway of the whole platform: one, many at once for
//! the same goods, the same one many times at once; and what is left when the power fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::support::client::{Client, Response};
use crate::support::eventually;
use crate::support::platform::Platform;
use crate::support::shop::delivery;

/// Where deliveries leave from.
const WAREHOUSE: i64 = 100;
const PASSWORD: &str = "quatre chats gris jouent";

/// Somebody who has signed in.
pub struct Buyer {
    bearer: String,
}

impl Buyer {
    pub async fn register(platform: &Platform, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let body = json!({"email": email, "password": PASSWORD, "name": name});
        platform.send(Method::POST, "/api/v1/customers", &[], &body).await.expect_status(201);
        let body = json!({"email": email, "password": PASSWORD});
        let answer = platform.send(Method::POST, "/api/v1/auth/login", &[], &body).await.expect_status(200).json();
        Self { bearer: format!("Bearer {}", answer["access_token"].as_str().expect("a token")) }
    }

    pub fn headers(&self) -> [(&str, &str); 1] {
        [("authorization", &self.bearer)]
    }
}

/// A cart with so many of one product.
pub async fn cart(platform: &Platform, product: i64, quantity: i64) -> String {
    let cart = platform.send(Method::POST, "/api/v1/carts", &[], &json!({})).await.expect_status(201).json();
    let cart = cart["id"].as_str().expect("an id").to_owned();
    let item = json!({"product_id": product, "quantity": quantity});
    platform.send(Method::POST, &format!("/api/v1/carts/{cart}/items"), &[], &item).await.expect_status(200);
    cart
}

pub async fn total(platform: &Platform, cart: &str) -> Value {
    platform.get(&format!("/api/v1/carts/{cart}/estimate")).await.expect_status(200).json()["total"].clone()
}

pub fn order(cart: &str, total: &Value, token: &str) -> Value {
    json!({
        "cart_id": cart, "fulfilment": delivery(), "payment": {"method": "card", "token": token},
        "expected_total": total,
    })
}

pub async fn check_out(platform: &Platform, buyer: &Buyer, key: &str, body: &Value) -> Response {
    let headers = [("authorization", buyer.bearer.as_str()), ("idempotency-key", key)];
    let answer = platform.send(Method::POST, "/api/v1/checkouts", &headers, body).await;
    if answer.status != 202 {
        return answer;
    }
    // It goes on by itself, and whoever asks again with the same key is told what came of it.
    let mut last = answer;
    eventually("the checkout ends", async || {
        last = platform.send(Method::POST, "/api/v1/checkouts", &headers, body).await;
        last.status != 202
    })
    .await;
    last
}

/// A new count of what there is in the warehouse.
async fn count(platform: &Platform, product: i64, units: i64) {
    let key = platform.key("logistics");
    let path = format!("/api/v1/stock/{WAREHOUSE}/{product}");
    let headers = [("x-api-key", key.as_str())];
    let stock = platform.send(Method::GET, &path, &headers, &Value::Null).await.expect_status(200);
    let tag = stock.header("etag").expect("an ETag").to_owned();
    let headers = [("x-api-key", key.as_str()), ("if-match", tag.as_str()), ("idempotency-key", &tag)];
    platform.send(Method::PUT, &path, &headers, &json!({"on_hand": units})).await.expect_status(200);
}

fn counted(answers: &[Response]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
    }
    statuses
}

/// One platform for all of it: its start takes longer than they do.
#[tokio::test]
async fn purchases_through_the_gateway() {
    let platform = Platform::start().await;
    let marie = Buyer::register(&platform, "marie").await;
    one_purchase(&platform, &marie).await;
    nobody_sees_what_is_another_customers(&platform, &marie).await;
    the_same_many_times_at_once(&platform, &marie).await;
    many_for_the_last_units(&platform).await;
    let books = platform.books();
    books.at_rest().await;
    books.audited().await;
    platform.stop().await;
}

async fn one_purchase(platform: &Platform, marie: &Buyer) {
    let cart = cart(platform, 1, 2).await;
    let quoted =
        platform.send(Method::POST, "/api/v1/checkouts/quote", &marie.headers(), &json!({"cart_id": cart})).await;
    let quoted = quoted.expect_status(200).json();
    let total = total(platform, &cart).await;
    assert_eq!(quoted["total"], total);
    let answer = check_out(platform, marie, "one", &order(&cart, &total, "tok_ok")).await.expect_status(201);
    let checkout = answer.json();
    assert_eq!(checkout["state"], "completed", "{checkout:#}");
    let list =
        platform.send(Method::GET, "/api/v1/orders", &marie.headers(), &Value::Null).await.expect_status(200).json();
    let [found] = &list["data"].as_array().expect("a list")[..] else { panic!("one order: {list:#}") };
    assert_eq!((&found["total"], &found["status"]), (&total, &json!("confirmed")), "{found:#}");
    assert_eq!(found["id"], checkout["order_id"]);
    let emptied = platform.get(&format!("/api/v1/carts/{cart}")).await.expect_status(200).json();
    assert_eq!(emptied["lines"], json!([]));
}

async fn nobody_sees_what_is_another_customers(platform: &Platform, marie: &Buyer) {
    let eve = Buyer::register(platform, "eve").await;
    let ask = async |buyer: &Buyer, path: &str| platform.send(Method::GET, path, &buyer.headers(), &Value::Null).await;
    let orders = ask(marie, "/api/v1/orders").await.json();
    let order = orders["data"][0]["id"].as_str().expect("an order").to_owned();
    let checkouts = ask(marie, "/api/v1/checkouts").await.json();
    let checkout = checkouts["data"][0]["id"].as_str().expect("a checkout").to_owned();
    for path in [format!("/api/v1/orders/{order}"), format!("/api/v1/checkouts/{checkout}")] {
        ask(marie, &path).await.expect_status(200);
        ask(&eve, &path).await.expect_status(404);
        platform.get(&path).await.expect_status(401);
    }
    assert_eq!(ask(&eve, "/api/v1/orders").await.json()["data"], json!([]));
}

/// Fifty keys, twenty clicks each: fifty orders.
async fn the_same_many_times_at_once(platform: &Platform, marie: &Buyer) {
    let before = platform.books().number("orders", "select count(*) from orders").await;
    let purchases = join_all((0..50).map(async |_| {
        let cart = cart(platform, 2, 1).await;
        let total = total(platform, &cart).await;
        order(&cart, &total, "tok_ok")
    }))
    .await;
    let clicks = purchases.iter().enumerate().flat_map(|(number, body)| {
        (0..20).map(move |_| async move { check_out(platform, marie, &format!("click-{number}"), body).await })
    });
    let answers = join_all(clicks).await;
    for same in answers.chunks(20) {
        for answer in same {
            assert!(matches!(answer.status.as_u16(), 201 | 409), "{answer:?}");
        }
        let ids: std::collections::BTreeSet<String> =
            same.iter().filter(|answer| answer.status == 201).map(|answer| answer.json()["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "one checkout for a key");
    }
    let after = platform.books().number("orders", "select count(*) from orders").await;
    assert_eq!(after - before, 50);
    let other = order("00000000-0000-7000-8000-000000000000", &json!({"amount": 1, "currency": "CAD"}), "tok_ok");
    check_out(platform, marie, "click-0", &other).await.expect_status(422);
}

/// A hundred units, five hundred buyers at once: a hundred orders, and the others are told.
async fn many_for_the_last_units(platform: &Platform) {
    const UNITS: i64 = 100;
    const PRODUCT: i64 = 4;
    count(platform, PRODUCT, UNITS).await;
    let buyers =
        join_all((0..20).map(async |number| Buyer::register(platform, &format!("buyer-{number}")).await)).await;
    let mut purchases = Vec::new();
    for _ in 0..500 {
        let cart = cart(platform, PRODUCT, 1).await;
        purchases.push(cart);
    }
    let total = total(platform, &purchases[0]).await;
    let (buyers, total) = (&buyers, &total);
    let answers = join_all(purchases.iter().enumerate().map(async |(number, cart)| {
        check_out(platform, &buyers[number % buyers.len()], &format!("flash-{number}"), &order(cart, total, "tok_ok"))
            .await
    }))
    .await;
    assert_eq!(counted(&answers), BTreeMap::from([(201, 100), (409, 400)]));
    for answer in answers.iter().filter(|answer| answer.status == 409) {
        answer.expect_problem(409, "insufficient-stock");
    }
    let stock = platform.get(&format!("/api/v1/stock/availability/{PRODUCT}")).await.expect_status(200).json();
    let warehouse =
        stock["locations"].as_array().expect("a list").iter().find(|place| place["location_id"] == WAREHOUSE);
    assert_eq!(warehouse.expect("the warehouse")["available"], 0, "{stock:#}");
}

/// The power fails in the middle of many purchases; with the next start all of them end.
#[tokio::test]
async fn what_was_under_way_when_the_power_failed_ends() {
    let platform = Platform::start().await;
    let marie = Buyer::register(&platform, "marie").await;
    let first = total(&platform, &cart(&platform, 1, 1).await).await;
    let platform = Arc::new(platform);
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let loops: Vec<_> = (0..8)
        .map(|buyer| {
            let (stop, done, bearer, first) = (stop.clone(), done.clone(), marie.bearer.clone(), first.clone());
            let platform = platform.clone();
            tokio::spawn(async move {
                // Its own, because those of the platform end with it.
                let client = Client::keep_alive();
                for number in 0.. {
                    let made = client.try_send(platform.request(Method::POST, "/api/v1/carts", &[], &json!({}))).await;
                    let Ok(made) = made else { return };
                    if stop.load(Ordering::Relaxed) || made.status != 201 {
                        return;
                    }
                    let cart = made.json()["id"].as_str().expect("an id").to_owned();
                    let item = json!({"product_id": 1, "quantity": 1});
                    let items = format!("/api/v1/carts/{cart}/items");
                    let Ok(_) = client.try_send(platform.request(Method::POST, &items, &[], &item)).await else {
                        return;
                    };
                    let key = format!("power-{buyer}-{number}");
                    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
                    let body = order(&cart, &first, "tok_ok");
                    let bought =
                        client.try_send(platform.request(Method::POST, "/api/v1/checkouts", &headers, &body)).await;
                    match bought {
                        Ok(answer) if answer.status == 201 => done.fetch_add(1, Ordering::Relaxed),
                        _ => return,
                    };
                }
            })
        })
        .collect();
    eventually("some have bought", async || done.load(Ordering::Relaxed) >= 40).await;
    let folder = platform.power_fails();
    stop.store(true, Ordering::Relaxed);
    for buyer in loops {
        buyer.await.expect("no panic");
    }
    drop(platform);
    let platform = Platform::start_in(folder).await;
    let books = platform.books();
    books.at_rest().await;
    let entries = books.audited().await;
    let completed = entries.iter().filter(|entry| entry.state == "completed").count();
    assert!(completed >= done.load(Ordering::Relaxed), "what was answered is there");
    platform.stop().await;
}
