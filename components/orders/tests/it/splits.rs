//! Invariant 17: random baskets that come back in random steps refund exactly what was paid, and their
//! taxes recompute from the lines as they are stored.

use pricing::{Money, TaxRates};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, Shop, cents, int, money};

const CASES: u32 = 48;

/// Price, quantity, deposit, thousandths of it off, rates.
type Bought = (i64, u32, i64, i64, TaxRates);

fn bought() -> impl Strategy<Value = Bought> {
    let price = prop_oneof![0..=5_i64, 0..=2_000_i64, 0..=10_000_000_i64];
    let off = prop_oneof![3 => Just(0_i64), 3 => 0..=1_000_i64, 1 => Just(1_000_i64)];
    let qst_only = TaxRates { gst: TaxRates::ZERO_RATED.gst, ..TaxRates::STANDARD };
    let rates = prop_oneof![
        3 => Just(TaxRates::STANDARD),
        1 => Just(TaxRates::GST_ONLY),
        1 => Just(TaxRates::ZERO_RATED),
        1 => Just(qst_only),
    ];
    (price, 1..=12_u32, prop_oneof![Just(0), Just(10_i64)], off, rates)
}

/// A basket; steps of units that are wanted of each line; and whether the last step cancels the order.
fn cases() -> impl Strategy<Value = (Vec<Bought>, Vec<Vec<u32>>, bool)> {
    (vec(bought(), 1..6), vec(vec(0..=5_u32, 6), 0..5), proptest::bool::ANY)
}

fn body(product: i64, (price, quantity, deposit, off, rates): &Bought) -> (Value, pricing::Line) {
    let discount = price * i64::from(*quantity) * off / 1_000;
    let of = |cents| Money::from_cents(cents).unwrap();
    let line = pricing::Line {
        discount: of(discount),
        unit_deposit: of(*deposit),
        ..pricing::Line::new(of(*price), *quantity, *rates)
    };
    let body = json!({
        "product_id": product, "sku": format!("P-{product}"), "name": format!("Product {product}"),
        "quantity": quantity, "unit_price": money(*price), "discount": money(discount),
        "unit_deposit": money(*deposit), "tax_category": "any", "rates": rates,
    });
    (body, line)
}

async fn check(shop: &Shop, (basket, steps, cancels): (Vec<Bought>, Vec<Vec<u32>>, bool)) -> Result<(), TestCaseError> {
    let (bodies, lines): (Vec<_>, Vec<_>) = (1..).zip(&basket).map(|(product, line)| body(product, line)).unzip();
    let quote = pricing::quote(&lines, Money::ZERO).unwrap();
    let made = shop.confirmed_of(shop.draft(CUSTOMER, &bodies, quote.total.cents())).await;
    let stored = shop.read(&made).await;
    proptest::prop_assert_eq!(&stored["taxes"], &serde_json::to_value(&quote.taxes).unwrap());
    for (amount, member) in [(quote.gst, "gst"), (quote.qst, "qst"), (quote.total, "captured")] {
        proptest::prop_assert_eq!(cents(&stored[member]), amount.cents());
    }

    let mut kept: Vec<u32> = lines.iter().map(|line| line.quantity).collect();
    for step in &steps {
        let wanted = step.iter().zip(&mut kept).zip(1..).filter_map(|((wanted, kept), product)| {
            let units = *wanted.min(&*kept);
            *kept -= units;
            (units > 0).then(|| json!({"product_id": product, "quantity": units}))
        });
        let wanted: Vec<Value> = wanted.collect();
        // All that was paid may be back before all of the units are: those were free.
        let refunded = shop.state(&made).await.1 == "refunded";
        if !wanted.is_empty() && !refunded {
            let _ = shop.refund(&made, &json!({"lines": wanted})).send().await.expect_status(201);
        }
    }
    if shop.state(&made).await.1 != "refunded" {
        match cancels {
            true => drop(shop.cancel(&made).send().await.expect_status(200)),
            false => drop(shop.refund(&made, &json!({})).send().await.expect_status(201)),
        }
    }
    let order = shop.read(&made).await;
    proptest::prop_assert_eq!(cents(&order["refunded"]), quote.total.cents());
    proptest::prop_assert_eq!(shop.peers.payment(&made).refunded(), quote.total.cents());
    let refunds = shop.refunds(&made).await;
    let sum = |member: &str| refunds.iter().map(|refund| cents(&refund[member])).sum::<i64>();
    let parts = [("net", quote.subtotal), ("gst", quote.gst), ("qst", quote.qst), ("deposits", quote.deposits)];
    for (member, paid) in parts {
        proptest::prop_assert_eq!(sum(member), paid.cents(), "{} of {:#?}", member, refunds);
    }
    let returned = order["lines"].as_array().unwrap().iter().map(|line| int(&line["returned"]));
    proptest::prop_assert!(returned.zip(&lines).all(|(returned, line)| returned <= i64::from(line.quantity)));
    Ok(())
}

#[test]
fn a_full_return_refunds_exactly_what_was_paid() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&cases(), |case| runtime.block_on(check(&shop, case)));
    result.unwrap();
    runtime.block_on(shop.audited());
    let _entered = runtime.enter();
    drop(shop);
}
