//! One cart, three replicas of the service over one database, of which one is killed and comes back:
//! what was acknowledged is in the cart, once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use http::Method;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::support::client::{self, Client};
use crate::support::host::Host;
use crate::support::shop::Shop;

const WRITERS: u64 = 6;
/// Of each writer.
const CHANGES: usize = 60;
const PRODUCTS: [i64; 4] = [1, 2, 3, 4];

/// What a writer knows to be in the cart because of it.
type Ledger = BTreeMap<i64, i64>;

/// Adds and removals, each sent again to another replica, under its own key, until one of them answers.
async fn change(replicas: &RwLock<Vec<Host>>, client: &Client, cart: &str, random: u64) -> Ledger {
    let (mut random, mut ledger) = (StdRng::seed_from_u64(random), Ledger::new());
    for _ in 0..CHANGES {
        let product = PRODUCTS[random.random_range(0..PRODUCTS.len())];
        let mine = ledger.entry(product).or_default();
        // Never more than this writer added, so that the cart never has too few.
        let delta =
            if *mine > 0 && random.random() { -random.random_range(1..=*mine) } else { random.random_range(1..=3) };
        let (path, method, body) = if delta > 0 {
            let item = json!({"product_id": product, "quantity": delta});
            (format!("/api/v1/carts/{cart}/items"), Method::POST, item)
        } else {
            (format!("/api/v1/carts/{cart}/items/{product}"), Method::PATCH, json!({"delta": delta}))
        };
        let key = uuid::Uuid::now_v7().to_string();
        loop {
            let url = {
                let replicas = replicas.read().await;
                replicas[random.random_range(0..replicas.len())].url(&path)
            };
            let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
            let mut request = client::request(method.clone(), &url, &headers);
            *request.body_mut() = client::whole(body.to_string());
            match client.try_send(request).await {
                Ok(answer) if answer.status == 200 => break,
                // Still at it, or just starting: whether it was done, the key tells.
                Ok(answer) if matches!(answer.status.as_u16(), 409 | 503) => {
                    assert!(answer.header("retry-after").is_some(), "{answer:?}");
                }
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => {}
            }
        }
        *mine += delta;
    }
    ledger
}

#[tokio::test]
async fn what_three_replicas_acknowledge_is_in_the_cart_although_one_is_killed() {
    let shop = Shop::open().await;
    let cart = shop.cart(shop.customer().await).await;
    let client = Client::keep_alive();
    let replicas = join_all((0..3).map(|_| shop.replica("cart"))).await;
    let replicas = RwLock::new(replicas);
    let seed = rand::random::<u64>() >> 8;
    println!("the seed of the changes is {seed}");
    let writers = join_all((0..WRITERS).map(|writer| change(&replicas, &client, &cart, seed + writer)));
    let killing = async {
        for _ in 0..3 {
            // In the middle of whatever it is at; the writers find out by themselves.
            let first = replicas.read().await[0].pid();
            let killed = rustix::process::Pid::from_raw(first.try_into().expect("a pid")).expect("a pid");
            rustix::process::kill_process(killed, Signal::KILL).expect("a running replica");
            let again = shop.replica("cart").await;
            replicas.write().await[0] = again;
        }
    };
    let (ledgers, ()) = tokio::join!(writers, killing);
    let mut expected = Ledger::new();
    for (product, units) in ledgers.into_iter().flatten() {
        *expected.entry(product).or_default() += units;
    }
    expected.retain(|_, units| *units > 0);
    let read: Value = replicas.read().await[1].get(&format!("/api/v1/carts/{cart}")).await.expect_status(200).json();
    let lines = read["lines"].as_array().expect("a list").iter();
    let found: Ledger = lines
        .map(|line| (line["product_id"].as_i64().expect("a number"), line["quantity"].as_i64().expect("a number")))
        .collect();
    assert_eq!(found, expected, "{read:#}");
}
