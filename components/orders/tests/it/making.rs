//! Orders are made by checkouts: once, and only what adds up.

use sdk::{Role, new_uuid_v7};
use serde_json::{Value, json};

use crate::support::{COKE, CUSTOMER, JUICE, Shop, TOTAL, cents, delivery, line, money};

const AT_ONCE: usize = 20;

#[tokio::test]
async fn an_order_is_made_with_the_amounts_that_its_lines_come_to() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    let response = shop.make(&made).send().await.expect_status(201);
    assert_eq!(response.header("location"), made.path());
    assert_eq!(response.header("etag"), "\"1\"");
    let order: Value = response.json();
    assert_eq!((&order["number"], &order["version"]), (&json!("O-100001"), &json!(1)));
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("pending"), &json!("unpaid")));
    let amounts = ["gross", "discount", "subtotal", "gst", "qst", "deposits", "total", "captured", "refunded"];
    let amounts = amounts.map(|member| cents(&order[member]));
    assert_eq!(amounts, [947, 0, 947, 47, 94, 30, TOTAL, 0, 0]);
    assert_eq!(
        order["taxes"],
        json!([
            {"tax": "gst", "rate": 5_000, "base": money(947), "amount": money(47)},
            {"tax": "qst", "rate": 9_975, "base": money(947), "amount": money(94)},
        ])
    );
    assert_eq!(order["fulfilment"], delivery());
    assert_eq!((&order["store_id"], &order["location_id"]), (&json!(1), &json!(100)));
    assert_eq!(order["lines"][0]["tax_category"], "standard");
    assert_eq!(cents(&order["lines"][0]["total"]) + cents(&order["lines"][1]["total"]), TOTAL);
    assert_eq!(shop.timeline(&made).await, ["status - pending service:test"]);
    shop.audited().await;
}

#[tokio::test]
async fn the_stock_is_the_stores_if_nothing_else_is_said() {
    let shop = Shop::open().await;
    let mut made = shop.two_cokes_and_a_juice(CUSTOMER);
    made.draft.as_object_mut().unwrap().remove("location_id");
    let order: Value = shop.make(&made).send().await.expect_status(201).json();
    assert_eq!(order["location_id"], 1);
    let _ = shop.make(&made).send().await.expect_status(200);
}

#[tokio::test]
async fn the_same_again_is_the_same_answer_and_anything_else_is_refused() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    let first = shop.make(&made).send().await.expect_status(201);
    let again = shop.make(&made).send().await.expect_status(200);
    assert_eq!((first.header("etag"), first.text()), (again.header("etag"), again.text()));
    let mut other = made.clone();
    for (pointer, value) in [
        ("/customer_id", json!(8)),
        ("/store_id", json!(2)),
        ("/location_id", json!(1)),
        ("/reservation_id", json!(new_uuid_v7(&shop.clock))),
        ("/fulfilment/address/line1", json!("elsewhere")),
        ("/lines/0/name", json!("Pepsi")),
        ("/lines/0/tax_category", json!("other")),
    ] {
        other.draft.clone_from(&made.draft);
        *other.draft.pointer_mut(pointer).unwrap() = value;
        shop.make(&other).send().await.expect_problem(422, "order-differs");
    }
    // Also in another order of lines: a line has a number.
    other.draft.clone_from(&made.draft);
    other.draft["lines"].as_array_mut().unwrap().reverse();
    shop.make(&other).send().await.expect_problem(422, "order-differs");

    shop.peers.set(&made, "committed", "captured");
    let _ = shop.confirm(&made).send().await.expect_status(200);
    let later: Value = shop.make(&made).send().await.expect_status(200).json();
    assert_eq!(later["status"], "confirmed", "as it is by now");
    shop.audited().await;
}

/// Invariant 11: however many clicks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_repetitions_at_once_one_makes_it() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    let answers = shop.at_once((0..AT_ONCE).map(|_| shop.make(&made))).await;
    let mut bodies: Vec<String> = answers.iter().map(sdk::testing::TestResponse::text).collect();
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), AT_ONCE - 1);
    shop.audited().await;
}

#[tokio::test]
async fn a_checkout_a_reservation_and_a_payment_have_one_order() {
    let shop = Shop::open().await;
    let made = shop.pending().await;
    for member in ["checkout_id", "reservation_id", "payment_id"] {
        let mut other = shop.two_cokes_and_a_juice(CUSTOMER);
        other.draft[member] = made.draft[member].clone();
        shop.make(&other).send().await.expect_problem(409, "order-exists");
        shop.app.get(other.path()).as_role(Role::Hq).send().await.expect_problem(404, "order-not-found");
    }
}

#[tokio::test]
async fn what_does_not_add_up_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let made = shop.two_cokes_and_a_juice(CUSTOMER);
    for (pointer, value, at, code) in [
        ("/total", money(TOTAL + 1), "/total", "total-differs"),
        ("/customer_id", json!(0), "/customer_id", "out-of-range"),
        ("/store_id", json!(-1), "/store_id", "out-of-range"),
        ("/lines", json!([]), "/lines", "lines-out-of-range"),
        ("/lines/1/product_id", json!(COKE), "/lines/1/product_id", "product-repeated"),
        ("/lines/1/product_id", json!(0), "/lines/1/product_id", "out-of-range"),
        ("/lines/0/name", json!(" "), "/lines/0/name", "length-out-of-range"),
        ("/lines/0/quantity", json!(0), "/lines/0/quantity", "quantity-out-of-range"),
        ("/lines/0/quantity", json!(1.5), "/lines/0/quantity", "invalid-type"),
        ("/lines/0/unit_price", money(-1), "/lines/0/unit_price/amount", "unit-price-out-of-range"),
        ("/lines/0/discount", money(599), "/lines/0/discount/amount", "discount-out-of-range"),
        ("/lines/0/unit_deposit", money(-1), "/lines/0/unit_deposit/amount", "unit-deposit-out-of-range"),
        ("/lines/0/rates/gst", json!(100_001), "/lines/0/rates/gst", "invalid-value"),
        ("/fulfilment", json!({"method": "delivery"}), "/fulfilment/address", "missing-field"),
        ("/fulfilment", json!({"method": "pickup"}), "/fulfilment/store_id", "missing-field"),
        ("/fulfilment/store_id", json!(1), "/fulfilment/store_id", "surplus-field"),
        ("/fulfilment/method", json!("pickup"), "/fulfilment/store_id", "missing-field"),
        ("/fulfilment/address/city", json!(""), "/fulfilment/address/city", "length-out-of-range"),
        ("/fulfilment/address/province", json!("Québec"), "/fulfilment/address/province", "province-invalid"),
        ("/fulfilment/address/postal_code", json!("12345"), "/fulfilment/address/postal_code", "postal-code-invalid"),
        ("/color", json!("red"), "/color", "unknown-field"),
    ] {
        let mut wrong = made.clone();
        match wrong.draft.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => {
                let (parent, member) = pointer.rsplit_once('/').unwrap();
                wrong.draft.pointer_mut(parent).unwrap()[member] = value.clone();
            }
        }
        let problem = shop.make(&wrong).send().await.expect_problem(422, "validation-failed");
        let errors = problem["errors"].as_array().unwrap();
        let found: Vec<_> = errors.iter().map(|error| (error["pointer"].as_str(), error["code"].as_str())).collect();
        assert!(found.contains(&(Some(at), Some(code))), "{pointer} {value}: {problem:#}");
    }
    shop.app.get(made.path()).as_role(Role::Hq).send().await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn more_lines_than_a_cart_has_are_refused() {
    let shop = Shop::open().await;
    let lines: Vec<Value> = (1..=201).map(|product| line(product, 1, 0)).collect();
    let made = shop.draft(CUSTOMER, &lines, 2_010);
    let problem = shop.make(&made).send().await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "lines-out-of-range");
    let made = shop.draft(CUSTOMER, &lines[..200], 2_000);
    let _ = shop.make(&made).send().await.expect_status(201);
    shop.audited().await;
}

/// A discount of the basket comes spread over its lines, and the taxes are on what it leaves.
#[tokio::test]
async fn discounts_and_categories_are_kept_as_they_were_quoted() {
    let shop = Shop::open().await;
    let (mut coke, mut juice) = (line(COKE, 2, 299), line(JUICE, 1, 349));
    coke["discount"] = money(63);
    juice["discount"] = money(37);
    (juice["tax_category"], juice["rates"]) = (json!("groceries"), json!({"gst": 0, "qst": 0}));
    // 5.35 at 5 % and 9.975 %: 0.27 and 0.53; 3.12 untaxed; 0.30 of deposits.
    let made = shop.draft(CUSTOMER, &[coke, juice], 535 + 27 + 53 + 312 + 30);
    let order: Value = shop.make(&made).send().await.expect_status(201).json();
    assert_eq!((cents(&order["discount"]), cents(&order["gst"]), cents(&order["qst"])), (100, 27, 53));
    assert_eq!(order["lines"][1]["rates"], json!({"gst": 0, "qst": 0}));
    shop.audited().await;
}
