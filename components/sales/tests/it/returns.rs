//! What was sold comes back: at any till, within thirty days, for exactly what was paid.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, Shop, TILL, TOTAL, basket, cents, money, path, two_cokes_and_a_juice};

#[tokio::test]
async fn some_units_and_then_the_rest_are_exactly_what_was_paid() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let response = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    assert_eq!((response.header("location"), response.header("etag")), (&*format!("{}/returns", path(&sale)), "\"2\""));
    let first: Value = response.json();
    assert_eq!((&first["number"], &first["cashier"]), (&json!("1-2-R000001"), &json!("Julie")));
    // Half of 5.98, 0.30, 0.59 and 0.20, the taxes half up: as in pricing's worked example.
    assert_eq!(["net", "gst", "qst", "deposits", "total"].map(|m| cents(&first[m])), [299, 15, 30, 10, 354]);
    assert_eq!(first["refunds"], json!([{"method": "cash", "amount": money(355)}]));
    assert_eq!(cents(&first["cash_rounding"]), 1);
    let now = shop.read(&sale["id"]).await;
    assert_eq!(
        (&now["status"], cents(&now["refunded"]), &now["lines"][0]["returned"]),
        (&json!("completed"), 354, &json!(1))
    );
    assert_eq!((&now["total"], &now["payments"]), (&sale["total"], &sale["payments"]));

    let rest = shop.bring_back(&sale, session, &[(1, 1, "resalable"), (2, 1, "damaged")]).send().await;
    let rest: Value = rest.expect_status(201).json();
    assert_eq!((cents(&rest["total"]), cents(&rest["refunds"][0]["amount"])), (TOTAL - 354, 1_120 - 355));
    assert_eq!(shop.drawer(session).await, 10_000);
    assert_eq!((shop.stock(1, COKE).await, shop.stock(1, JUICE).await), (240, 239));
    assert_eq!(shop.returns(&sale).await, [first, rest]);
    shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_problem(409, "nothing-left-to-return");
    shop.audited().await;
}

#[tokio::test]
async fn units_of_a_line_may_come_back_in_two_conditions_and_into_another_store() {
    let shop = Shop::open().await;
    let (here, there) = (shop.session(TILL).await, shop.session(21).await);
    let sale = shop.sell(&basket(here, &[(COKE, 3)], &[("cash", 2_000)])).await;
    shop.pass(86_400);
    let back = shop.bring_back(&sale, there, &[(1, 1, "damaged"), (1, 2, "resalable")]).send().await;
    let back: Value = back.expect_status(201).json();
    assert_eq!((&back["number"], &back["store_id"]), (&json!("2-1-R000001"), &json!(2)));
    assert_eq!(cents(&back["total"]), cents(&sale["total"]));
    let parts = back["lines"].as_array().unwrap().iter().map(|line| cents(&line["total"])).sum::<i64>();
    assert_eq!(parts, cents(&sale["total"]));
    assert_eq!((shop.stock(1, COKE).await, shop.stock(2, COKE).await), (237, 242));
    assert_eq!(shop.drawer(there).await, 10_000 - cents(&sale["payable"]));
    assert_eq!(
        (
            cents(&shop.x_report(there).await["returned"]["total"]),
            cents(&shop.x_report(here).await["returned"]["total"])
        ),
        (cents(&sale["total"]), 0)
    );
    shop.audited().await;
}

#[tokio::test]
async fn it_comes_back_within_thirty_days() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    shop.pass(30 * 86_400);
    let _ = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    shop.pass(1);
    shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_problem(409, "return-too-late");
    shop.audited().await;
}

#[tokio::test]
async fn the_money_goes_back_to_the_card_or_out_of_the_drawer() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let card = shop.sell(&two_cokes_and_a_juice(session, &[("card", TOTAL)])).await;
    let back: Value = shop.bring_back(&card, session, &[(1, 1, "resalable")]).send().await.expect_status(201).json();
    assert_eq!(
        (&back["refunds"], cents(&back["cash_rounding"])),
        (&json!([{"method": "card", "amount": money(354)}]), 0)
    );
    let rest = shop.bring_back_to(&card, session, &[(1, 1, "resalable"), (2, 1, "resalable")], "cash");
    let rest: Value = rest.send().await.expect_status(201).json();
    assert_eq!(rest["refunds"], json!([{"method": "cash", "amount": money(765)}]));
    assert_eq!(shop.drawer(session).await, 10_000 - 765);

    let mixed = shop.sell(&two_cokes_and_a_juice(session, &[("gift_card", 400), ("cash", 720)])).await;
    let all = [(1, 2, "resalable"), (2, 1, "resalable")];
    let back: Value = shop.bring_back(&mixed, session, &all).send().await.expect_status(201).json();
    assert_eq!(
        back["refunds"],
        json!([
            {"method": "gift_card", "amount": money(400)}, {"method": "cash", "amount": money(720)},
        ])
    );
    shop.audited().await;
}

#[tokio::test]
async fn a_drawer_that_has_not_enough_gives_nothing_back() {
    let shop = Shop::open().await;
    let (session, other) = (shop.session(TILL).await, shop.session(TILL + 1).await);
    let sale = shop.sold(session).await;
    let _ = shop.move_cash(other, "out", 9_000).send().await.expect_status(201);
    let all = [(1, 2, "resalable"), (2, 1, "resalable")];
    let problem = shop.bring_back(&sale, other, &all).send().await.expect_problem(409, "cash-insufficient");
    assert_eq!(cents(&problem["cash"]), 1_000);
    assert_eq!(shop.returns(&sale).await.len(), 0);
    let _ = shop.bring_back(&sale, session, &all).send().await.expect_status(201);
    shop.audited().await;
}

#[tokio::test]
async fn more_than_there_is_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let _ = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    let line = |line: i64, quantity: i64| json!({"line": line, "quantity": quantity, "disposition": "resalable"});
    for (lines, pointer, code) in [
        (json!([line(1, 2)]), "/lines/0/quantity", "returned-more-than-sold"),
        (json!([line(2, 1), line(1, 2)]), "/lines/1/quantity", "returned-more-than-sold"),
        (
            json!([line(1, 1), {"line": 1, "quantity": 1, "disposition": "damaged"}]),
            "/lines/1/quantity",
            "returned-more-than-sold",
        ),
        (json!([line(3, 1)]), "/lines/0/line", "line-not-found"),
        (json!([line(1, 0)]), "/lines/0/quantity", "quantity-out-of-range"),
        (json!([line(1, 1), line(1, 1)]), "/lines/1/line", "line-repeated"),
        (json!([]), "/lines", "lines-out-of-range"),
        (json!([{"line": 1, "quantity": 1, "disposition": "eaten"}]), "/lines/0/disposition", "invalid-value"),
    ] {
        let body = json!({"session_id": session, "lines": lines});
        let post = shop.app.post(format!("{}/returns", path(&sale))).as_role(Role::Pos).json(&body);
        let problem = post.send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let nowhere = shop.bring_back(&sale, shop.id(), &[(1, 1, "resalable")]).send().await;
    assert_eq!(nowhere.expect_problem(422, "validation-failed")["errors"][0]["pointer"], "/session_id");
    let nothing = json!({"id": shop.id()});
    let problem = shop.bring_back(&nothing, session, &[(1, 1, "resalable")]).send().await;
    problem.expect_problem(404, "sale-not-found");
    assert_eq!(shop.returns(&sale).await.len(), 1);
    shop.audited().await;
}

#[tokio::test]
async fn a_return_that_is_sent_again_with_its_key_is_one() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let sale = shop.sold(session).await;
    let send = |quantity| shop.bring_back(&sale, session, &[(1, quantity, "resalable")]).idempotency_key("r-1").send();
    let (first, again) = (send(1).await.expect_status(201), send(1).await.expect_status(201));
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    send(2).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!((shop.returns(&sale).await.len(), shop.drawer(session).await), (1, 10_765));
    shop.audited().await;
}
