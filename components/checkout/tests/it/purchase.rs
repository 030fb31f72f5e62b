//! The way that it should go.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, Shop, TOTAL, int, money, uuid};

#[tokio::test]
async fn the_whole_way_of_a_purchase() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let response = shop.check_out(&purchase).send().await.expect_status(201);
    let body: Value = response.json();
    let id = uuid(&body["id"]);
    assert_eq!(response.header("location"), format!("/api/v1/checkouts/{id}"));
    assert_eq!((&body["state"], &body["total"]), (&json!("completed"), &money(TOTAL)));
    assert_eq!((&body["failure"], &body["cancellable"]), (&Value::Null, &json!(false)));
    assert!(body["number"].as_str().unwrap().starts_with("K-1"));
    assert!(!response.text().contains("tok_ok"));
    assert_eq!(
        shop.steps(id).await,
        [
            "cart done",
            "price done",
            "customer done",
            "reserve done",
            "order done",
            "authorize done",
            "pin done",
            "capture done",
            "commit done",
            "confirm done",
            "sale done",
            "consume done",
            "loyalty done",
        ]
    );

    let order = shop.orders.get(format!("/api/v1/orders/{}", uuid(&body["order_id"]))).as_customer(marie);
    let order: Value = order.send().await.expect_status(200).json();
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("confirmed"), &json!("paid")));
    assert_eq!(order["total"], money(TOTAL));
    let sale = shop.sales.get(format!("/internal/v1/sales/{}", uuid(&body["order_id"]))).as_role(Role::Service);
    let sale: Value = sale.send().await.expect_status(200).json();
    assert_eq!((&sale["number"], &sale["checkout_id"]), (&json!("100-W-000001"), &body["id"]));
    assert_eq!(
        (&sale["total"], &sale["taxes"], &sale["lines"][0]["tax_category"]),
        (&order["total"], &order["taxes"], &order["lines"][0]["tax_category"])
    );
    assert_eq!(sale["customer_id"], marie);
    assert!(shop.lines(purchase.cart).await.is_empty());
    assert_eq!(shop.stock(COKE).await, (4_998, 0));
    let points = shop.customers.get(format!("/api/v1/customers/{marie}/loyalty")).as_customer(marie);
    assert_eq!(points.send().await.expect_status(200).json::<Value>()["balance"], 9);
    shop.audited().await;
}

/// Invariant 15: one total, to the cent.
#[tokio::test]
async fn estimate_quote_order_capture_and_sale_have_one_total() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (seed, lines) in (1_i64..).zip([
        vec![(COKE, 1)],
        vec![(COKE, 3), (JUICE, 7)],
        (1..=40).map(|product| (product, 1 + product % 7)).collect::<Vec<_>>(),
    ]) {
        let cart = shop.cart_of(marie, &lines).await;
        let estimate = shop.cart.get(format!("/api/v1/carts/{cart}/estimate")).send().await.expect_status(200);
        let quote: Value = shop.quote(marie, cart).send().await.expect_status(200).json();
        let total = quote["payable"].clone();
        assert_eq!(estimate.json::<Value>()["total"], total);
        assert_eq!(quote["total"], total);
        let mut purchase = shop.purchase_of(marie, &[], int(&total["amount"]), "tok_ok").await;
        purchase.body["cart_id"] = json!(cart);
        let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
        let books = shop.books(uuid(&body["id"])).await;
        assert_eq!((books.captured, books.order_captured), (int(&total["amount"]), int(&total["amount"])), "{seed}");
        let order = shop.orders.get(format!("/api/v1/orders/{}", uuid(&body["order_id"]))).as_customer(marie);
        let order: Value = order.send().await.expect_status(200).json();
        let taxes =
            |of: &Value| of["taxes"].as_array().unwrap().iter().map(|t| t["amount"].clone()).collect::<Vec<_>>();
        assert_eq!((&order["total"], &order["deposits"]), (&total, &quote["deposits"]));
        let sale = shop.sales.get(format!("/internal/v1/sales/{}", uuid(&body["order_id"]))).as_role(Role::Service);
        let sale: Value = sale.send().await.expect_status(200).json();
        assert_eq!((&sale["total"], &sale["taxes"], &sale["deposits"]), (&total, &order["taxes"], &quote["deposits"]));
        assert_eq!(taxes(&order), taxes(&quote));
    }
    shop.audited().await;
}

#[tokio::test]
async fn what_is_collected_is_taken_from_the_store_where_it_is() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let mut purchase = shop.purchase(marie, "tok_ok").await;
    purchase.body["fulfilment"] = json!({"method": "pickup", "store_id": 2});
    let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
    assert_eq!(shop.stock(COKE).await, (5_000, 0));
    let order = shop.orders.get(format!("/api/v1/orders/{}", uuid(&body["order_id"]))).as_customer(marie);
    let order: Value = order.send().await.expect_status(200).json();
    assert_eq!((int(&order["store_id"]), order["fulfilment"]["method"].as_str()), (2, Some("pickup")));
    assert!(order["pickup_code"].is_string());
    shop.audited().await;
}

/// A guest's cart is anybody's who knows it.
#[tokio::test]
async fn a_guests_cart_is_bought_by_whoever_has_signed_in() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let post = shop.cart.post("/api/v1/carts").json(&json!({}));
    let cart = uuid(&post.send().await.expect_status(201).json::<Value>()["id"]);
    shop.add(cart, COKE, 2).await;
    shop.add(cart, JUICE, 1).await;
    let mut purchase = shop.purchase_of(marie, &[], TOTAL, "tok_ok").await;
    purchase.body["cart_id"] = json!(cart);
    let _ = shop.check_out(&purchase).send().await.expect_status(201);
    shop.audited().await;
}

/// Whoever goes on after a crash tells of the same sale: of the moment at which the capture was intended.
#[tokio::test]
async fn a_sale_is_of_the_day_on_which_it_was_paid() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for crash in [false, true] {
        let purchase = shop.purchase(marie, "tok_ok").await;
        if crash {
            let trap = shop.client.set_trap("orders", "/confirm", sdk::testing::Moment::After);
            let buying = tokio::spawn(shop.check_out(&purchase).send());
            trap.sprung().await;
            buying.abort();
            shop.pass(86_400);
        }
        let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
        let sql = "select (pivoted_at = $2::timestamptz) from checkouts where id = $1";
        let sale = shop.sales.get(format!("/internal/v1/sales/{}", uuid(&body["order_id"]))).as_role(Role::Service);
        let sale: Value = sale.send().await.expect_status(200).json();
        let sold_at: jiff::Timestamp = sale["sold_at"].as_str().unwrap().parse().unwrap();
        let params = sdk::params![uuid(&body["id"]), sold_at];
        let (same,): (bool,) = sdk::Executor::query_one(shop.checkout.db(), sql, params).await.unwrap();
        assert!(same, "{sale:#}");
        assert_eq!(sale["sold_at"] == sale["recorded_at"], !crash);
    }
    shop.audited().await;
}

/// One to accept, one for each intention and result, two of the provider's own books.
#[tokio::test]
async fn a_checkout_asks_its_database_twelve_times() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let before = shop.checkout.db().round_trips();
    let _ = shop.check_out(&purchase).send().await.expect_status(201);
    let provider = 2;
    assert_eq!(shop.checkout.db().round_trips() - before - provider, 12);
    // Nothing to do is one look.
    let before = shop.checkout.db().round_trips();
    shop.resume().await;
    assert_eq!(shop.checkout.db().round_trips() - before, 1);
}
