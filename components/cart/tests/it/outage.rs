//! Products is down, hangs or fails: what the cart still does.

use cart::store;
use sdk::testing::Fault;
use serde_json::{Value, json};

use crate::support::{ARCHIVED, COKE, JUICE, SPRITE, Shop, add, cents, change, id, remove, set};

const FAULTS: [Fault; 3] = [Fault::Down, Fault::Status(500), Fault::Status(503)];

#[tokio::test]
async fn a_cart_is_shown_with_what_is_known() {
    for fault in FAULTS {
        let shop = Shop::open().await;
        let cart = shop.cart().await;
        shop.add(&cart, COKE, 2).await;
        shop.client.set_fault("products", Some(fault));
        let read = shop.read(&cart).await;
        assert_eq!(read["stale"], false, "known to be the price half a minute ago");

        shop.pass(3_600);
        // By a replica that has never seen it, too.
        let read: Value = shop.replica().get(&cart).send().await.expect_status(200).json();
        assert_eq!((&read["stale"], cents(&read["subtotal"])), (&json!(true), 598));
        assert_eq!(read["priced_at"], "2026-11-23T17:00:00Z");
        let line = &read["lines"][0];
        assert_eq!((&line["name"], &line["stale"]), (&json!("Product 1"), &json!(true)));

        shop.client.set_fault("products", None);
        shop.pass(2);
        let read = shop.read(&cart).await;
        assert_eq!((&read["stale"], &read["priced_at"]), (&json!(false), &json!("2026-11-23T18:00:02Z")));
    }
}

#[tokio::test]
async fn products_is_left_alone_for_a_moment() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    shop.pass(60);
    shop.client.set_down("products", true);
    let calls = shop.client.calls("products");
    for _ in 0..10 {
        assert_eq!(shop.read(&cart).await["stale"], true);
    }
    assert_eq!(shop.client.calls("products"), calls + 1);
    shop.pass(2);
    assert_eq!(shop.read(&cart).await["stale"], true);
    assert_eq!(shop.client.calls("products"), calls + 2);
}

#[tokio::test]
async fn what_was_seen_before_is_added_and_what_was_not_is_not() {
    let shop = Shop::open().await;
    let seen = shop.cart().await;
    shop.add(&seen, COKE, 1).await;
    let _ = add(&shop.app, &seen, ARCHIVED, 1).send().await.expect_status(422);
    let cart = shop.cart().await;
    shop.client.set_down("products", true);
    shop.pass(24 * 3_600);

    let replica = shop.replica();
    let _ = add(&replica, &cart, COKE, 2).send().await.expect_status(200);
    let _ = change(&replica, &cart, COKE, 2).send().await.expect_status(200);
    let _ = set(&replica, &cart, COKE, 5, "*").send().await.expect_status(200);
    for response in [
        add(&replica, &cart, SPRITE, 1).send().await,
        change(&replica, &cart, SPRITE, 1).send().await,
        set(&replica, &cart, SPRITE, 1, "*").send().await,
    ] {
        response.expect_problem(503, "dependency-unavailable");
        assert_eq!(response.header("retry-after"), "1");
    }
    // Known to be withdrawn.
    change(&replica, &cart, ARCHIVED, 1).send().await.expect_problem(409, "product-archived");
    // Taking out needs nobody.
    let _ = change(&replica, &cart, COKE, -1).send().await.expect_status(200);
    assert_eq!(shop.lines(&cart).await, [(COKE, 4)]);
    let _ = remove(&replica, &cart, COKE, "*").send().await.expect_status(204);
}

/// A failure is not an answer: the same key, sent again, gets one.
#[tokio::test]
async fn a_failed_addition_may_be_repeated() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let post = || add(&shop.app, &cart, SPRITE, 1).idempotency_key("sprite").send();
    shop.client.set_down("products", true);
    post().await.expect_problem(503, "dependency-unavailable");
    shop.client.set_down("products", false);
    shop.pass(2);
    let _ = post().await.expect_status(200);
    let _ = post().await.expect_status(200);
    assert_eq!(shop.lines(&cart).await, [(SPRITE, 1)]);
}

#[tokio::test]
async fn a_products_that_hangs_costs_a_second() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    shop.pass(60);
    shop.client.set_fault("products", Some(Fault::Hang));
    let started = std::time::Instant::now();
    assert_eq!(shop.read(&cart).await["stale"], true);
    let took = started.elapsed();
    assert!((1.0..1.9).contains(&took.as_secs_f64()), "{took:?}");
}

/// No transaction is open while products is asked: who waits for it holds nobody up.
#[tokio::test]
async fn a_products_that_hangs_holds_nobody_up() {
    let shop = Shop::open().await;
    let cart = &shop.cart().await;
    shop.add(cart, COKE, 1).await;
    shop.client.set_fault("products", Some(Fault::Hang));
    let waiting = tokio::spawn(add(&shop.app, cart, SPRITE, 1).send());
    let calls = shop.client.calls("products");
    while shop.client.calls("products") == calls {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let _ = change(&shop.app, cart, COKE, 1).send().await.expect_status(200);
    }
    assert!(!waiting.is_finished());
    waiting.await.unwrap().expect_problem(503, "dependency-unavailable");
    assert_eq!(shop.lines(cart).await, [(COKE, 4)]);
}

#[tokio::test]
async fn an_answer_that_comes_late_does_not_replace_a_later_one() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    let (_, lines) = store::view(shop.app.db(), id(&cart).parse().unwrap()).await.unwrap().unwrap();
    let first = lines[0].product.clone().unwrap();
    shop.catalogue.set_price(COKE, 199);
    shop.pass(31);
    assert_eq!(cents(&shop.read(&cart).await["subtotal"]), 199);
    store::save_snapshots(shop.app.db(), None, &[first]).await.unwrap();
    assert_eq!(cents(&shop.read(&cart).await["subtotal"]), 199);
}

#[tokio::test]
async fn an_estimate_is_made_of_what_is_known() {
    let shop = Shop::open().await;
    shop.catalogue.set_price(JUICE, 349);
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    shop.pass(5);
    shop.add(&cart, JUICE, 1).await;
    shop.client.set_down("products", true);
    shop.pass(3_600);
    let estimate: Value = shop.app.get(format!("{cart}/estimate?payment=cash")).send().await.expect_status(200).json();
    assert_eq!(estimate["stale"], true);
    assert_eq!(estimate["priced_at"], "2026-11-23T17:00:00Z", "that of the oldest price");
    assert_eq!((cents(&estimate["total"]), cents(&estimate["payable"])), (1_118, 1_120));

    shop.client.set_down("products", false);
    shop.pass(2);
    shop.catalogue.set(JUICE, "status", json!("archived"));
    shop.read(&cart).await;
    shop.client.set_down("products", true);
    let response = shop.app.get(format!("{cart}/estimate")).send().await;
    let problem = response.expect_problem(409, "cart-not-orderable");
    assert_eq!(problem["errors"][0]["pointer"], "/lines/1/product_id");
    assert_eq!(problem["errors"][0]["code"], "product-archived");
}

#[tokio::test]
async fn an_empty_cart_costs_nothing_without_asking_anybody() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.client.set_down("products", true);
    let estimate: Value = shop.app.get(format!("{cart}/estimate")).send().await.expect_status(200).json();
    assert_eq!((cents(&estimate["total"]), &estimate["stale"]), (0, &json!(false)));
}

/// Lines that no snapshot was ever taken of: they come from a database that lost its cache.
#[tokio::test]
async fn what_was_never_seen_is_shown_without_a_price_and_not_estimated() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    shop.app.database().administer("delete from product_snapshots").await;
    shop.client.set_down("products", true);
    let read = shop.read(&cart).await;
    assert_eq!((&read["stale"], &read["subtotal"], &read["quantity"]), (&json!(true), &Value::Null, &json!(2)));
    assert_eq!(read["lines"][0]["name"], Value::Null);
    let response = shop.app.get(format!("{cart}/estimate")).send().await;
    response.expect_problem(503, "dependency-unavailable");
}
