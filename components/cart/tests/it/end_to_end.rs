//! With the products service itself, as it is in production, on a database of its own.

use sdk::testing::TestApp;
use sdk::{Client, Clock, Role};
use serde_json::{Value, json};

use crate::support::{ARCHIVED, add, cents, lines, money, noon};

struct Platform {
    cart: TestApp,
    products: TestApp,
    client: Client,
    clock: Clock,
}

impl Platform {
    async fn start() -> Platform {
        let clock = Clock::fixed(noon());
        let products = TestApp::of(&products::SERVICE).clock(clock.clone()).build().await;
        let client = Client::from_routers([("products", products.router())]);
        let cart = TestApp::of(&cart::SERVICE).clock(clock.clone()).client(client.clone()).build().await;
        Platform { cart, products, client, clock }
    }

    async fn cart(&self, body: Value, bought: &[(i64, i64)]) -> String {
        let response = self.cart.post("/api/v1/carts").json(&body).send().await.expect_status(201);
        let path = response.header("location").to_owned();
        for (product, quantity) in bought {
            let _ = add(&self.cart, &path, *product, *quantity).send().await.expect_status(200);
            // One after the other: that is the order in which they are shown.
            self.pass(1);
        }
        path
    }

    async fn estimate(&self, cart: &str, payment: &str) -> Value {
        let path = format!("{cart}/estimate{payment}");
        self.cart.get(path).send().await.expect_status(200).json()
    }

    async fn quote(&self, body: Value) -> Value {
        let request = self.products.post("/api/v1/price-quotes").json(&body);
        request.send().await.expect_status(200).json()
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }
}

/// The members that an estimate shares with a quote.
fn amounts(body: &Value) -> Value {
    let mut body = body.clone();
    let members = body.as_object_mut().unwrap();
    for other in ["cart_id", "version", "stale", "priced_at", "quoted_at"] {
        members.remove(other);
    }
    for line in members["lines"].as_array_mut().unwrap() {
        for other in ["price_kind", "rates", "unit_deposit"] {
            line.as_object_mut().unwrap().remove(other);
        }
    }
    body
}

/// 2 x 2.99 + 3.49 = 9.47; GST 0.47; QST 0.94; three deposits 0.30: 11.18; in cash 11.20.
#[tokio::test]
async fn the_worked_example() {
    let platform = Platform::start().await;
    let cart = platform.cart(json!({}), &[(1, 2), (3, 1)]).await;

    let read: Value = platform.cart.get(&cart).send().await.expect_status(200).json();
    assert_eq!(read["subtotal"], money(947));
    let names: Vec<&str> =
        read["lines"].as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Coke", "Apple Juice"]);

    let estimate = platform.estimate(&cart, "?payment=cash").await;
    assert_eq!(estimate["subtotal"], money(947));
    let taxes: Vec<(&str, i64)> = estimate["taxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tax| (tax["code"].as_str().unwrap(), cents(&tax["amount"])))
        .collect();
    assert_eq!(taxes, [("GST", 47), ("QST", 94)]);
    assert_eq!(estimate["deposits"], money(30));
    assert_eq!((cents(&estimate["total"]), cents(&estimate["payable"])), (1_118, 1_120));
    assert_eq!((&estimate["stale"], &estimate["priced_at"]), (&json!(false), &json!("2026-11-23T17:00:02Z")));
    let estimate = platform.estimate(&cart, "").await;
    assert_eq!((cents(&estimate["payable"]), cents(&estimate["cash_total"])), (1_118, 1_120));
}

/// Invariant 15, for the part of it that is here: one total, to the cent, member by member, whether
/// products is asked or the cache.
#[tokio::test]
async fn an_estimate_is_a_quote_to_the_cent_also_while_products_is_down() {
    let platform = Platform::start().await;
    let baskets: [&[(i64, i64)]; 4] = [
        &[(1, 2), (3, 1)],
        &[(5, 7), (4, 3), (2, 11)],
        &[(1, 999), (2, 999), (3, 999), (4, 999), (5, 999)],
        &[(6, 1), (7, 2), (8, 3), (9, 4), (10, 5), (11, 6), (12, 7), (13, 8), (14, 9), (15, 10)],
    ];
    for bought in baskets {
        for payment in ["cash", "card"] {
            let cart = platform.cart(json!({}), bought).await;
            let body: Vec<Value> =
                bought.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity})).collect();
            let quote = platform.quote(json!({"lines": body, "payment": payment})).await;
            let query = format!("?payment={payment}");
            let live = platform.estimate(&cart, &query).await;
            assert_eq!((amounts(&live), &live["stale"]), (amounts(&quote), &json!(false)));

            platform.client.set_down("products", true);
            let stale = platform.estimate(&cart, &query).await;
            assert_eq!((amounts(&stale), &stale["stale"]), (amounts(&quote), &json!(true)));
            platform.client.set_down("products", false);
            platform.pass(2);
        }
    }
}

/// The price of a store is that store's, in the cart, in the estimate and in the cache.
#[tokio::test]
async fn a_store_has_its_own_price() {
    let platform = Platform::start().await;
    let price = json!({"kind": "regular", "store_id": 3, "amount": money(249)});
    let request = platform.products.post("/api/v1/products/1/prices").as_role(Role::Manager);
    let _ = request.json(&price).send().await.expect_status(201);
    for (store, expected) in [(json!({"store_id": 3}), 249), (json!({"store_id": 1}), 299), (json!({}), 299)] {
        let cart = platform.cart(store, &[(1, 1)]).await;
        let read: Value = platform.cart.get(&cart).send().await.expect_status(200).json();
        assert_eq!(cents(&read["subtotal"]), expected);
        assert_eq!(cents(&platform.estimate(&cart, "").await["subtotal"]), expected);
        platform.client.set_down("products", true);
        assert_eq!(cents(&platform.estimate(&cart, "").await["subtotal"]), expected);
        platform.client.set_down("products", false);
        platform.pass(2);
    }
}

#[tokio::test]
async fn a_product_that_is_withdrawn_cannot_be_ordered() {
    let platform = Platform::start().await;
    let cart = platform.cart(json!({}), &[(1, 1), (2, 1)]).await;
    let request = platform.products.delete("/api/v1/products/2").as_role(Role::Hq);
    let _ = request.header("if-match", "*").send().await.expect_status(204);
    let response = platform.cart.get(format!("{cart}/estimate")).send().await;
    let problem = response.expect_problem(409, "cart-not-orderable");
    assert_eq!(problem["errors"][0]["pointer"], "/lines/1/product_id");
    assert_eq!(problem["errors"][0]["code"], "product-archived");
    platform.pass(31);
    let read: Value = platform.cart.get(&cart).send().await.expect_status(200).json();
    assert_eq!(read["lines"][1]["product_status"], "archived");
    assert_eq!(lines(&read), [(1, 1), (2, 1)]);
}

#[tokio::test]
async fn what_products_does_not_know_gets_into_no_cart() {
    let platform = Platform::start().await;
    let cart = platform.cart(json!({}), &[]).await;
    let problem = add(&platform.cart, &cart, ARCHIVED * 1_000, 1).send().await;
    let problem = problem.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "product-not-found");
}
