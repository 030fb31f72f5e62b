//! What a checkout is refused for, and that nothing is left of it.

use sdk::testing::Moment;
use sdk::{Executor as _, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{COKE, JUICE, Purchase, Shop, WAREHOUSE, count, money, uuid};

async fn refused(shop: &Shop, purchase: &Purchase, status: u16, code: &str) -> Value {
    let problem = shop.check_out(purchase).send().await.expect_problem(status, code);
    let id = shop.checkout_of(purchase.cart).await;
    let body = shop.read(id).await;
    assert_eq!((&body["state"], &body["failure"]["code"]), (&json!("failed"), &json!(code)));
    assert_eq!(uuid(&problem["checkout_id"]), id);
    let again = shop.check_out(purchase).send().await;
    assert_eq!(again.expect_problem(status, code), problem, "the same answer ever after");
    assert_eq!(again.header("idempotent-replayed"), "true");
    problem
}

async fn change(shop: &Shop, product: i64, members: Value) {
    let path = format!("/api/v1/products/{product}");
    let tag = shop.products.get(&path).send().await.expect_status(200).header("etag").to_owned();
    let patch = shop.products.patch(&path).as_role(sdk::Role::Hq).header("if-match", tag);
    let patch = patch.body("application/merge-patch+json", members.to_string());
    let _ = patch.send().await.expect_status(200);
}

async fn archive(shop: &Shop, product: i64) {
    let path = format!("/api/v1/products/{product}");
    let tag = shop.products.get(&path).send().await.expect_status(200).header("etag").to_owned();
    let delete = shop.products.delete(&path).as_role(sdk::Role::Hq).header("if-match", tag);
    let _ = delete.send().await.expect_status(204);
}

#[tokio::test]
async fn a_price_that_changed_between_quote_and_payment_is_told_and_not_charged() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let quote: Value = shop.quote(marie, purchase.cart).send().await.expect_status(200).json();
    assert_eq!(quote["payable"], purchase.body["expected_total"]);
    shop.pass(1);
    change(&shop, COKE, json!({"deposit": money(15)})).await;
    let problem = refused(&shop, &purchase, 409, "price-changed").await;
    let quote: Value = shop.quote(marie, purchase.cart).send().await.expect_status(200).json();
    assert_eq!(problem["total"], quote["payable"]);
    assert_ne!(problem["total"], purchase.body["expected_total"]);
    // With what it costs now, and another key.
    let mut body = purchase.body.clone();
    body["expected_total"] = quote["payable"].clone();
    let again = Purchase { key: Uuid::now_v7().to_string(), body, ..purchase };
    let _ = shop.check_out(&again).send().await.expect_status(201);
    shop.audited().await;
}

/// Between the quote of the checkout and its payment the price does not matter any more: it is the quoted one.
#[tokio::test]
async fn a_price_that_changes_while_it_is_paid_for_changes_nothing() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("orders", "/internal/v1/orders/", Moment::Before);
    let buying = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    change(&shop, COKE, json!({"deposit": money(15)})).await;
    trap.let_go();
    let body: Value = buying.await.unwrap().expect_status(201).json();
    assert_eq!(shop.books(uuid(&body["id"])).await.captured, 1_118);
    shop.audited().await;
}

#[tokio::test]
async fn a_product_that_is_not_for_sale_any_more_is_named() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    archive(&shop, JUICE).await;
    let problem = refused(&shop, &purchase, 409, "product-unavailable").await;
    let error = &problem["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/lines/1/product_id"), &json!("product-archived")));
    shop.quote(marie, purchase.cart).send().await.expect_problem(409, "product-unavailable");
    shop.audited().await;
}

#[tokio::test]
async fn what_is_short_is_named_and_nobody_is_asked_to_release_it() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let sql = "update stock set on_hand = 1 where location_id = 100 and product_id = 1";
    let fix = "update movements set delta = 1, on_hand = 1 where location_id = 100 and product_id = 1";
    shop.inventory.database().administer("alter table movements disable trigger all").await;
    for sql in [sql, fix] {
        shop.inventory.db().execute(sql, params![]).await.unwrap();
    }
    let purchase = shop.purchase(marie, "tok_ok").await;
    let before = shop.client.calls("inventory");
    let problem = refused(&shop, &purchase, 409, "insufficient-stock").await;
    let short = json!([{"location_id": WAREHOUSE, "product_id": COKE, "requested": 2, "available": 1}]);
    assert_eq!(problem["shortages"], short);
    assert_eq!(shop.client.calls("inventory") - before, 1, "it was refused at the first word");
    assert_eq!(shop.client.calls("orders") + shop.client.calls("payments"), 0);
    shop.audited().await;
}

#[tokio::test]
async fn a_cart_that_cannot_be_bought_is_refused() {
    let shop = Shop::open().await;
    let (marie, paul) = (shop.customer("marie").await, shop.customer("paul").await);
    let purchase = shop.purchase_of(marie, &[], 0, "tok_ok").await;
    refused(&shop, &purchase, 422, "cart-empty").await;
    shop.quote(marie, purchase.cart).send().await.expect_problem(422, "cart-empty");

    let mut unknown = shop.purchase(marie, "tok_ok").await;
    let nowhere = Uuid::now_v7();
    (unknown.cart, unknown.body["cart_id"]) = (nowhere, json!(nowhere));
    refused(&shop, &unknown, 422, "cart-not-found").await;
    // Somebody else's is as good as none.
    let mut pauls = shop.purchase(marie, "tok_ok").await;
    pauls.cart = shop.cart_of(paul, &[(COKE, 1)]).await;
    pauls.body["cart_id"] = json!(pauls.cart);
    refused(&shop, &pauls, 422, "cart-not-found").await;
    shop.quote(marie, pauls.cart).send().await.expect_problem(422, "cart-not-found");

    let merged = shop.purchase(marie, "tok_ok").await;
    let target = shop.cart_of(marie, &[]).await;
    let merge = shop.cart.post(format!("/api/v1/carts/{target}/merge")).json(&json!({"from": merged.cart}));
    let _ = merge.send().await.expect_status(200);
    refused(&shop, &merged, 409, "cart-closed").await;
    shop.audited().await;
}

#[tokio::test]
async fn an_account_that_is_closed_buys_nothing() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let path = format!("/api/v1/customers/{marie}");
    let tag = shop.customers.get(&path).as_customer(marie).send().await.expect_status(200).header("etag").to_owned();
    let delete = shop.customers.delete(&path).as_customer(marie).header("if-match", tag);
    let _ = delete.send().await.expect_status(204);
    refused(&shop, &purchase, 409, "customer-inactive").await;
    shop.audited().await;
}

#[tokio::test]
async fn a_store_that_does_not_exist_hands_nothing_out() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let mut purchase = shop.purchase(marie, "tok_ok").await;
    purchase.body["fulfilment"] = json!({"method": "pickup", "store_id": 77});
    refused(&shop, &purchase, 422, "location-not-found").await;
    shop.audited().await;
}

#[tokio::test]
async fn goods_that_were_kept_for_too_long_are_not_paid_for() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let trap = shop.client.set_trap("payments", "/payments/", Moment::After);
    let buying = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    shop.pass(121);
    inventory::tasks::expire_reservations(shop.inventory.context().clone()).await.unwrap();
    trap.let_go();
    buying.await.unwrap().expect_problem(409, "reservation-expired");
    let books = shop.books(shop.checkout_of(purchase.cart).await).await;
    assert_eq!((books.payment.as_str(), books.reservation.as_str()), ("voided", "expired"));
    shop.audited().await;
}

/// Everything that is wrong with a body at once, and nothing of it is accepted.
#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    for (pointer, value, at, code) in [
        ("/payment/token", json!("tok_"), "/payment/token", "token-unknown"),
        ("/payment/method", json!("cash"), "/payment/method", "invalid-value"),
        ("/expected_total", money(-1), "/expected_total/amount", "out-of-range"),
        ("/fulfilment", json!({"method": "delivery"}), "/fulfilment/address", "missing-field"),
        ("/fulfilment", json!({"method": "pickup"}), "/fulfilment/store_id", "missing-field"),
        ("/fulfilment/address/postal_code", json!("H3B"), "/fulfilment/address/postal_code", "postal-code-invalid"),
        ("/cart_id", json!("C-1"), "/cart_id", "invalid-value"),
    ] {
        let mut body = purchase.body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let wrong = Purchase { body, ..purchase.clone() };
        let problem = shop.check_out(&wrong).send().await.expect_problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(at), &json!(code)), "{problem}");
    }
    assert_eq!(count(&shop.checkout, "select count(*) from checkouts").await, 0);
}

/// Sales has another opinion of what adds up, or another sale of the order: that is a bug, and the customer, who has
/// paid, does not hear of it. Of the other books that one is missing, they are all as they should be.
#[tokio::test]
async fn a_sale_that_is_refused_is_noted_and_the_purchase_goes_on() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (status, code) in [(409, "sale-differs"), (422, "validation-failed")] {
        let refusing = axum::Router::new().fallback(move || async move {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, axum::Json(json!({"code": code})))
        });
        shop.client.connect("sales", refusing);
        let purchase = shop.purchase(marie, "tok_ok").await;
        let body: Value = shop.check_out(&purchase).send().await.expect_status(201).json();
        let id = uuid(&body["id"]);
        let steps = shop.read(id).await["steps"].clone();
        let sale = steps.as_array().unwrap().iter().find(|step| step["step"] == "sale").unwrap();
        assert_eq!((&sale["state"], &sale["note"]), (&json!("refused"), &json!("sale-refused")));
        assert_eq!((&body["state"], &body["failure"]), (&json!("completed"), &Value::Null));
        let books = shop.books(id).await;
        assert_eq!((books.order.as_str(), books.captured, books.sales.len()), ("confirmed", crate::support::TOTAL, 0));
        assert!(shop.lines(purchase.cart).await.is_empty());
        // Somebody has to look at it, and is told.
        let violations = shop.checkout.violations().await;
        let found = violations.iter().find(|found| found.offender["checkout_id"] == json!(id)).unwrap();
        assert_eq!(found.invariant, "completed-checkout-took-every-step");
        assert_eq!((&found.offender["step"], &found.offender["step_state"]), (&json!("sale"), &json!("refused")));
    }
}
