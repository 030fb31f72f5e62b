//! What a checkout reads and takes.

use futures_util::future::join_all;
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, SPRITE, Shop, add, change, consume, id, int, lines};

const CHECKOUT: u128 = 0x0193_5b6e_0000_7000_8000_0000_0000_0001;

#[tokio::test]
async fn a_snapshot_is_what_is_in_the_cart() {
    let shop = Shop::open().await;
    let cart = shop.cart_of(json!({"customer_id": 7, "store_id": 2})).await;
    let tag = shop.add(&cart, COKE, 2).await;
    let path = format!("/internal/v1/carts/{}/snapshot", id(&cart));
    let response = shop.app.get(&path).as_role(Role::Service).send().await.expect_status(200);
    let snapshot: Value = response.json();
    assert_eq!(lines(&snapshot), [(COKE, 2)]);
    assert_eq!((int(&snapshot["customer_id"]), int(&snapshot["store_id"])), (7, 2));
    assert_eq!(response.header("etag"), tag);
}

#[tokio::test]
async fn only_services_read_snapshots_and_consume() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let consume = format!("/internal/v1/carts/{}/consume", id(&cart));
    let snapshot = format!("/internal/v1/carts/{}/snapshot", id(&cart));
    let audit = "/internal/v1/audit".to_owned();
    for role in [Role::Anonymous, Role::Customer, Role::Pos, Role::Manager, Role::Logistics, Role::Hq] {
        for request in [shop.app.post(&consume).json(&json!({})), shop.app.get(&snapshot), shop.app.get(&audit)] {
            let response = request.as_role(role).send().await;
            match role {
                Role::Anonymous => response.expect_problem(401, "authentication-required"),
                _ => response.expect_problem(403, "forbidden"),
            };
        }
    }
}

/// Invariant 21: what was bought goes, what was added meanwhile stays.
#[tokio::test]
async fn what_is_added_during_a_checkout_stays() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    shop.add(&cart, JUICE, 1).await;
    let bought = [(COKE, 2), (JUICE, 1)];
    // The customer does not wait for the checkout.
    shop.add(&cart, COKE, 3).await;
    shop.add(&cart, SPRITE, 1).await;
    let consumed: Value = shop.consume(&cart, CHECKOUT, &bought).send().await.expect_status(200).json();
    assert_eq!(consumed["cart_id"], id(&cart));
    assert_eq!(
        consumed["lines"],
        json!([
            {"product_id": COKE, "quantity": 2, "taken": 2},
            {"product_id": JUICE, "quantity": 1, "taken": 1},
        ])
    );
    assert_eq!(shop.lines(&cart).await, [(COKE, 3), (SPRITE, 1)]);
}

#[tokio::test]
async fn what_is_taken_out_during_a_checkout_is_not_owed() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 5).await;
    shop.add(&cart, JUICE, 1).await;
    let bought = [(JUICE, 1), (COKE, 5)];
    let _ = change(&shop.app, &cart, COKE, -3).send().await.expect_status(200);
    let _ = change(&shop.app, &cart, JUICE, -1).send().await.expect_status(200);
    let consumed: Value = shop.consume(&cart, CHECKOUT, &bought).send().await.expect_status(200).json();
    let taken: Vec<i64> = consumed["lines"].as_array().unwrap().iter().map(|line| int(&line["taken"])).collect();
    assert_eq!(taken, [2, 0]);
    assert_eq!(shop.lines(&cart).await, []);
}

#[tokio::test]
async fn a_checkout_takes_once() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 5).await;
    let first: Value = shop.consume(&cart, CHECKOUT, &[(COKE, 2)]).send().await.expect_status(200).json();
    let again: Value = shop.consume(&cart, CHECKOUT, &[(COKE, 2)]).send().await.expect_status(200).json();
    assert_eq!(first, again);
    assert_eq!(shop.lines(&cart).await, [(COKE, 3)]);
    // Another checkout takes again; the same one for something else is refused.
    let _ = shop.consume(&cart, CHECKOUT + 1, &[(COKE, 2)]).send().await.expect_status(200);
    assert_eq!(shop.lines(&cart).await, [(COKE, 1)]);
    let response = shop.consume(&cart, CHECKOUT, &[(COKE, 1)]).send().await;
    response.expect_problem(409, "checkout-consumed-differently");
    let other = shop.cart().await;
    let response = shop.consume(&other, CHECKOUT, &[(COKE, 2)]).send().await;
    response.expect_problem(409, "checkout-consumed-differently");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_repetitions_and_additions_are_told_apart() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    let cart = &shop.cart().await;
    shop.add(cart, COKE, 10).await;
    let requests = (0..40).map(|index| {
        let replica = &replicas[index % 3];
        let request = match index % 2 {
            0 => consume(replica, cart, CHECKOUT, &[(COKE, 10)]),
            _ => add(replica, cart, COKE, 1),
        };
        tokio::spawn(request.send())
    });
    for response in join_all(requests).await {
        let _ = response.unwrap().expect_status(200);
    }
    // Ten are bought, whichever came first, and twenty were added.
    assert_eq!(shop.lines(cart).await, [(COKE, 20)]);
}

/// A guest signs in while paying: the lines are in another cart when they have been paid for.
#[tokio::test]
async fn what_was_bought_is_taken_from_where_it_is() {
    let shop = Shop::open().await;
    let guest = shop.cart().await;
    let between = shop.cart().await;
    let customer = shop.cart_of(json!({"customer_id": 7})).await;
    shop.add(&guest, COKE, 2).await;
    shop.add(&customer, COKE, 1).await;
    let _ = shop.merge(&between, &guest).send().await.expect_status(200);
    let _ = shop.merge(&customer, &between).send().await.expect_status(200);
    for _ in 0..2 {
        let request = shop.consume(&guest, CHECKOUT, &[(COKE, 2)]);
        let consumed: Value = request.send().await.expect_status(200).json();
        assert_eq!(consumed["cart_id"], id(&customer));
    }
    assert_eq!(shop.lines(&customer).await, [(COKE, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consumption_and_a_merge_at_once_take_once() {
    let shop = Shop::open().await;
    let replica = shop.replica();
    for round in 0..10 {
        let guest = shop.cart().await;
        let customer = shop.cart_of(json!({"customer_id": 7})).await;
        shop.add(&guest, COKE, 5).await;
        let merging = tokio::spawn(shop.merge(&customer, &guest).send());
        let taking = consume(&replica, &guest, CHECKOUT + round, &[(COKE, 2)]);
        let taking = tokio::spawn(taking.send());
        let _ = merging.await.unwrap().expect_status(200);
        let _ = taking.await.unwrap().expect_status(200);
        assert_eq!(shop.lines(&customer).await, [(COKE, 3)]);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_consumption_is_named() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let response = shop.consume(&cart, CHECKOUT, &[(COKE, 0), (COKE, 1), (JUICE, 1_000)]).send().await;
    let problem = response.expect_problem(422, "validation-failed");
    let errors: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            ("/lines/0/quantity", "quantity-out-of-range"),
            ("/lines/1/product_id", "product-repeated"),
            ("/lines/2/quantity", "quantity-out-of-range"),
        ]
    );
    let response = shop.consume(&cart, CHECKOUT, &[]).send().await;
    assert_eq!(response.expect_problem(422, "validation-failed")["errors"][0]["code"], "lines-out-of-range");
    let nowhere = "00000000-0000-7000-8000-000000000000";
    let response = shop.consume(nowhere, CHECKOUT, &[(COKE, 1)]).send().await;
    response.expect_problem(404, "cart-not-found");
}
