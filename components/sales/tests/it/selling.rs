//! A till sells: at the prices of the catalogue, once for each id, paid in whatever way.

use sdk::Role;
use sdk::testing::Fault;
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, MILK, Shop, TILL, TOTAL, basket, cents, money, paid, path, two_cokes_and_a_juice};

#[tokio::test]
async fn a_sale_is_priced_paid_and_numbered() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let id = shop.id();
    let mut body = two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    body["expected_total"] = money(TOTAL);
    body["customer_id"] = json!(7);
    let response = shop.put(id, &body).send().await.expect_status(201);
    assert_eq!(response.header("location"), format!("/api/v1/sales/{id}"));
    assert_eq!(response.header("etag"), "\"1\"");
    let sale: Value = response.json();
    assert_eq!(
        (&sale["number"], &sale["status"], &sale["channel"]),
        (&json!("1-2-000001"), &json!("completed"), &json!("store"))
    );
    let amounts = [
        "gross",
        "discount",
        "subtotal",
        "gst",
        "qst",
        "deposits",
        "total",
        "cash_rounding",
        "payable",
        "change",
        "refunded",
    ];
    assert_eq!(amounts.map(|member| cents(&sale[member])), [947, 0, 947, 47, 94, 30, TOTAL, 2, 1_120, 880, 0]);
    assert_eq!(
        (&sale["cashier"], &sale["customer_id"], &sale["price_differs"]),
        (&json!("Julie"), &json!(7), &json!(false))
    );
    let line = &sale["lines"][0];
    assert_eq!(
        (&line["sku"], &line["name"], cents(&line["list_unit_price"])),
        (&json!("COKE-355"), &json!("Coke"), 299)
    );
    assert_eq!(sale["payments"], json!([{"method": "cash", "amount": money(2_000), "reference": null}]));
    assert_eq!(shop.read(&sale["id"]).await, sale);
    assert_eq!(shop.drawer(session).await, 11_120);
    assert_eq!((shop.stock(1, COKE).await, shop.stock(1, JUICE).await), (238, 239));
    let cached = shop.app.get(path(&sale)).as_role(Role::Pos).header("if-none-match", "\"1\"").send().await;
    assert_eq!(cached.header("cache-control"), "private, no-cache");
    let _ = cached.expect_status(304);
    assert_eq!(shop.sold(session).await["number"], "1-2-000002");
    shop.audited().await;
}

#[tokio::test]
async fn the_same_again_is_the_same_sale_and_something_else_is_refused() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let (id, body) = (shop.id(), two_cokes_and_a_juice(session, &[("card", TOTAL)]));
    let first = shop.put(id, &body).send().await.expect_status(201);
    shop.pass(60);
    // Nobody has to be asked for that.
    shop.client.set_down("products", true);
    let again = shop.put(id, &body).send().await.expect_status(200);
    assert_eq!((first.text(), first.header("etag")), (again.text(), again.header("etag")));
    let mut other = body.clone();
    other["lines"][0]["quantity"] = json!(3);
    shop.put(id, &other).send().await.expect_problem(409, "sale-differs");
    // The members in another order, and what is left out written out, is the same.
    let mut same = body.clone();
    same["discount"] = money(0);
    let _ = shop.put(id, &same).send().await.expect_status(200);
    assert_eq!(shop.listed("").await.len(), 1);
    // Also when the session is closed, and long ago.
    let _ = shop.close(session, 10_000).send().await.expect_status(200);
    shop.pass(40 * 24 * 3_600);
    let _ = shop.put(id, &body).send().await.expect_status(200);
    assert_eq!(shop.stock(1, COKE).await, 238);
}

#[tokio::test]
async fn a_sale_with_a_key_is_recorded_once_and_needs_the_key() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let body = two_cokes_and_a_juice(session, &[("card", TOTAL)]);
    let post = |body: &Value| shop.app.post("/api/v1/sales").as_role(Role::Pos).json(body);
    post(&body).send().await.expect_problem(400, "idempotency-key-required");
    let first = post(&body).idempotency_key("s-1").send().await.expect_status(201);
    shop.client.set_down("products", true);
    let again = post(&body).idempotency_key("s-1").send().await.expect_status(201);
    assert_eq!((first.text(), first.header("location")), (again.text(), again.header("location")));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    let mut other = body.clone();
    other["lines"][0]["quantity"] = json!(3);
    post(&other).idempotency_key("s-1").send().await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(shop.listed("").await.len(), 1);
    // Another till's key of the same name is another key.
    shop.client.set_down("products", false);
    let manager = shop.app.post("/api/v1/sales").as_role(Role::Manager).json(&body).idempotency_key("s-1");
    let _ = manager.send().await.expect_status(201);
    assert_eq!(shop.listed("").await.len(), 2);
    shop.audited().await;
}

#[tokio::test]
async fn a_basket_is_paid_with_several_means() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    for (payments, payable, change) in [
        (vec![("card", TOTAL)], TOTAL, 0),
        (vec![("gift_card", 500), ("card", 618)], TOTAL, 0),
        (vec![("gift_card", 500), ("cash", 620)], 1_120, 0),
        (vec![("card", 118), ("cash", 500), ("cash", 1_000)], TOTAL, 500),
        (vec![("cash", 1_120)], 1_120, 0),
    ] {
        let sale = shop.sell(&two_cokes_and_a_juice(session, &payments)).await;
        assert_eq!((cents(&sale["payable"]), cents(&sale["change"])), (payable, change), "{payments:?}");
    }
    assert_eq!(shop.drawer(session).await, 10_000 + 620 + 1_000 + 1_120);
    shop.audited().await;
}

#[tokio::test]
async fn payments_that_do_not_pay_are_refused() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    for (payments, code) in [
        (vec![], "payment-insufficient"),
        (vec![("card", TOTAL - 1)], "payment-insufficient"),
        (vec![("cash", 1_115)], "payment-insufficient"),
        (vec![("card", TOTAL + 1)], "overpaid"),
        (vec![("gift_card", TOTAL), ("card", 1)], "overpaid"),
    ] {
        let put = shop.put(shop.id(), &two_cokes_and_a_juice(session, &payments));
        let problem = put.send().await.expect_problem(422, "validation-failed");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/payments"), &json!(code))
        );
    }
    assert_eq!(shop.count("select last_sale from registers where id = 12").await, 0);
    shop.audited().await;
}

#[tokio::test]
async fn a_price_that_is_not_the_one_that_was_told_is_a_conflict() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let mut body = two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    body["expected_total"] = money(TOTAL - 1);
    let problem = shop.put(shop.id(), &body).send().await.expect_problem(409, "price-changed");
    assert_eq!(cents(&problem["total"]), TOTAL);
    assert_eq!(shop.listed("").await.len(), 0);
    shop.audited().await;
}

#[tokio::test]
async fn what_a_store_sells_for_less_is_sold_for_less_there() {
    let shop = Shop::open().await;
    let price = json!({"kind": "regular", "amount": money(199), "store_id": 2});
    let price = shop.products.post(format!("/api/v1/products/{COKE}/prices")).as_role(Role::Manager).json(&price);
    let _ = price.send().await.expect_status(201);
    let (one, two) = (shop.session(TILL).await, shop.session(21).await);
    for (session, unit) in [(one, 299), (two, 199)] {
        let sale = shop.sell(&basket(session, &[(COKE, 1)], &[("cash", 1_000)])).await;
        assert_eq!(cents(&sale["lines"][0]["unit_price"]), unit);
    }
    assert_eq!((shop.stock(1, COKE).await, shop.stock(2, COKE).await), (239, 239));
    shop.audited().await;
}

#[tokio::test]
async fn discounts_of_lines_and_of_the_basket_are_taken_off_before_tax() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let mut body = basket(session, &[(COKE, 2), (MILK, 1)], &[("cash", 2_000)]);
    body["lines"][0]["discount"] = money(98);
    body["discount"] = money(100);
    let sale = shop.sell(&body).await;
    assert_eq!(["gross", "discount", "subtotal"].map(|member| cents(&sale[member])), [1_023, 198, 825]);
    assert_eq!((cents(&sale["lines"][0]["net"]), cents(&sale["gst"])), (446, 22));
    shop.audited().await;
}

#[tokio::test]
async fn what_costs_nothing_is_sold_for_nothing() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let mut body = basket(session, &[(MILK, 1)], &[]);
    body["discount"] = money(425);
    let sale = shop.sell(&body).await;
    assert_eq!((cents(&sale["total"]), &sale["payments"]), (0, &json!([])));
    let back = shop.bring_back(&sale, session, &[(1, 1, "resalable")]).send().await.expect_status(201);
    assert_eq!(back.json::<Value>()["refunds"], json!([]));
    shop.audited().await;
}

#[tokio::test]
async fn the_same_product_may_be_rung_up_twice_and_by_its_barcode() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let body = json!({
        "session_id": session, "payments": paid(&[("cash", 2_000)]),
        "lines": [
            {"barcode": "628501000376", "quantity": 1}, {"product_id": JUICE, "quantity": 1},
            {"barcode": "628501000376", "quantity": 1},
        ],
    });
    let sale = shop.sell(&body).await;
    assert_eq!((cents(&sale["total"]), sale["lines"].as_array().unwrap().len()), (TOTAL, 3));
    assert_eq!(shop.client.calls("products"), 2, "each barcode is looked up once");
    assert_eq!(shop.stock(1, COKE).await, 238);
    shop.audited().await;
}

#[tokio::test]
async fn what_is_no_sale_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let good = two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value;
        body
    };
    for (body, pointer, code) in [
        (with("/session_id", json!(shop.id())), "/session_id", "session-not-found"),
        (with("/session_id", Value::Null), "/session_id", "missing-field"),
        (with("/register_id", json!(TILL)), "/register_id", "surplus-field"),
        (with("/lines", json!([])), "/lines", "lines-out-of-range"),
        (with("/customer_id", json!(0)), "/customer_id", "out-of-range"),
        (with("/discount", money(948)), "/discount/amount", "basket-discount-out-of-range"),
        (with("/discount", money(-1)), "/discount/amount", "basket-discount-out-of-range"),
        (with("/payments", paid(&[("cash", 1_119)])), "/payments/0/amount/amount", "no-such-coin"),
        (with("/payments", paid(&[("cash", 0)])), "/payments/0/amount/amount", "amount-out-of-range"),
        (with("/payments", paid(&[("online", 5)])), "/payments/0/method", "invalid-value"),
        (with("/payments", paid(&[("cash", 5); 11])), "/payments", "payments-out-of-range"),
        (with("/tip", money(5)), "/tip", "unknown-field"),
        (with("/expected_total", json!(11.18)), "/expected_total", "invalid-type"),
    ] {
        let problem = shop.put(shop.id(), &body).send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    let _ = shop.put(shop.id(), &good).send().await.expect_status(201);
    shop.audited().await;
}

#[tokio::test]
async fn a_line_that_cannot_be_sold_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let good = two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    for (line, pointer, code) in [
        (json!({"product_id": COKE, "quantity": 0}), "/lines/1/quantity", "quantity-out-of-range"),
        (json!({"product_id": -1, "quantity": 1}), "/lines/1/product_id", "out-of-range"),
        (json!({"quantity": 1}), "/lines/1/product_id", "missing-field"),
        (json!({"product_id": 1, "barcode": "1", "quantity": 1}), "/lines/1/barcode", "surplus-field"),
        (json!({"barcode": "a&b", "quantity": 1}), "/lines/1/barcode", "barcode-invalid"),
        (json!({"product_id": 1, "quantity": 1, "unit_price": money(1)}), "/lines/1/unit_price", "surplus-field"),
        (json!({"product_id": 999_999, "quantity": 1}), "/lines/1/product_id", "product-not-found"),
        (json!({"barcode": "000000000000", "quantity": 1}), "/lines/1/barcode", "product-not-found"),
        (
            json!({"product_id": 1, "quantity": 1, "discount": money(300)}),
            "/lines/1/discount/amount",
            "discount-out-of-range",
        ),
    ] {
        let mut body = good.clone();
        body["lines"][1] = line;
        let problem = shop.put(shop.id(), &body).send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    shop.audited().await;
}

/// Nothing is locked while somebody is asked, and nothing is recorded that nobody has priced.
#[tokio::test]
async fn without_prices_nothing_is_sold_and_afterwards_it_is() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let (id, body) = (shop.id(), two_cokes_and_a_juice(session, &[("cash", 2_000)]));
    for fault in [Fault::Down, Fault::Status(500), Fault::Status(503), Fault::LoseAnswer] {
        shop.client.set_fault("products", Some(fault));
        let response = shop.put(id, &body).send().await;
        response.expect_problem(503, "dependency-unavailable");
        assert_eq!(response.header("retry-after"), "1");
    }
    shop.client.set_fault("products", None);
    assert_eq!(shop.put(id, &body).send().await.expect_status(201).json::<Value>()["number"], "1-2-000001");
    shop.audited().await;
}

/// One to look, one for the session; then begin, lock, number, sale, effect, event, commit; one to tell and one to
/// write that it was told, and one that finds nothing more.
#[tokio::test]
async fn a_sale_asks_its_database_twelve_times() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let before = shop.app.db().round_trips();
    let _ = shop.sold(session).await;
    assert_eq!(shop.app.db().round_trips() - before, 12);
}
