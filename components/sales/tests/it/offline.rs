//! What a till sold while it could not ask anybody: recorded as it was charged, and never lost.

use jiff::{SignedDuration, Timestamp};
use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, FLOAT, Shop, TILL, TOTAL, cents, money, offline, paid, uuid};

fn ago(shop: &Shop, seconds: i64) -> Timestamp {
    shop.clock.now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

#[tokio::test]
async fn it_is_recorded_as_it_was_charged_and_says_where_the_catalogue_differs() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sold_at = ago(&shop, 7_200);
    let at_list = shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await;
    assert_eq!((&at_list["offline"], &at_list["price_differs"]), (&json!(true), &json!(false)));
    assert_eq!((cents(&at_list["total"]), &at_list["sold_at"]), (TOTAL, &json!(sold_at)));
    assert_eq!(at_list["recorded_at"], json!(shop.clock.now()));

    let cheaper = shop.sell(&offline(session, sold_at, 199, &[("cash", 2_000)])).await;
    assert_eq!(cheaper["price_differs"], true);
    let line = &cheaper["lines"][0];
    assert_eq!((cents(&line["unit_price"]), cents(&line["list_unit_price"])), (199, 299));
    // 7.47, 0.37, 0.75 and 0.30.
    assert_eq!((cents(&cheaper["total"]), cents(&cheaper["gst"]), cents(&cheaper["qst"])), (889, 37, 75));
    let found = shop.listed("?price_differs=true").await;
    assert_eq!(found.iter().map(|sale| &sale["id"]).collect::<Vec<_>>(), [&cheaper["id"]]);
    assert_eq!(shop.listed("?price_differs=false").await.len(), 1);
    shop.audited().await;
}

/// The price was raised after the sale, and before it was uploaded.
#[tokio::test]
async fn the_catalogue_of_that_instant_is_what_counts() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sold_at = shop.clock.now();
    shop.pass(3_600);
    let price = json!({"kind": "regular", "amount": money(399)});
    let price = shop.products.post(format!("/api/v1/products/{COKE}/prices")).as_role(Role::Manager).json(&price);
    let _ = price.send().await.expect_status(201);
    let before = shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await;
    assert_eq!(before["price_differs"], false);
    let after = shop.sell(&offline(session, shop.clock.now(), 299, &[("cash", 2_000)])).await;
    assert_eq!((&after["price_differs"], cents(&after["lines"][0]["list_unit_price"])), (&json!(true), 399));
    shop.audited().await;
}

#[tokio::test]
async fn what_is_archived_meanwhile_is_recorded_all_the_same() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sold_at = shop.clock.now();
    let archive = shop.products.delete(format!("/api/v1/products/{COKE}")).as_role(Role::Manager);
    let _ = archive.header("if-match", "*").send().await.expect_status(204);
    shop.pass(60);
    assert_eq!(cents(&shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await["total"]), TOTAL);
    let put = shop.put(shop.id(), &crate::support::two_cokes_and_a_juice(session, &[("cash", 2_000)]));
    let problem = put.send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "product-archived");
    shop.audited().await;
}

/// It was charged more than the catalogue has, and that much was off it.
#[tokio::test]
async fn what_was_off_it_is_off_what_was_charged() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let mut body = offline(session, ago(&shop, 60), 1_000, &[("cash", 2_000)]);
    body["lines"][0]["discount"] = money(1_900);
    body["discount"] = money(49);
    let sale = shop.sell(&body).await;
    assert_eq!((cents(&sale["gross"]), cents(&sale["discount"])), (2_349, 1_949));
    shop.audited().await;
}

#[tokio::test]
async fn what_cannot_be_an_offline_sale_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let good = offline(session, ago(&shop, 60), 299, &[("cash", 2_000)]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value;
        body
    };
    for (body, pointer, code) in [
        (with("/offline/sold_at", json!(ago(&shop, -301))), "/offline/sold_at", "sold-in-the-future"),
        (with("/offline/sold_at", json!(ago(&shop, 30 * 86_400 + 1))), "/offline/sold_at", "sold-too-long-ago"),
        (with("/offline/sold_at", json!("yesterday")), "/offline/sold_at", "invalid-value"),
        (with("/offline/cashier", json!("")), "/offline/cashier", "text-invalid"),
        (with("/expected_total", money(TOTAL)), "/expected_total", "surplus-field"),
        (with("/lines/0/unit_price", Value::Null), "/lines/0/unit_price", "missing-field"),
        (with("/lines/0/unit_price", money(-1)), "/lines/0/unit_price/amount", "unit-price-out-of-range"),
        (with("/payments", paid(&[("card", TOTAL - 1)])), "/payments", "payment-insufficient"),
    ] {
        let problem = shop.put(shop.id(), &body).send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let mut without = good.clone();
    let members = without.as_object_mut().unwrap();
    members.remove("session_id");
    members.insert("register_id".to_owned(), json!(TILL));
    let problem = shop.put(shop.id(), &without).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/offline/cashier");
    without["offline"]["cashier"] = json!("Julie");
    without["register_id"] = json!(19);
    let problem = shop.put(shop.id(), &without).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "register-not-found");
    shop.audited().await;
}

/// The drawer was counted with that cash in it: it is counted no second time, nor is the next one.
#[tokio::test]
async fn what_comes_after_the_count_is_booked_in_a_session_of_its_own() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sold_at = shop.clock.now();
    shop.pass(60);
    let z: Value = shop.close(session, FLOAT + 2 * 1_120).send().await.expect_status(200).json();
    assert_eq!(cents(&z["difference"]), 2_240);
    let next = shop.session(TILL).await;
    let first = shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await;
    let second = shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await;
    let late = uuid(&first["session_id"]);
    assert_eq!(first["session_id"], second["session_id"]);
    assert!(late != session && late != next);
    assert_eq!((&first["cashier"], &first["sold_at"]), (&json!("Julie"), &json!(sold_at)));
    assert_eq!((&first["number"], &second["number"]), (&json!("1-2-000001"), &json!("1-2-000002")));
    let body: Value = shop.app.get(format!("/api/v1/sessions/{late}")).as_role(Role::Hq).send().await.json();
    assert_eq!((&body["kind"], &body["status"], cents(&body["opening_float"])), (&json!("late"), &json!("open"), 0));
    assert_eq!((shop.drawer(next).await, shop.drawer(late).await), (FLOAT, 2_240));
    // Nothing changed what was counted, and nobody is kept from opening a drawer.
    let again = shop.app.get(format!("/api/v1/sessions/{session}/z-report")).as_role(Role::Hq).send().await;
    assert_eq!(again.expect_status(200).json::<Value>(), z);
    shop.open_drawer(TILL).send().await.expect_problem(409, "session-open");

    // A manager closes it like any other; the next upload has another.
    let close = shop.app.post(format!("/api/v1/sessions/{late}/close")).as_role(Role::Manager);
    let _ = close.json(&json!({"counted_cash": money(2_240)})).send().await.expect_status(200);
    let third = shop.sell(&offline(session, sold_at, 299, &[("cash", 2_000)])).await;
    assert_ne!(third["session_id"], first["session_id"]);
    shop.audited().await;
}

/// A till that has lost its session knows at least which till it is.
#[tokio::test]
async fn without_a_session_it_is_booked_in_the_open_one_of_the_till_or_in_one_of_its_own() {
    let shop = Shop::open().await;
    let mut body = offline(shop.id(), shop.clock.now(), 299, &[("cash", 2_000)]);
    let members = body.as_object_mut().unwrap();
    members.remove("session_id");
    members.insert("register_id".to_owned(), json!(TILL));
    body["offline"]["cashier"] = json!(" Marc ");
    let early = shop.sell(&body).await;
    let session = shop.session(TILL).await;
    let open = shop.sell(&body).await;
    assert_eq!(uuid(&open["session_id"]), session);
    assert_ne!(uuid(&early["session_id"]), session);
    assert_eq!((&early["cashier"], &open["cashier"]), (&json!("Marc"), &json!("Marc")));
    shop.audited().await;
}

/// It was paid, whoever brings it.
#[tokio::test]
async fn another_till_may_upload_it() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let body = offline(session, shop.clock.now(), 299, &[("cash", 2_000)]);
    let put = shop.put(shop.id(), &body).header("x-consumer-username", "pos-2");
    let sale: Value = put.send().await.expect_status(201).json();
    assert_eq!(uuid(&sale["session_id"]), session);
    let connected = crate::support::two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    let put = shop.put(shop.id(), &connected).header("x-consumer-username", "pos-2");
    put.send().await.expect_problem(403, "session-of-another");
    shop.audited().await;
}
