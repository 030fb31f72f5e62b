//! Drawers: opened one at a time, moved, counted, and closed for good.

use sdk::{Executor, Role, params};
use serde_json::{Value, json};

use crate::support::{FLOAT, MILK, Shop, TILL, basket, cents, money, two_cokes_and_a_juice, uuid};

#[tokio::test]
async fn one_drawer_is_open_at_a_till() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let problem = shop.open_drawer(TILL).send().await.expect_problem(409, "session-open");
    assert_eq!(problem["session_id"], session.to_string());
    let _ = shop.session(TILL + 1).await;
    shop.open_drawer(19).send().await.expect_problem(409, "register-online");
    shop.open_drawer(7).send().await.expect_problem(404, "register-not-found");
    let _ = shop.close(session, FLOAT).send().await.expect_status(200);
    let next = shop.session(TILL).await;
    let list = shop.app.get(format!("/api/v1/registers/{TILL}/sessions")).as_role(Role::Hq).send().await;
    let list: Value = list.expect_status(200).json();
    let mut found: Vec<_> = list["data"].as_array().unwrap().iter().map(|found| uuid(&found["id"])).collect();
    found.sort();
    let mut both = [session, next];
    both.sort();
    assert_eq!(found, both);
    let open = shop.app.get(format!("/api/v1/registers/{TILL}/sessions?status=open")).as_role(Role::Hq).send().await;
    assert_eq!(open.expect_status(200).json::<Value>()["data"][0]["id"], next.to_string());
    shop.audited().await;
}

#[tokio::test]
async fn a_session_that_is_opened_again_with_its_key_is_one() {
    let shop = Shop::open().await;
    let send = || shop.open_drawer(TILL).idempotency_key("open-1").send();
    let (first, again) = (send().await.expect_status(201), send().await.expect_status(201));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    let session: Value = first.json();
    assert_eq!(
        (&session["status"], &session["kind"], &session["cashier"]),
        (&json!("open"), &json!("till"), &json!("Julie"))
    );
    assert_eq!((&session["opened_by"], cents(&session["opening_float"])), (&json!("consumer:pos-1"), FLOAT));
    let read = shop.app.get(first.header("location")).as_role(Role::Hq).send().await.expect_status(200);
    assert_eq!(read.json::<Value>(), session);
    shop.audited().await;
}

#[tokio::test]
async fn a_drawer_never_has_less_than_nothing() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let _ = shop.move_cash(session, "in", 500).send().await.expect_status(201);
    let problem = shop.move_cash(session, "out", 10_501).send().await.expect_problem(409, "cash-insufficient");
    assert_eq!(cents(&problem["cash"]), 10_500);
    let send = || shop.move_cash(session, "out", 10_500).idempotency_key("safe-1").send();
    let (first, again) = (send().await.expect_status(201), send().await.expect_status(201));
    assert_eq!(first.text(), again.text());
    assert_eq!(shop.drawer(session).await, 0);
    shop.move_cash(session, "out", 1).send().await.expect_problem(409, "cash-insufficient");
    let list = shop.app.get(format!("/api/v1/sessions/{session}/cash-movements")).as_role(Role::Hq).send().await;
    let list: Value = list.expect_status(200).json();
    let found: Vec<_> = list["data"].as_array().unwrap().iter().map(|m| (&m["kind"], cents(&m["amount"]))).collect();
    assert_eq!(found, [(&json!("in"), 500), (&json!("out"), 10_500)]);
    shop.audited().await;
}

#[tokio::test]
async fn what_is_no_movement_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    for (body, pointer) in [
        (json!({"kind": "in", "amount": money(0), "reason": "x"}), "/amount/amount"),
        (json!({"kind": "in", "amount": money(-5), "reason": "x"}), "/amount/amount"),
        (json!({"kind": "in", "amount": money(100_000_001), "reason": "x"}), "/amount/amount"),
        (json!({"kind": "in", "amount": money(5), "reason": " "}), "/reason"),
        (json!({"kind": "on", "amount": money(5), "reason": "x"}), "/kind"),
    ] {
        let post = shop.app.post(format!("/api/v1/sessions/{session}/cash-movements")).as_role(Role::Pos).json(&body);
        let problem = post.send().await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let nowhere = shop.move_cash(shop.id(), "in", 5).send().await;
    nowhere.expect_problem(404, "session-not-found");
}

/// Two sales in cash, one by card, one called off, one return, and cash in and out.
#[tokio::test]
async fn a_z_report_says_what_happened_and_is_printed_the_same_ever_after() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let first = shop.sold(session).await;
    let _ = shop.sell(&basket(session, &[(MILK, 2)], &[("cash", 1_000)])).await;
    let _ = shop.sell(&two_cokes_and_a_juice(session, &[("card", 618), ("cash", 500)])).await;
    let voided = shop.sold(session).await;
    let _ = shop.void(&voided).send().await.expect_status(200);
    let _ = shop.bring_back(&first, session, &[(1, 1, "damaged")]).send().await.expect_status(201);
    let _ = shop.move_cash(session, "in", 700).send().await.expect_status(201);
    let _ = shop.move_cash(session, "out", 2_000).send().await.expect_status(201);

    let x = shop.x_report(session).await;
    // 100.00, and 11.20 + 8.50 + 5.00, less 3.55 for a coke, and 7.00 in and 20.00 out.
    let expected = FLOAT + 1_120 + 850 + 500 - 355 + 700 - 2_000;
    assert_eq!(cents(&x["expected_cash"]), expected);
    assert_eq!((&x["number"], &x["counted_cash"]), (&Value::Null, &Value::Null));

    let denominations = json!({"denominations": [
        {"value": money(5_000), "count": 1}, {"value": money(2_000), "count": 1}, {"value": money(500), "count": 7},
        {"value": money(200), "count": 1}, {"value": money(100), "count": 1}, {"value": money(5), "count": 2},
    ]});
    let post = shop.app.post(format!("/api/v1/sessions/{session}/close")).as_role(Role::Pos).json(&denominations);
    let z: Value = post.send().await.expect_status(200).json();
    let counted = 5_000 + 2_000 + 3_500 + 200 + 100 + 10;
    assert_eq!((&z["number"], cents(&z["counted_cash"])), (&json!("1-2-Z000001"), counted));
    assert_eq!((cents(&z["expected_cash"]), cents(&z["difference"])), (expected, counted - expected));
    assert_eq!((&z["sales"], &z["voids"], &z["returns"]), (&json!(3), &json!(1), &json!(1)));
    let amounts = ["gross", "discount", "net", "gst", "qst", "deposits", "total", "cash_rounding", "payable"];
    assert_eq!(amounts.map(|member| cents(&z[member])), [2_744, 0, 2_744, 94, 188, 60, 3_086, 2, 3_088]);
    assert_eq!((cents(&z["voided"]), cents(&z["returned"]["total"])), (1_120, 354));
    assert_eq!(cents(&z["returned"]["cash_rounding"]), 1);
    assert_eq!(
        z["taxes"],
        json!([
            {"tax": "gst", "rate": 5_000, "base": money(1_894), "amount": money(94)},
            {"tax": "qst", "rate": 9_975, "base": money(1_894), "amount": money(188)},
        ])
    );
    assert_eq!(
        z["payments"],
        json!([
            {"method": "card", "count": 1, "amount": money(618)},
            {"method": "cash", "count": 3, "amount": money(3_500)},
        ])
    );
    assert_eq!(cents(&z["change"]), 880 + 150);
    assert_eq!(z["refunds"], json!([{"method": "cash", "count": 1, "amount": money(355)}]));
    assert_eq!((&z["first_number"], &z["last_number"]), (&json!("1-2-000001"), &json!("1-2-000004")));

    let again = shop.app.get(format!("/api/v1/sessions/{session}/z-report")).as_role(Role::Hq).send().await;
    assert_eq!(again.expect_status(200).json::<Value>(), z);
    let x = shop.app.get(format!("/api/v1/sessions/{session}/x-report")).as_role(Role::Hq).send().await;
    x.expect_problem(409, "session-closed");
    let body: Value =
        shop.app.get(format!("/api/v1/sessions/{session}")).as_role(Role::Hq).send().await.expect_status(200).json();
    assert_eq!((&body["status"], cents(&body["counted_cash"])), (&json!("closed"), counted));
    shop.audited().await;
}

#[tokio::test]
async fn nothing_happens_in_a_session_that_is_closed() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let early = shop.app.get(format!("/api/v1/sessions/{session}/z-report")).as_role(Role::Hq).send().await;
    early.expect_problem(409, "session-open");
    let send = || shop.close(session, 11_120).idempotency_key("close-1").send();
    let (first, again) = (send().await.expect_status(200), send().await.expect_status(200));
    assert_eq!(first.text(), again.text());
    let put = shop.put(shop.id(), &two_cokes_and_a_juice(session, &[("card", 1_118)]));
    put.send().await.expect_problem(409, "session-closed");
    shop.void(&sale).send().await.expect_problem(409, "session-closed");
    shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_problem(409, "session-closed");
    shop.move_cash(session, "in", 5).send().await.expect_problem(409, "session-closed");
    shop.close(session, 1).send().await.expect_problem(409, "session-closed");
    assert_eq!(shop.client.calls("products"), 1, "nobody asks what it would cost");
    shop.audited().await;
}

/// Also by those who know SQL.
#[tokio::test]
async fn what_is_recorded_is_recorded_for_good() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let _ = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    let _ = shop.move_cash(session, "in", 5).send().await.expect_status(201);
    let _ = shop.close(session, 0).send().await.expect_status(200);
    for statement in [
        "update sales set total_cents = total_cents + 1, gst_cents = gst_cents + 1",
        "update sales set number = 'x'",
        "update sales set sold_at = now()",
        "update sale_lines set net_cents = 1",
        "update sale_lines set quantity = 9",
        "update sale_payments set amount_cents = 1",
        "update returns set reason = 'x'",
        "update return_lines set quantity = 2",
        "update return_refunds set amount_cents = 1",
        "update cash_movements set reason = 'x'",
        "update sessions set cashier = 'x'",
        "delete from sales",
        "delete from sale_lines",
        "delete from sale_payments",
        "delete from returns",
        "delete from return_lines",
        "delete from return_refunds",
        "delete from cash_movements",
        "delete from sessions",
    ] {
        let refused = shop.app.db().execute(statement, params![]).await.unwrap_err();
        assert!(refused.to_string().contains("recorded for good"), "{statement}: {refused}");
    }
    shop.audited().await;
}
