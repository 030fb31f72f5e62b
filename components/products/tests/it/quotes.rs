//! Quotes: the worked example to the cent, and nothing that disagrees with `pricing`.

use pricing::{MAX_QUANTITY, Money, TaxRates};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::test_runner::TestRunner;
use sdk::testing::{TestApp, TestResponse};
use serde_json::{Value, json};

use crate::support::{cad, etag, manager, priced, shop};

async fn quote(shop: &TestApp, body: &Value) -> TestResponse {
    shop.post("/api/v1/price-quotes").json(body).send().await
}

#[tokio::test]
async fn the_worked_example_is_right_to_the_cent() {
    let shop = shop().await;
    let body = json!({
        "lines": [{ "product_id": 1, "quantity": 2 }, { "product_id": 3, "quantity": 1 }],
        "payment": "cash",
    });
    let answer: Value = quote(&shop, &body).await.expect_status(200).json();
    assert_eq!(
        answer,
        json!({
            "lines": [
                {
                    "product_id": 1, "sku": "COKE-355", "name": "Coke", "quantity": 2,
                    "unit_price": cad(299), "price_kind": "regular", "gross": cad(598),
                    "discount": cad(0), "net": cad(598), "tax_category": "standard",
                    "rates": { "gst": 5_000, "qst": 9_975 }, "unit_deposit": cad(10),
                    "gst": cad(30), "qst": cad(59), "deposit": cad(20), "total": cad(707),
                },
                {
                    "product_id": 3, "sku": "POMME-300", "name": "Apple Juice", "quantity": 1,
                    "unit_price": cad(349), "price_kind": "regular", "gross": cad(349),
                    "discount": cad(0), "net": cad(349), "tax_category": "standard",
                    "rates": { "gst": 5_000, "qst": 9_975 }, "unit_deposit": cad(10),
                    "gst": cad(17), "qst": cad(35), "deposit": cad(10), "total": cad(411),
                },
            ],
            "gross": cad(947),
            "discount": cad(0),
            "subtotal": cad(947),
            "taxes": [
                { "code": "GST", "rate": "5.000", "taxable": cad(947), "amount": cad(47) },
                { "code": "QST", "rate": "9.975", "taxable": cad(947), "amount": cad(94) },
            ],
            "deposits": cad(30),
            "total": cad(1_118),
            "cash_total": cad(1_120),
            "cash_rounding": cad(2),
            "payable": cad(1_120),
            "quoted_at": "2026-11-22T17:00:00Z",
        })
    );
    let mut by_card = body.clone();
    by_card["payment"] = json!("card");
    assert_eq!(quote(&shop, &by_card).await.json::<Value>()["payable"], cad(1_118));
}

#[tokio::test]
async fn categories_are_taxed_each_in_its_way() {
    let shop = shop().await;
    let taxes = async |product: i64| {
        let body = json!({ "lines": [{ "product_id": product, "quantity": 1 }] });
        let answer: Value = quote(&shop, &body).await.expect_status(200).json();
        let codes: Vec<String> =
            answer["taxes"].as_array().unwrap().iter().map(|tax| tax["code"].as_str().unwrap().to_owned()).collect();
        codes.join(" ")
    };
    assert_eq!(taxes(1).await, "GST QST");
    assert_eq!(taxes(4).await, "", "basic groceries are zero-rated");
    let platter: Value = shop.get("/api/v1/products?q=crudites").send().await.json();
    assert_eq!(platter["data"][0]["tax_category"], "food-gst-only");
    assert_eq!(taxes(platter["data"][0]["id"].as_i64().unwrap()).await, "GST");
}

#[tokio::test]
async fn an_empty_basket_costs_nothing() {
    let shop = shop().await;
    let answer: Value = quote(&shop, &json!({ "lines": [] })).await.expect_status(200).json();
    assert_eq!((&answer["total"], &answer["taxes"]), (&cad(0), &json!([])));
}

#[tokio::test]
async fn a_quote_is_for_a_store_and_an_instant() {
    let shop = shop().await;
    let promo = json!({
        "kind": "promo", "store_id": 2, "amount": cad(199),
        "starts_at": "2026-12-01T05:00:00Z", "ends_at": "2026-12-08T05:00:00Z",
    });
    priced(&shop, 1, promo).await;
    let unit = async |store: Value, at: &str| {
        let body = json!({ "store_id": store, "at": at, "lines": [{ "product_id": 1, "quantity": 1 }] });
        let answer: Value = quote(&shop, &body).await.expect_status(200).json();
        answer["lines"][0]["unit_price"]["amount"].as_i64().unwrap()
    };
    assert_eq!(unit(json!(2), "2026-12-01T04:59:59Z").await, 299);
    assert_eq!(unit(json!(2), "2026-12-01T00:00:00-05:00").await, 199);
    assert_eq!(unit(json!(1), "2026-12-01T05:00:00Z").await, 299);
    assert_eq!(unit(json!(null), "2026-12-01T05:00:00Z").await, 299);
    assert_eq!(unit(json!(2), "2026-12-08T05:00:00Z").await, 299);
}

#[tokio::test]
async fn discounts_come_before_taxes() {
    let shop = shop().await;
    let body = json!({
        "lines": [
            { "product_id": 1, "quantity": 2, "discount": cad(98) },
            { "product_id": 4, "quantity": 1 },
        ],
        "discount": cad(100),
    });
    let answer: Value = quote(&shop, &body).await.expect_status(200).json();
    assert_eq!((&answer["gross"], &answer["discount"]), (&cad(1_023), &cad(198)));
    assert_eq!(answer["subtotal"], cad(825));
    // 5.00 and 4.25 share 1.00 as 0.54 and 0.46; only the 4.46 of Coke are taxed.
    assert_eq!(answer["lines"][0]["net"], cad(446));
    assert_eq!(answer["taxes"][0]["taxable"], cad(446));
}

/// For a till that sold it while it was for sale.
#[tokio::test]
async fn what_is_archived_is_quoted_for_who_asks_for_it() {
    let shop = shop().await;
    let tag = etag(&shop, 2).await;
    let archived = manager(shop.delete("/api/v1/products/2")).header("if-match", tag).send().await;
    assert_eq!(archived.status, 204);
    let lines = json!([{ "product_id": 2, "quantity": 1 }]);
    for refused in [json!({ "lines": lines }), json!({ "lines": lines, "archived": "refuse" })] {
        let problem = quote(&shop, &refused).await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["code"], "product-archived");
    }
    let answer: Value = quote(&shop, &json!({ "lines": lines, "archived": "quote" })).await.expect_status(200).json();
    assert_eq!(answer["lines"][0]["unit_price"], cad(279));
    // What never was cannot be quoted, and a quantity is one all the same.
    let lines = json!([{ "product_id": 999_999, "quantity": 1 }, { "product_id": 2, "quantity": 0 }]);
    let problem =
        quote(&shop, &json!({ "lines": lines, "archived": "quote" })).await.expect_problem(422, "validation-failed");
    let codes: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, ["product-not-found", "quantity-out-of-range"]);
}

#[tokio::test]
async fn errors_point_at_their_lines() {
    let shop = shop().await;
    let tag = etag(&shop, 2).await;
    let archived = manager(shop.delete("/api/v1/products/2")).header("if-match", tag).send().await;
    assert_eq!(archived.status, 204);
    let body = json!({
        "lines": [
            { "product_id": 1, "quantity": 1 },
            { "product_id": 999_999, "quantity": 1 },
            { "product_id": 2, "quantity": 0 },
            { "product_id": 3, "quantity": MAX_QUANTITY + 1 },
        ],
    });
    let problem = quote(&shop, &body).await.expect_problem(422, "validation-failed");
    let errors: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            ("/lines/1/product_id", "product-not-found"),
            ("/lines/2/product_id", "product-archived"),
            ("/lines/2/quantity", "quantity-out-of-range"),
            ("/lines/3/quantity", "quantity-out-of-range"),
        ]
    );
    let line = |quantity: Value| json!({ "product_id": 1, "quantity": quantity });
    for (body, pointer, code) in [
        (json!({ "lines": [line(json!(0))] }), "/lines/0/quantity", "quantity-out-of-range"),
        (json!({ "lines": [line(json!(-1))] }), "/lines/0/quantity", "invalid-value"),
        (json!({ "lines": [line(json!(1.5))] }), "/lines/0/quantity", "invalid-type"),
        (json!({ "lines": [{ "product_id": 1 }] }), "/lines/0/quantity", "missing-field"),
        (
            json!({ "lines": [line(json!(1))], "discount": cad(300) }),
            "/discount/amount",
            "basket-discount-out-of-range",
        ),
        (json!({ "lines": [line(json!(1))], "discount": cad(-1) }), "/discount/amount", "basket-discount-out-of-range"),
        (
            json!({ "lines": [{ "product_id": 1, "quantity": 1, "discount": cad(300) }] }),
            "/lines/0/discount/amount",
            "discount-out-of-range",
        ),
        (json!({ "lines": vec![line(json!(1)); 501] }), "/lines", "too-many-lines"),
        (json!({ "lines": [], "payment": "barter" }), "/payment", "invalid-value"),
        (json!({ "lines": [], "at": "-000001-01-01T00:00:00Z" }), "/at", "instant-invalid"),
        (
            json!({ "lines": [line(json!(1))], "at": "2001-01-01T00:00:00Z" }),
            "/lines/0/product_id",
            "product-not-found",
        ),
        (json!({}), "/lines", "missing-field"),
    ] {
        let problem = quote(&shop, &body).await.expect_problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{problem}");
    }
}

#[tokio::test]
async fn the_largest_basket_is_quoted() {
    let shop = shop().await;
    let lines: Vec<Value> = (0..500).map(|n| json!({ "product_id": 1 + n % 200, "quantity": MAX_QUANTITY })).collect();
    assert_eq!(quote(&shop, &json!({ "lines": lines })).await.status, 200);
}

/// A basket: product, quantity, tenths of the line that are taken off, and tenths of the whole.
fn baskets() -> impl Strategy<Value = (Vec<(i64, u32, i64)>, i64)> {
    (vec((1_i64..=228, 1_u32..=40, 0_i64..=10), 0..25), 0_i64..=10)
}

#[test]
fn every_quote_is_what_pricing_says_and_its_lines_sum_to_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(shop());
    let products = runtime.block_on(crate::support::listed(&shop, "?sort=id"));
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&baskets(), |(basket, tenths)| {
            let lines: Vec<pricing::Line> = basket
                .iter()
                .map(|(id, quantity, tenths)| {
                    let product = &products[usize::try_from(id - 1).unwrap()];
                    let mut line = pricing::Line::new(money(&product["price"]), *quantity, rates(product));
                    line.unit_deposit = money(&product["deposit"]);
                    line.discount = part(line.unit_price.try_mul(*quantity).unwrap(), *tenths);
                    line
                })
                .collect();
            let nets = lines
                .iter()
                .map(|line| line.unit_price.try_mul(line.quantity).unwrap().try_sub(line.discount).unwrap());
            let discount = part(Money::try_sum(nets).unwrap(), tenths);
            let expected = pricing::quote(&lines, discount).unwrap();
            let body = json!({
                "discount": discount,
                "lines": basket.iter().zip(&lines).map(|((id, quantity, _), line)| {
                    json!({ "product_id": id, "quantity": quantity, "discount": line.discount })
                }).collect::<Vec<_>>(),
            });
            let answer: Value = runtime.block_on(quote(&shop, &body)).expect_status(200).json();
            check(&answer, &expected);
            Ok(())
        })
        .unwrap();
}

fn check(answer: &Value, expected: &pricing::Quote) {
    for (member, amount) in [
        ("gross", expected.gross),
        ("discount", expected.discount),
        ("subtotal", expected.subtotal),
        ("deposits", expected.deposits),
        ("total", expected.total),
        ("payable", expected.total),
        ("cash_total", expected.cash_total),
        ("cash_rounding", expected.cash_rounding),
    ] {
        assert_eq!(money(&answer[member]), amount, "{member}");
    }
    let lines = answer["lines"].as_array().unwrap();
    let sum = |member: &str| Money::try_sum(lines.iter().map(|line| money(&line[member]))).unwrap();
    assert_eq!(sum("gross"), expected.gross);
    assert_eq!(sum("discount"), expected.discount);
    assert_eq!(sum("net"), expected.subtotal);
    assert_eq!(sum("gst"), expected.gst);
    assert_eq!(sum("qst"), expected.qst);
    assert_eq!(sum("deposit"), expected.deposits);
    assert_eq!(sum("total"), expected.total);
    let taxes = answer["taxes"].as_array().unwrap();
    let taxed = Money::try_sum(taxes.iter().map(|tax| money(&tax["amount"]))).unwrap();
    assert_eq!(taxed, expected.gst.try_add(expected.qst).unwrap());
}

fn money(value: &Value) -> Money {
    serde_json::from_value(value.clone()).unwrap()
}

fn part(of: Money, tenths: i64) -> Money {
    Money::from_cents(of.cents() * tenths / 10).unwrap()
}

fn rates(product: &Value) -> TaxRates {
    match product["tax_category"].as_str().unwrap() {
        "standard" => TaxRates::STANDARD,
        "zero-rated" => TaxRates::ZERO_RATED,
        _ => TaxRates::GST_ONLY,
    }
}
