//! Making a cart and looking at it.

use serde_json::{Value, json};

use crate::support::{COKE, JUICE, SPRITE, Shop, UNKNOWN, cents, id, int, lines, money, set};

#[tokio::test]
async fn a_cart_is_made_and_found() {
    let shop = Shop::open().await;
    let body = json!({"customer_id": 7, "store_id": 3});
    let made = shop.app.post("/api/v1/carts").json(&body).send().await.expect_status(201);
    let cart: Value = made.json();
    let id: uuid::Uuid = cart["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_eq!(made.header("location"), format!("/api/v1/carts/{id}"));
    assert_eq!(cart["number"], "C-100001");
    assert_eq!((&cart["customer_id"], &cart["store_id"]), (&json!(7), &json!(3)));
    assert_eq!((&cart["status"], &cart["version"]), (&json!("open"), &json!(1)));
    assert_eq!((&cart["lines"], &cart["quantity"]), (&json!([]), &json!(0)));
    assert_eq!((&cart["subtotal"], &cart["stale"]), (&money(0), &json!(false)));

    let read = shop.app.get(made.header("location")).send().await.expect_status(200);
    assert_eq!(read.json::<Value>(), cart);
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(read.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn a_repeated_key_makes_one_cart() {
    let shop = Shop::open().await;
    let make = |body: Value| shop.app.post("/api/v1/carts").idempotency_key("k1").json(&body).send();
    let first = make(json!({"store_id": 1})).await.expect_status(201);
    let again = make(json!({"store_id": 1})).await.expect_status(201);
    assert_eq!(first.json::<Value>(), again.json::<Value>());
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = make(json!({"store_id": 2})).await;
    other.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn lines_have_names_prices_and_totals() {
    let shop = Shop::open().await;
    shop.catalogue.set_price(JUICE, 349);
    let cart = shop.cart().await;
    shop.add(&cart, JUICE, 1).await;
    shop.pass(1);
    shop.add(&cart, COKE, 2).await;

    let cart = shop.read(&cart).await;
    assert_eq!(lines(&cart), [(JUICE, 1), (COKE, 2)], "in the order in which they came");
    let coke = &cart["lines"][1];
    assert_eq!(coke["name"], "Product 1");
    assert_eq!(coke["sku"], "P-1");
    assert_eq!(coke["product_status"], "active");
    assert_eq!(coke["unit_price"], money(299));
    assert_eq!(coke["line_total"], money(598));
    assert_eq!(coke["stale"], false);
    assert_eq!(cart["subtotal"], money(947));
    assert_eq!(cart["quantity"], 3);
    assert_eq!(cart["stale"], false);
    assert_eq!(cart["priced_at"], "2026-11-23T17:00:00Z", "that of the oldest price");
}

#[tokio::test]
async fn a_price_is_asked_for_again_after_half_a_minute() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    shop.catalogue.set_price(COKE, 199);
    let calls = shop.client.calls("products");

    shop.pass(29);
    assert_eq!(cents(&shop.read(&cart).await["subtotal"]), 299);
    assert_eq!(shop.client.calls("products"), calls, "the cache answers");
    shop.pass(1);
    let read = shop.read(&cart).await;
    assert_eq!((cents(&read["subtotal"]), &read["stale"]), (199, &json!(false)));
    let calls = shop.client.calls("products");
    // The cache is the database's: what one replica asked for, another one shows.
    let replica = shop.replica();
    let read: Value = replica.get(&cart).send().await.expect_status(200).json();
    assert_eq!(cents(&read["subtotal"]), 199);
    assert_eq!(shop.client.calls("products"), calls);
}

#[tokio::test]
async fn many_lines_are_asked_for_in_few_calls() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    for product in 1..=150 {
        shop.add(&cart, product, 1).await;
    }
    shop.pass(40);
    let calls = shop.client.calls("products");
    assert_eq!(shop.read(&cart).await["stale"], false);
    // Two for 150 products; the rates are younger than a minute.
    assert_eq!(shop.client.calls("products"), calls + 2);
}

#[tokio::test]
async fn the_tag_changes_with_the_cart_and_with_its_prices() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    let read = || shop.app.get(&cart);
    let first = read().send().await.expect_status(200);
    let tag = first.header("etag");
    let same = read().header("if-none-match", tag).send().await.expect_status(304);
    assert_eq!((same.header("etag"), same.text().as_str()), (tag, ""));

    shop.catalogue.set_price(COKE, 199);
    shop.pass(30);
    let repriced = read().header("if-none-match", tag).send().await.expect_status(200);
    assert_ne!(repriced.header("etag"), tag);
    assert_eq!(int(&repriced.json::<Value>()["version"]), 2, "the cart itself is the same");

    // A change is meant for the version alone, so both tags will do for it.
    let _ = set(&shop.app, &cart, COKE, 5, tag).send().await.expect_status(200);
    let changed = read().header("if-none-match", repriced.header("etag")).send().await;
    assert_eq!(int(&changed.expect_status(200).json::<Value>()["version"]), 3);
}

/// PostgreSQL keeps microseconds, clocks know nanoseconds: what is shown before it is stored is what
/// is shown after.
#[tokio::test]
async fn a_fresh_price_and_a_cached_one_look_alike() {
    let shop = Shop::open_at("2026-11-23T17:00:00.123456789Z".parse().unwrap()).await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    shop.pass(60);
    let calls = shop.client.calls("products");
    let asked = shop.app.get(&cart).send().await.expect_status(200);
    assert!(shop.client.calls("products") > calls);
    let calls = shop.client.calls("products");
    let cached = shop.app.get(&cart).send().await.expect_status(200);
    assert_eq!(shop.client.calls("products"), calls);
    assert_eq!(asked.json::<Value>(), cached.json::<Value>());
    assert_eq!(asked.header("etag"), cached.header("etag"));
}

#[tokio::test]
async fn what_is_wrong_with_a_new_cart_is_named() {
    let shop = Shop::open().await;
    for (body, pointer, code) in [
        (json!({"customer_id": 0}), "/customer_id", "out-of-range"),
        (json!({"store_id": -1}), "/store_id", "out-of-range"),
        (json!({"store_id": "one"}), "/store_id", "invalid-type"),
        (json!({"store_id": 1.5}), "/store_id", "invalid-type"),
        (json!({"stor_id": 1}), "/stor_id", "unknown-field"),
    ] {
        let response = shop.app.post("/api/v1/carts").json(&body).send().await;
        let problem = response.expect_problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((error["pointer"].as_str(), error["code"].as_str()), (Some(pointer), Some(code)));
    }
    let response = shop.app.post("/api/v1/carts").body("application/json", "{").send().await;
    response.expect_problem(400, "json-malformed");
    let response = shop.app.post("/api/v1/carts").send().await;
    response.expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = Shop::open().await;
    let nowhere = "/api/v1/carts/00000000-0000-7000-8000-000000000000";
    shop.app.get(nowhere).send().await.expect_problem(404, "cart-not-found");
    shop.app.get("/api/v1/carts/1").send().await.expect_problem(404, "not-found");
    for path in ["items", "merge"] {
        let body = match path {
            "items" => json!({"product_id": UNKNOWN, "quantity": 1}),
            _ => json!({"from": id(nowhere)}),
        };
        let response = shop.app.post(format!("{nowhere}/{path}")).json(&body).send().await;
        response.expect_problem(404, "cart-not-found");
    }
    let response = shop.app.get(format!("{nowhere}/estimate")).send().await;
    response.expect_problem(404, "cart-not-found");
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_everywhere() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, SPRITE, 1).await;
    let snapshot = format!("/internal/v1/carts/{}/snapshot?x=1", id(&cart));
    for response in [
        shop.app.get(format!("{cart}?currency=USD")).send().await,
        shop.app.get(format!("{cart}/estimate?pay=cash")).send().await,
        shop.app.get(format!("{cart}/estimate?payment=gold")).send().await,
        shop.app.delete(format!("{cart}/items/1?x=1")).header("if-match", "*").send().await,
        shop.app.get(snapshot).as_role(sdk::Role::Service).send().await,
    ] {
        response.expect_problem(400, "invalid-query");
    }
}
