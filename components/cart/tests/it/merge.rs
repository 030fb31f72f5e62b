//! A guest's cart goes into the customer's: once, whoever asks how often.

use futures_util::future::join_all;
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, SPRITE, Shop, add, change, id, int, lines, merge, outcome, set};

async fn guest_and_customer(shop: &Shop) -> (String, String) {
    let guest = shop.cart().await;
    let customer = shop.cart_of(json!({"customer_id": 7})).await;
    shop.add(&guest, COKE, 2).await;
    shop.add(&guest, JUICE, 1).await;
    shop.add(&customer, COKE, 3).await;
    (guest, customer)
}

#[tokio::test]
async fn quantities_add_up_and_the_guest_cart_names_its_target() {
    let shop = Shop::open().await;
    let (guest, customer) = guest_and_customer(&shop).await;
    let response = shop.merge(&customer, &guest).send().await.expect_status(200);
    let merged: Value = response.json();
    assert_eq!(lines(&merged), [(COKE, 5), (JUICE, 1)]);
    assert_eq!(merged["id"], id(&customer));
    assert_eq!(response.header("etag"), format!("\"{}\"", merged["version"]));
    assert_eq!(shop.lines(&customer).await, [(COKE, 5), (JUICE, 1)]);

    let old = shop.read(&guest).await;
    assert_eq!((&old["status"], &old["merged_into"]), (&json!("merged"), &json!(id(&customer))));
    assert_eq!(lines(&old), []);
}

/// Invariant 22.
#[tokio::test]
async fn a_merge_twice_is_a_merge_once() {
    let shop = Shop::open().await;
    let (guest, customer) = guest_and_customer(&shop).await;
    let first: Value = shop.merge(&customer, &guest).send().await.expect_status(200).json();
    let second: Value = shop.merge(&customer, &guest).send().await.expect_status(200).json();
    assert_eq!(first, second);
    // Also when the target went on, and with a key.
    shop.add(&customer, SPRITE, 1).await;
    for _ in 0..2 {
        let request = shop.merge(&customer, &guest).idempotency_key("login");
        let third: Value = request.send().await.expect_status(200).json();
        assert_eq!(lines(&third), [(COKE, 5), (SPRITE, 1), (JUICE, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_merges_are_one() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    for _ in 0..5 {
        let (guest, customer) = guest_and_customer(&shop).await;
        let merges = (0..9).map(|index| tokio::spawn(merge(&replicas[index % 3], &customer, &guest).send()));
        for response in join_all(merges).await {
            let merged: Value = response.unwrap().expect_status(200).json();
            assert_eq!(lines(&merged), [(COKE, 5), (JUICE, 1)]);
        }
    }
}

/// Each way, at once: one wins, nothing is lost or doubled, nobody is a deadlock's victim.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merges_in_both_directions_end_in_one_cart() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    for _ in 0..10 {
        let (a, b) = (shop.cart().await, shop.cart().await);
        shop.add(&a, COKE, 2).await;
        shop.add(&b, COKE, 3).await;
        let merges = (0..10).map(|index| {
            let (target, source) = if index % 2 == 0 { (&a, &b) } else { (&b, &a) };
            tokio::spawn(merge(&replicas[index % 3], target, source).send())
        });
        for response in join_all(merges).await {
            let outcome = outcome(&response.unwrap());
            let allowed = [(200, String::new()), (409, "cart-merged".to_owned())];
            assert!(allowed.contains(&outcome), "{outcome:?}");
        }
        let carts = [shop.read(&a).await, shop.read(&b).await];
        let open: Vec<&Value> = carts.iter().filter(|cart| cart["status"] == "open").collect();
        assert_eq!(open.len(), 1);
        assert_eq!(lines(open[0]), [(COKE, 5)]);
    }
}

/// What is added to the guest's cart while it is merged is either in the target or refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_addition_during_a_merge_is_kept_or_refused() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replica = shop.replica();
    let (guest, customer) = guest_and_customer(&shop).await;
    let additions: Vec<_> = (0..20).map(|_| tokio::spawn(add(&replica, &guest, SPRITE, 1).send())).collect();
    let merged = tokio::spawn(shop.merge(&customer, &guest).send());
    let mut kept = 0;
    for response in join_all(additions).await {
        match outcome(&response.unwrap()) {
            (200, _) => kept += 1,
            (409, code) => assert_eq!(code, "cart-merged"),
            other => panic!("{other:?}"),
        }
    }
    let _ = merged.await.unwrap().expect_status(200);
    let held = shop.lines(&customer).await;
    let sprites: i64 = held.iter().filter(|line| line.0 == SPRITE).map(|line| line.1).sum();
    assert_eq!(sprites, kept);
}

#[tokio::test]
async fn a_merged_cart_is_not_written_to() {
    let shop = Shop::open().await;
    let (guest, customer) = guest_and_customer(&shop).await;
    let _ = shop.merge(&customer, &guest).send().await.expect_status(200);
    let other = shop.cart().await;
    let snapshot = format!("/internal/v1/carts/{}/snapshot", id(&guest));
    for response in [
        add(&shop.app, &guest, COKE, 1).send().await,
        change(&shop.app, &guest, COKE, 1).send().await,
        set(&shop.app, &guest, COKE, 1, "*").send().await,
        shop.merge(&guest, &other).send().await,
        shop.merge(&guest, &customer).send().await,
        shop.app.get(format!("{guest}/estimate")).send().await,
        shop.app.get(snapshot).as_role(Role::Service).send().await,
    ] {
        let problem = response.expect_problem(409, "cart-merged");
        assert_eq!(problem["merged_into"], id(&customer));
    }
    // Nor is it merged a second time, elsewhere.
    let response = shop.merge(&other, &guest).send().await;
    let problem = response.expect_problem(409, "cart-merged");
    assert_eq!(problem["errors"][0]["pointer"], "/from");
}

#[tokio::test]
async fn only_what_may_be_merged_is() {
    let shop = Shop::open().await;
    let mine = shop.cart_of(json!({"customer_id": 7})).await;
    let also_mine = shop.cart_of(json!({"customer_id": 7})).await;
    let theirs = shop.cart_of(json!({"customer_id": 8})).await;
    let guest = shop.cart().await;
    shop.add(&also_mine, COKE, 1).await;
    for target in [&mine, &guest] {
        let response = shop.merge(target, &theirs).send().await;
        response.expect_problem(409, "cart-owned-by-another");
    }
    let problem = shop.merge(&mine, &mine).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "merge-into-itself");
    let nowhere = "/api/v1/carts/00000000-0000-7000-8000-000000000000";
    let problem = shop.merge(&mine, nowhere).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "cart-not-found");
    let response = shop.merge(&mine, &also_mine).send().await.expect_status(200);
    assert_eq!(lines(&response.json()), [(COKE, 1)]);
}

#[tokio::test]
async fn carts_that_are_too_much_together_stay_apart() {
    let shop = Shop::open().await;
    let (a, b) = (shop.cart().await, shop.cart().await);
    shop.add(&a, COKE, 999).await;
    shop.add(&b, COKE, 1).await;
    let problem = shop.merge(&a, &b).send().await.expect_problem(409, "quantity-above-limit");
    assert_eq!(problem["product_ids"], json!([COKE]));
    assert_eq!((shop.lines(&a).await, shop.lines(&b).await), (vec![(COKE, 999)], vec![(COKE, 1)]));

    let (a, b) = (shop.cart().await, shop.cart().await);
    for product in 1..=150 {
        shop.add(&a, product, 1).await;
        shop.add(&b, product + 51, 1).await;
    }
    let _ = shop.merge(&a, &b).send().await.expect_problem(409, "cart-full");
    let _ = shop.app.delete(format!("{b}/items/201")).header("if-match", "*").send().await.expect_status(204);
    let merged: Value = shop.merge(&a, &b).send().await.expect_status(200).json();
    assert_eq!(lines(&merged).len(), 200);
}

/// The prices of another store are better than none while products is down, but never fresh.
#[tokio::test]
async fn lines_of_another_store_are_shown_while_products_is_down() {
    let shop = Shop::open().await;
    let guest = shop.cart_of(json!({"store_id": 1})).await;
    let customer = shop.cart_of(json!({"store_id": 2, "customer_id": 7})).await;
    shop.add(&guest, COKE, 2).await;
    shop.client.set_down("products", true);
    let _ = shop.merge(&customer, &guest).send().await.expect_status(200);
    let cart = shop.read(&customer).await;
    assert_eq!(cart["lines"][0]["name"], "Product 1");
    assert_eq!(cart["stale"], true);
    shop.client.set_down("products", false);
    shop.pass(2);
    assert_eq!(shop.read(&customer).await["stale"], false);
    assert_eq!(int(&shop.read(&customer).await["quantity"]), 2);
}
