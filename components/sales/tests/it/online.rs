//! What a checkout has sold: one sale for each order.

use sdk::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Shop, TILL, TOTAL, cents, money, online};

fn record(shop: &Shop, order: Uuid, body: &Value) -> sdk::testing::TestRequest {
    shop.app.put(format!("/internal/v1/sales/{order}")).as_role(Role::Service).json(body)
}

#[tokio::test]
async fn one_sale_for_an_order_and_no_units_of_a_shelf() {
    let shop = Shop::open().await;
    let (order, body) = (shop.id(), online(&shop, 2));
    let first = record(&shop, order, &body).send().await.expect_status(201);
    shop.pass(60);
    let mut later = body.clone();
    later["sold_at"] = json!(shop.clock.now());
    for again in [&body, &later] {
        assert_eq!(record(&shop, order, again).send().await.expect_status(200).text(), first.text());
    }
    let sale: Value = first.json();
    assert_eq!(
        (&sale["channel"], &sale["number"], &sale["store_id"]),
        (&json!("online"), &json!("2-W-000001"), &json!(2))
    );
    assert_eq!((&sale["session_id"], &sale["cashier"], &sale["order_id"]), (&Value::Null, &Value::Null, &json!(order)));
    assert_eq!((cents(&sale["total"]), cents(&sale["payable"]), cents(&sale["cash_rounding"])), (TOTAL, TOTAL, 0));
    assert_eq!(sale["payments"][0]["method"], "online");
    assert_eq!(sale["sold_at"], body["sold_at"]);
    let read = shop.app.get(format!("/internal/v1/sales/{order}")).as_role(Role::Service).send().await;
    assert_eq!(read.expect_status(200).json::<Value>(), sale);
    assert_eq!(shop.read(&sale["id"]).await, sale);
    assert_eq!((shop.client.calls("inventory"), shop.client.calls("products")), (0, 0));
    let other = shop.app.get(format!("/internal/v1/sales/{}", shop.id())).as_role(Role::Service).send().await;
    other.expect_problem(404, "sale-not-found");
    shop.audited().await;
}

#[tokio::test]
async fn another_sale_of_the_order_is_refused() {
    let shop = Shop::open().await;
    let (order, body) = (shop.id(), online(&shop, 2));
    let _ = record(&shop, order, &body).send().await.expect_status(201);
    for (pointer, value) in [("checkout_id", json!(shop.id())), ("customer_id", json!(8)), ("store_id", json!(3))] {
        let mut other = body.clone();
        other[pointer] = value;
        record(&shop, order, &other).send().await.expect_problem(409, "sale-differs");
    }
    assert_eq!(shop.listed("?channel=online").await.len(), 1);
    shop.audited().await;
}

#[tokio::test]
async fn what_does_not_add_up_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let good = online(&shop, 2);
    for (pointer, value, code) in [
        ("/total", money(TOTAL + 1), "total-differs"),
        ("/customer_id", json!(0), "out-of-range"),
        ("/store_id", json!(-1), "out-of-range"),
        ("/sold_at", json!("-009999-01-02T01:59:59Z"), "instant-invalid"),
        ("/lines/1/product_id", json!(1), "product-repeated"),
        ("/lines/1/name", json!(" "), "length-out-of-range"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let problem = record(&shop, shop.id(), &body).send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let mut none = good.clone();
    (none["lines"], none["total"]) = (json!([]), money(0));
    let problem = record(&shop, shop.id(), &none).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/lines");
    assert_eq!(shop.count("select sum(last_sale)::bigint from registers").await, 0);
    shop.audited().await;
}

/// What is delivered is the warehouse's, and of a store that has no register of its own the number is as well.
#[tokio::test]
async fn every_store_has_a_number_for_it() {
    let shop = Shop::open().await;
    for (store, number) in [(1, "1-W-000001"), (100, "100-W-000001"), (77, "100-W-000002"), (1, "1-W-000002")] {
        let sale = record(&shop, shop.id(), &online(&shop, store)).send().await.expect_status(201);
        let sale: Value = sale.json();
        assert_eq!((&sale["number"], &sale["store_id"]), (&json!(number), &json!(store)));
    }
    shop.audited().await;
}

#[tokio::test]
async fn what_cost_nothing_is_a_sale_as_well() {
    let shop = Shop::open().await;
    let mut body = online(&shop, 2);
    body["lines"] = json!([{
        "product_id": 1, "sku": "P-1", "name": "Product 1", "quantity": 2, "unit_price": money(299),
        "discount": money(598), "tax_category": "standard", "rates": {"gst": 5_000, "qst": 9_975},
    }]);
    body["total"] = money(0);
    let sale: Value = record(&shop, shop.id(), &body).send().await.expect_status(201).json();
    assert_eq!((cents(&sale["total"]), &sale["payments"]), (0, &json!([])));
    shop.audited().await;
}

/// Orders takes it back.
#[tokio::test]
async fn it_neither_comes_back_here_nor_is_called_off() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale: Value = record(&shop, shop.id(), &online(&shop, 1)).send().await.expect_status(201).json();
    let problem =
        shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_problem(409, "online-sale");
    assert!(problem["detail"].as_str().unwrap().contains("/api/v1/orders/"));
    shop.void(&sale).send().await.expect_problem(409, "online-sale");
    shop.audited().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_checkouts_of_one_order_at_once_are_one_sale() {
    let shop = Shop::open().await;
    let (order, body) = (shop.id(), online(&shop, 2));
    let answers = shop.at_once(20, |_| record(&shop, order, &body)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 19);
    assert!(answers.iter().all(|answer| answer.text() == answers[0].text()));
    shop.audited().await;
}

#[tokio::test]
async fn a_sale_of_an_order_asks_its_database_seven_times() {
    let shop = Shop::open().await;
    let body = online(&shop, 2);
    let before = shop.app.db().round_trips();
    let _ = record(&shop, shop.id(), &body).send().await.expect_status(201);
    assert_eq!(shop.app.db().round_trips() - before, 7);
}
