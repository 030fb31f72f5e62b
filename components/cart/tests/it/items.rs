//! Putting products into a cart and taking them out: quantities, limits, preconditions, repetitions.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{ARCHIVED, COKE, JUICE, SPRITE, Shop, UNKNOWN, add, change, int, lines, outcome, remove, set};

#[tokio::test]
async fn additions_of_one_product_sum_up() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    let response = add(&shop.app, &cart, COKE, 3).send().await.expect_status(200);
    let item: Value = response.json();
    assert_eq!((int(&item["quantity"]), int(&item["version"])), (5, 3));
    assert_eq!(response.header("etag"), "\"3\"");
    assert_eq!(shop.lines(&cart).await, [(COKE, 5)]);
}

#[tokio::test]
async fn a_repeated_addition_adds_once() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    let post = || add(&shop.app, &cart, COKE, 2).idempotency_key("again").send();
    let first = post().await.expect_status(200);
    // What the product has become since does not matter to an answer that was given.
    shop.catalogue.set(COKE, "status", json!("archived"));
    shop.pass(60);
    let second = post().await.expect_status(200);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(first.json::<Value>(), second.json::<Value>());
    assert_eq!(shop.lines(&cart).await, [(COKE, 2)]);
    let other = add(&shop.app, &cart, COKE, 3).idempotency_key("again").send().await;
    other.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_is_sent_many_times_at_once_adds_once() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let cart = shop.cart().await;
    let post = || tokio::spawn(add(&shop.app, &cart, COKE, 2).idempotency_key("storm").send());
    for response in join_all((0..20).map(|_| post())).await {
        let outcome = outcome(&response.unwrap());
        let allowed = [(200, String::new()), (409, "idempotency-in-progress".to_owned())];
        assert!(allowed.contains(&outcome), "{outcome:?}");
    }
    assert_eq!(shop.lines(&cart).await, [(COKE, 2)]);
}

#[tokio::test]
async fn quantities_have_limits() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    for quantity in [json!(0), json!(-1), json!(1_000), json!(i64::MAX)] {
        let body = json!({"product_id": COKE, "quantity": quantity});
        let response = shop.app.post(format!("{cart}/items")).json(&body).send().await;
        let problem = response.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/quantity");
        assert_eq!(problem["errors"][0]["code"], "quantity-out-of-range");
    }
    shop.add(&cart, COKE, 999).await;
    for response in [add(&shop.app, &cart, COKE, 1).send().await, change(&shop.app, &cart, COKE, 1).send().await] {
        let problem = response.expect_problem(409, "quantity-above-limit");
        assert_eq!((int(&problem["quantity"]), int(&problem["quantity_max"])), (999, 999));
    }
    for delta in [0, 1_000, -1_000, i64::MIN] {
        let response = change(&shop.app, &cart, COKE, delta).send().await;
        let problem = response.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/delta", "{delta}");
    }
    set(&shop.app, &cart, COKE, 1_000, "*").send().await.expect_problem(422, "validation-failed");
    assert_eq!(shop.lines(&cart).await, [(COKE, 999)]);
}

#[tokio::test]
async fn a_cart_has_at_most_200_lines() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    for product in 1..=200 {
        shop.add(&cart, product, 1).await;
    }
    for response in [
        add(&shop.app, &cart, 201, 1).send().await,
        change(&shop.app, &cart, 201, 1).send().await,
        set(&shop.app, &cart, 201, 1, "*").send().await,
    ] {
        assert_eq!(response.expect_problem(409, "cart-full")["lines_max"], 200);
    }
    // More of what is there is no further line.
    shop.add(&cart, 200, 1).await;
    let _ = remove(&shop.app, &cart, 1, "*").send().await.expect_status(204);
    shop.add(&cart, 201, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_last_lines_at_once_are_one_too_many() {
    let shop = Shop::open().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    let known = shop.cart().await;
    for product in 190..220 {
        shop.add(&known, product, 1).await;
    }
    let cart = &shop.cart().await;
    for product in 1..=199 {
        shop.add(cart, product, 1).await;
    }
    for _ in 0..5 {
        let additions =
            (200..215).map(|product| tokio::spawn(add(&replicas[product % 3], cart, product as i64, 1).send()));
        let responses = join_all(additions).await;
        let added: Vec<i64> = responses
            .into_iter()
            .map(Result::unwrap)
            .filter(|response| response.status == 200)
            .map(|response| int(&response.json::<Value>()["product_id"]))
            .collect();
        assert_eq!(added.len(), 1, "{added:?}");
        assert_eq!(shop.lines(cart).await.len(), 200);
        let _ = remove(&shop.app, cart, added[0], "*").send().await.expect_status(204);
    }
}

#[tokio::test]
async fn only_what_is_sold_gets_into_a_cart() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    for (product, code) in [(UNKNOWN, "product-not-found"), (ARCHIVED, "product-archived"), (-1, "product-not-found")] {
        let response = add(&shop.app, &cart, product, 1).send().await;
        let problem = response.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/product_id");
        assert_eq!(problem["errors"][0]["code"], code);
    }
    // Named in the path: there is no such thing, or it is in no state for it.
    for response in
        [change(&shop.app, &cart, UNKNOWN, 1).send().await, set(&shop.app, &cart, UNKNOWN, 1, "*").send().await]
    {
        response.expect_problem(404, "product-not-found");
    }
    change(&shop.app, &cart, ARCHIVED, 1).send().await.expect_problem(409, "product-archived");
    assert_eq!(shop.lines(&cart).await, []);
    assert_eq!(int(&shop.read(&cart).await["version"]), 1);
}

#[tokio::test]
async fn what_is_withdrawn_stays_until_it_is_taken_out() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 3).await;
    shop.catalogue.set(COKE, "status", json!("archived"));
    shop.pass(31);
    assert_eq!(shop.read(&cart).await["lines"][0]["product_status"], "archived");
    change(&shop.app, &cart, COKE, 1).send().await.expect_problem(409, "product-archived");
    let _ = change(&shop.app, &cart, COKE, -1).send().await.expect_status(200);
    let _ = remove(&shop.app, &cart, COKE, "*").send().await.expect_status(204);
    assert_eq!(shop.lines(&cart).await, []);
}

#[tokio::test]
async fn a_delta_adds_takes_and_removes_but_never_below_zero() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 2).await;
    let response = change(&shop.app, &cart, COKE, -3).send().await;
    assert_eq!(response.expect_problem(409, "quantity-below-zero")["quantity"], 2);
    let response = change(&shop.app, &cart, SPRITE, -1).send().await;
    assert_eq!(response.expect_problem(409, "quantity-below-zero")["quantity"], 0);
    assert_eq!(shop.lines(&cart).await, [(COKE, 2)]);

    let item: Value = change(&shop.app, &cart, COKE, -1).send().await.expect_status(200).json();
    assert_eq!(int(&item["quantity"]), 1);
    let item: Value = change(&shop.app, &cart, SPRITE, 4).send().await.expect_status(200).json();
    assert_eq!(int(&item["quantity"]), 4);
    let item: Value = change(&shop.app, &cart, COKE, -1).send().await.expect_status(200).json();
    assert_eq!(int(&item["quantity"]), 0);
    assert_eq!(shop.lines(&cart).await, [(SPRITE, 4)]);
}

#[tokio::test]
async fn a_repeated_delta_counts_once() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 5).await;
    for _ in 0..3 {
        let request = change(&shop.app, &cart, COKE, -2).idempotency_key("less");
        let _ = request.send().await.expect_status(200);
    }
    assert_eq!(shop.lines(&cart).await, [(COKE, 3)]);
}

/// Setting and removing, by what `If-Match` says and what the cart holds: the table of the module
/// `cart::api::items`.
#[tokio::test]
async fn if_match_decides_who_sets_and_removes() {
    let shop = Shop::open().await;
    let cart = &shop.cart().await;
    let old = &shop.add(cart, COKE, 2).await;
    let current = &shop.add(cart, JUICE, 1).await;
    let app = &shop.app;

    // Without a version, with one that never was, with a weak one, with one that cannot be read.
    set(app, cart, COKE, 3, "").send().await.expect_problem(428, "if-match-required");
    remove(app, cart, COKE, "").send().await.expect_problem(428, "if-match-required");
    for never in ["\"99\"", "\"0\"", "\"x\"", "W/\"3\""] {
        set(app, cart, COKE, 3, never).send().await.expect_problem(412, "precondition-failed");
        remove(app, cart, COKE, never).send().await.expect_problem(412, "precondition-failed");
    }
    set(app, cart, COKE, 3, "3").send().await.expect_problem(400, "if-match-invalid");

    // An earlier version: something else happened in between.
    let response = set(app, cart, COKE, 3, old).send().await;
    response.expect_problem(412, "precondition-failed");
    assert_eq!(response.header("etag"), current);
    remove(app, cart, COKE, old).send().await.expect_problem(412, "precondition-failed");
    // ... but the line is what is asked for: that may be the answer to a repetition.
    let repeated = set(app, cart, COKE, 2, old).send().await.expect_status(200);
    assert_eq!(repeated.header("etag"), current, "nothing was written");
    let _ = remove(app, cart, SPRITE, old).send().await.expect_status(204);

    // The current version, among others.
    let list = format!("\"1\", {current}");
    let response = set(app, cart, COKE, 3, &list).send().await.expect_status(200);
    assert_eq!((int(&response.json::<Value>()["quantity"]), response.header("etag")), (3, "\"4\""));
    // To set what is set already makes no new version.
    let response = set(app, cart, COKE, 3, "\"4\"").send().await.expect_status(200);
    assert_eq!(response.header("etag"), "\"4\"");
    // Whatever the version is.
    let _ = set(app, cart, SPRITE, 7, "*").send().await.expect_status(200);
    let response = set(app, cart, COKE, 0, "\"5\"").send().await.expect_status(200);
    assert_eq!(int(&response.json::<Value>()["quantity"]), 0);
    let response = remove(app, cart, SPRITE, "\"6\"").send().await.expect_status(204);
    assert_eq!((response.header("etag"), response.text().as_str()), ("\"7\"", ""));
    assert_eq!(shop.lines(cart).await, [(JUICE, 1)]);
}

/// Adding and subtracting need no version; who sends one means it.
#[tokio::test]
async fn if_match_counts_where_it_is_not_required() {
    let shop = Shop::open().await;
    let cart = &shop.cart().await;
    let old = &shop.add(cart, COKE, 2).await;
    let current = &shop.add(cart, COKE, 2).await;
    for request in [add(&shop.app, cart, COKE, 1), change(&shop.app, cart, COKE, -1)] {
        request.header("if-match", old).send().await.expect_problem(412, "precondition-failed");
    }
    let request = add(&shop.app, cart, COKE, 1).header("if-match", current).idempotency_key("k");
    let _ = request.send().await.expect_status(200);
    // A repetition by key comes before the precondition.
    let request = add(&shop.app, cart, COKE, 1).header("if-match", current).idempotency_key("k");
    assert_eq!(request.send().await.expect_status(200).header("idempotent-replayed"), "true");
    assert_eq!(shop.lines(cart).await, [(COKE, 5)]);
}

/// A gateway repeats PUT and DELETE when an answer is lost.
#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again() {
    let shop = Shop::open().await;
    let cart = &shop.cart().await;
    let tag = &shop.add(cart, COKE, 2).await;
    let put = || set(&shop.app, cart, COKE, 5, tag).send();
    let first = put().await.expect_status(200);
    let second = put().await.expect_status(200);
    assert_eq!(first.json::<Value>(), second.json::<Value>());
    assert_eq!(first.header("etag"), second.header("etag"));

    let tag = first.header("etag");
    let delete = || remove(&shop.app, cart, COKE, tag).send();
    let first = delete().await.expect_status(204);
    let second = delete().await.expect_status(204);
    assert_eq!(first.header("etag"), second.header("etag"));
}

/// Invariant 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_changes_of_one_version_one_wins() {
    let shop = Shop::open().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    let cart = &shop.cart().await;
    for round in 0..10 {
        let tag = &shop.add(cart, JUICE, 1).await;
        let puts = (1..=9).map(|quantity| {
            let replica = &replicas[quantity as usize % 3];
            tokio::spawn(set(replica, cart, COKE, quantity + round * 10, tag).send())
        });
        let responses: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
        let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 8));
        for response in lost {
            response.expect_problem(412, "precondition-failed");
        }
        let won: Value = won[0].json();
        let held = lines(&shop.read(cart).await);
        assert!(held.contains(&(COKE, int(&won["quantity"]))), "{held:?} {won}");
    }
}
