//! What reports read: everything that happened, once, with all that they need.

use sdk::Role;
use sdk::outbox::Published;
use serde_json::{Value, json};

use crate::support::{Shop, TILL, TOTAL, cents, money, offline, online, uuid};

/// The members of a sale, of one of its lines, and of a return.
const SALE: &str = "cash_rounding cashier change channel customer_id deposits discount gross gst lines number offline \
    order_id payable payments qst recorded_at refunded register_id sale_id session_id sold_at status store_id \
    subtotal taxes total";
const LINE: &str = "deposit discount gross gst line list_unit_price name net product_id qst quantity rates returned \
    sku tax_category total unit_deposit unit_price";
const RETURN: &str = "cash_rounding cashier deposits gst lines net number qst reason refunds register_id return_id \
    returned_at session_id store_id total";

fn members(value: &Value) -> String {
    let mut members: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members.join(" ")
}

async fn of(shop: &Shop, subject: String) -> Vec<Published> {
    shop.app.events().await.into_iter().filter(|event| event.subject == subject).collect()
}

fn kinds(events: &[Published]) -> Vec<(&str, i64)> {
    events.iter().map(|event| (event.kind.as_str(), event.subject_version)).collect()
}

#[tokio::test]
async fn a_sale_is_told_with_all_that_reports_need() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let events = of(&shop, format!("sale/{}", sale["id"].as_str().unwrap())).await;
    assert_eq!(kinds(&events), [("sale.completed", 1)]);
    let told = &events[0].payload;
    assert_eq!(members(told), SALE);
    assert_eq!(members(&told["lines"][0]), LINE);
    assert_eq!((&told["channel"], &told["store_id"], &told["register_id"]), (&json!("store"), &json!(1), &json!(TILL)));
    let amounts =
        ["gross", "subtotal", "gst", "qst", "deposits", "total", "cash_rounding", "payable", "change", "refunded"];
    assert_eq!(amounts.map(|member| cents(&told[member])), [947, 947, 47, 94, 30, TOTAL, 2, 1_120, 880, 0]);
    assert_eq!(told["payments"], json!([{"method": "cash", "amount": money(2_000)}]));
    assert_eq!(told["taxes"][0], json!({"tax": "gst", "rate": 5_000, "base": money(947), "amount": money(47)}));
    assert_eq!((&told["lines"][0]["rates"], &told["offline"]), (&json!({"gst": 5_000, "qst": 9_975}), &json!(false)));
    shop.audited().await;
}

#[tokio::test]
async fn what_becomes_of_a_sale_is_told_without_a_gap_in_versions() {
    let shop = Shop::open().await;
    let (session, other) = (shop.session(TILL).await, shop.session(21).await);
    let sale = shop.sold(session).await;
    let _ = shop.bring_back(&sale, session, &[(1, 1, "damaged")]).send().await.expect_status(201);
    let rest = [(1, 1, "resalable"), (2, 1, "resalable")];
    let _ = shop.bring_back(&sale, other, &rest).send().await.expect_status(201);
    let events = of(&shop, format!("sale/{}", sale["id"].as_str().unwrap())).await;
    assert_eq!(kinds(&events), [("sale.completed", 1), ("sale.returned", 2), ("sale.returned", 3)]);
    let told = &events[1].payload;
    let back = &told["return"];
    assert_eq!(members(back), RETURN);
    assert_eq!(members(&back["lines"][0]), "deposit disposition gst line net product_id qst quantity total");
    assert_eq!((cents(&told["refunded"]), &told["lines"][0]["returned"]), (354, &json!(1)));
    assert_eq!(back["refunds"], json!([{"method": "cash", "amount": money(355)}]));
    assert_eq!((&events[2].payload["return"]["store_id"], &events[2].payload["store_id"]), (&json!(2), &json!(1)));
    assert_eq!(cents(&events[2].payload["refunded"]), TOTAL);

    let voided = shop.sold(session).await;
    let _ = shop.void(&voided).send().await.expect_status(200);
    let events = of(&shop, format!("sale/{}", voided["id"].as_str().unwrap())).await;
    assert_eq!(kinds(&events), [("sale.completed", 1), ("sale.voided", 2)]);
    let told = &events[1].payload;
    assert_eq!((&told["status"], &told["voided_at"]), (&json!("voided"), &json!(shop.clock.now())));
    assert_eq!((&told["total"], told.get("return")), (&voided["total"], None));
    shop.audited().await;
}

#[tokio::test]
async fn an_online_sale_has_no_till() {
    let shop = Shop::open().await;
    let order = shop.id();
    let put = shop.app.put(format!("/internal/v1/sales/{order}")).as_role(Role::Service).json(&online(&shop, 3));
    let sale: Value = put.send().await.expect_status(201).json();
    let events = of(&shop, format!("sale/{}", sale["id"].as_str().unwrap())).await;
    assert_eq!(kinds(&events), [("sale.completed", 1)]);
    let told = &events[0].payload;
    for member in ["register_id", "session_id", "cashier"] {
        assert_eq!(told[member], Value::Null, "{member}");
    }
    assert_eq!((&told["channel"], &told["order_id"], &told["store_id"]), (&json!("online"), &json!(order), &json!(3)));
    assert_eq!((&told["payments"][0]["method"], &told["customer_id"]), (&json!("online"), &json!(7)));
}

#[tokio::test]
async fn a_session_is_told_from_its_opening_to_its_count() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let _ = shop.sold(session).await;
    let _ = shop.move_cash(session, "out", 2_000).send().await.expect_status(201);
    shop.pass(60);
    let _ = shop.close(session, 9_000).send().await.expect_status(200);
    let events = of(&shop, format!("session/{session}")).await;
    assert_eq!(kinds(&events), [("session.opened", 1), ("session.cash_moved", 2), ("session.closed", 3)]);
    let opened = "cashier closed_at opened_at opening_float register_id session_id status store_id";
    assert_eq!(members(&events[0].payload), opened);
    let movement = &events[1].payload["movement"];
    assert_eq!(members(movement), "amount at id kind reason");
    assert_eq!((&movement["kind"], cents(&movement["amount"])), (&json!("out"), 2_000));
    let closed = &events[2].payload;
    assert_eq!((&closed["status"], &closed["closed_at"]), (&json!("closed"), &json!(shop.clock.now())));
    let z = &closed["z"];
    assert_eq!(
        (&z["number"], &z["sales"], &z["returns"], &z["voids"]),
        (&json!("1-2-Z000001"), &json!(1), &json!(0), &json!(0))
    );
    let amounts = ["expected_cash", "counted_cash", "difference", "gross", "net", "total"];
    assert_eq!(amounts.map(|member| cents(&z[member])), [9_120, 9_000, -120, 947, 947, TOTAL]);
    assert_eq!(z["payments"][0]["method"], "cash");
    shop.audited().await;
}

/// What is refused or sent again tells nothing.
#[tokio::test]
async fn what_changes_nothing_tells_nothing() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sold_at = shop.clock.now();
    let (id, body) = (shop.id(), offline(session, sold_at, 199, &[("cash", 2_000)]));
    for status in [201, 200, 200] {
        let _ = shop.put(id, &body).send().await.expect_status(status);
    }
    let sale = shop.read(&json!(id)).await;
    shop.bring_back(&sale, session, &[(1, 3, "damaged")]).send().await.expect_problem(422, "validation-failed");
    shop.move_cash(session, "out", 99_999).send().await.expect_problem(409, "cash-insufficient");
    let events = shop.app.events().await;
    let found: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(found, ["session.opened", "sale.completed"]);
    let told = &events[1].payload;
    assert_eq!((&told["offline"], &told["sold_at"]), (&json!(true), &json!(sold_at)));
    assert_eq!((cents(&told["lines"][0]["unit_price"]), cents(&told["lines"][0]["list_unit_price"])), (199, 299));
}

/// The session that an upload opens is told as well, before its sale.
#[tokio::test]
async fn a_session_of_its_own_is_told() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let _ = shop.close(session, 0).send().await.expect_status(200);
    let sale = shop.sell(&offline(session, shop.clock.now(), 299, &[("cash", 2_000)])).await;
    let late = of(&shop, format!("session/{}", uuid(&sale["session_id"]))).await;
    assert_eq!(kinds(&late), [("session.opened", 1)]);
    shop.audited().await;
}
