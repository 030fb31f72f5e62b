//! Many at once, and a cart that goes on being filled.

use sdk::testing::Moment;
use sdk::{Executor as _, params};
use std::collections::BTreeMap;

use crate::support::{COKE, JUICE, Shop};

/// Invariant 21.
#[tokio::test]
async fn what_is_added_during_a_checkout_survives_it() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    for (service, part) in [("products", "/price-quotes"), ("payments", "/capture"), ("cart", "/consume")] {
        let purchase = shop.purchase(marie, "tok_ok").await;
        let trap = shop.client.set_trap(service, part, Moment::Before);
        let buying = tokio::spawn(shop.check_out(&purchase).send());
        trap.sprung().await;
        shop.add(purchase.cart, COKE, 3).await;
        shop.add(purchase.cart, 4, 1).await;
        trap.let_go();
        let _ = buying.await.unwrap().expect_status(201);
        assert_eq!(shop.lines(purchase.cart).await, BTreeMap::from([(COKE, 3), (4, 1)]), "{part}");
    }
    shop.audited().await;
}

/// A cart that is merged into another while it is paid for is emptied where its lines are.
#[tokio::test]
async fn what_was_merged_meanwhile_is_taken_from_where_it_is() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let purchase = shop.purchase(marie, "tok_ok").await;
    let target = shop.cart_of(marie, &[(COKE, 1)]).await;
    let trap = shop.client.set_trap("payments", "/capture", Moment::Before);
    let buying = tokio::spawn(shop.check_out(&purchase).send());
    trap.sprung().await;
    let merge = shop.cart.post(format!("/api/v1/carts/{target}/merge"));
    let _ = merge.json(&serde_json::json!({"from": purchase.cart})).send().await.expect_status(200);
    trap.let_go();
    let _ = buying.await.unwrap().expect_status(201);
    assert_eq!(shop.lines(target).await, BTreeMap::from([(COKE, 1)]));
    shop.audited().await;
}

/// Invariant 7: of more buyers than units, as many as there are units.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_more_buyers_than_units_as_many_buy_as_there_are_units() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    shop.inventory.database().administer("alter table movements disable trigger all").await;
    for sql in [
        "update stock set on_hand = 5 where location_id = 100 and product_id = 3",
        "update movements set delta = 5, on_hand = 5 where location_id = 100 and product_id = 3",
    ] {
        shop.inventory.db().execute(sql, params![]).await.unwrap();
    }
    let mut purchases = Vec::new();
    for _ in 0..12 {
        // 3.49, 0.17 and 0.35 of tax, 0.10 of deposit.
        purchases.push(shop.purchase_of(marie, &[(JUICE, 1)], 411, "tok_ok").await);
    }
    let answers = shop.at_once(purchases.iter().map(|purchase| shop.check_out(purchase))).await;
    let mut codes: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [vec![201; 5], vec![409; 7]].concat());
    assert_eq!(shop.stock(JUICE).await, (0, 0));
    shop.audited().await;
}

/// Requests, tasks and clients that ask again, all at once, over the same checkouts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_and_requests_at_once_take_each_step_once() {
    let shop = Shop::open().await;
    let marie = shop.customer("marie").await;
    let mut purchases = Vec::new();
    for number in 0..8 {
        let token = if number % 4 == 3 { "tok_declined" } else { "tok_ok" };
        purchases.push(shop.purchase(marie, token).await);
    }
    for app in [&shop.checkout, &shop.orders, &shop.inventory, &shop.cart] {
        app.warm_up().await;
    }
    let sent: Vec<_> = purchases
        .iter()
        .flat_map(|purchase| [shop.check_out(purchase), shop.check_out(purchase)])
        .map(|request| tokio::spawn(request.send()))
        .collect();
    // Time flies: leases end while their holders are at work.
    for _ in 0..20 {
        shop.pass(4);
        shop.resume().await;
    }
    for answer in sent {
        let status = answer.await.unwrap().status.as_u16();
        assert!([201, 202, 402].contains(&status), "{status}");
    }
    shop.settle().await;
    shop.audited().await;
}
