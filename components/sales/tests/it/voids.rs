//! A sale is called off: in its session, while nothing of it has come back.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, Shop, TILL, cents, path, two_cokes_and_a_juice};

#[tokio::test]
async fn the_money_and_the_goods_come_back_and_the_number_stays() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let mixed = shop.sell(&two_cokes_and_a_juice(session, &[("card", 600), ("cash", 1_000)])).await;
    shop.pass(60);
    for sale in [&sale, &mixed] {
        let response = shop.void(sale).send().await.expect_status(200);
        assert_eq!(response.header("etag"), "\"2\"");
        let voided: Value = response.json();
        assert_eq!((&voided["status"], &voided["void_reason"]), (&json!("voided"), &json!("rung up twice")));
        assert_eq!((&voided["voided_at"], &voided["number"]), (&json!(shop.clock.now()), &sale["number"]));
        assert_eq!((&voided["lines"], &voided["total"]), (&sale["lines"], &sale["total"]));
    }
    assert_eq!((shop.drawer(session).await, shop.stock(1, COKE).await), (10_000, 240));
    assert_eq!(shop.sold(session).await["number"], "1-2-000003");
    assert_eq!(shop.listed("?status=voided").await.len(), 2);
    shop.audited().await;
}

#[tokio::test]
async fn it_is_called_off_once() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let send = || shop.void(&sale).idempotency_key("void-1").send();
    let (first, again) = (send().await.expect_status(200), send().await.expect_status(200));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    shop.void(&sale).send().await.expect_problem(409, "sale-voided");
    shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_problem(409, "sale-voided");
    assert_eq!(shop.stock(1, COKE).await, 240);
    shop.audited().await;
}

#[tokio::test]
async fn what_has_come_back_in_part_is_not_called_off() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let _ = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    shop.void(&sale).send().await.expect_problem(409, "sale-returned");
    shop.audited().await;
}

/// The cash of the sale is in the safe.
#[tokio::test]
async fn a_drawer_that_has_not_enough_gives_nothing_back() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let card = shop.sell(&two_cokes_and_a_juice(session, &[("card", 1_118)])).await;
    let _ = shop.move_cash(session, "out", 10_001).send().await.expect_status(201);
    let problem = shop.void(&sale).send().await.expect_problem(409, "cash-insufficient");
    assert_eq!(cents(&problem["cash"]), 1_119);
    let _ = shop.void(&card).send().await.expect_status(200);
    let _ = shop.move_cash(session, "in", 1).send().await.expect_status(201);
    let _ = shop.void(&sale).send().await.expect_status(200);
    assert_eq!(shop.drawer(session).await, 0);
    shop.audited().await;
}

#[tokio::test]
async fn a_till_calls_off_its_own_and_a_manager_any() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let other = shop.void(&sale).header("x-consumer-username", "pos-2").send().await;
    other.expect_problem(403, "session-of-another");
    let manager = shop.app.post(format!("{}/void", path(&sale))).as_role(Role::Manager);
    let _ = manager.json(&json!({"reason": "a mistake"})).send().await.expect_status(200);
    shop.audited().await;
}

#[tokio::test]
async fn a_void_says_why_and_what() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    for body in [json!({"reason": ""}), json!({"reason": "x".repeat(501)}), json!({})] {
        let post = shop.app.post(format!("{}/void", path(&sale))).as_role(Role::Pos).json(&body);
        let problem = post.send().await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/reason");
    }
    let nothing = shop.app.post(format!("/api/v1/sales/{}/void", shop.id())).as_role(Role::Pos);
    nothing.json(&json!({"reason": "x"})).send().await.expect_problem(404, "sale-not-found");
    shop.audited().await;
}
