//! Invariants 16, 17 and 18, through the service: random baskets that are paid in random ways come back in random
//! steps, at two tills, and the drawers and the shelves add up.

use pricing::Money;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Shop, TILL, cents, int, money, path};

const CASES: u32 = 40;

/// Product, quantity, thousandths off the line.
type Bought = (i64, i64, i64);

/// What is bought, the parts by card and by gift card in thousandths, whether it is called off; units of each line
/// that come back, whether they are damaged, and whether at the other till.
type Story = (Vec<Bought>, (i64, i64), bool, Vec<(Vec<i64>, bool, bool)>);

fn stories() -> impl Strategy<Value = Story> {
    let off = prop_oneof![3 => Just(0_i64), 1 => 0..=1_000_i64];
    let part = || prop_oneof![2 => Just(0_i64), 2 => 0..=1_000_i64, 1 => Just(1_000_i64)];
    let step = (vec(0..4_i64, 5), any::<bool>(), any::<bool>());
    (vec((1..40_i64, 1..6_i64, off), 1..5), (part(), part()), any::<bool>(), vec(step, 0..4))
}

/// Paid so that nothing is missing; a note more than needed of cash.
async fn sold(shop: &Shop, session: Uuid, basket: &[Bought], (card, gift): (i64, i64)) -> Value {
    let quote = |lines: &Value| shop.products.post("/api/v1/price-quotes").json(&json!({"lines": lines})).send();
    let line = |(product, quantity, _): &Bought| json!({"product_id": product, "quantity": quantity});
    let plain: Value = basket.iter().map(line).collect();
    let prices: Value = quote(&plain).await.expect_status(200).json();
    let mut lines = plain;
    for (index, (.., off)) in basket.iter().enumerate() {
        lines[index]["discount"] = money(cents(&prices["lines"][index]["gross"]) * off / 1_000);
    }
    let total = cents(&quote(&lines).await.expect_status(200).json::<Value>()["total"]);
    let card = total * card / 1_000;
    let gift = (total * gift / 1_000).min(total - card);
    let rest = pricing::round_cash(Money::from_cents(total - card - gift).unwrap()).payable.cents();
    let mut payments = Vec::new();
    for (method, amount) in [("card", card), ("gift_card", gift)] {
        if amount > 0 {
            payments.push(json!({"method": method, "amount": money(amount)}));
        }
    }
    if total > card + gift {
        payments.push(json!({"method": "cash", "amount": money(rest + 500)}));
    }
    shop.sell(&json!({"session_id": session, "lines": lines, "payments": payments, "expected_total": money(total)}))
        .await
}

async fn check(shop: &Shop, tills: [Uuid; 2], (basket, parts, called_off, steps): Story) -> Result<(), TestCaseError> {
    let before = (shop.drawer(tills[0]).await, shop.drawer(tills[1]).await);
    let sale = sold(shop, tills[0], &basket, parts).await;
    let paid: i64 = sale["payments"].as_array().unwrap().iter().map(|payment| cents(&payment["amount"])).sum();
    proptest::prop_assert_eq!(paid - cents(&sale["change"]), cents(&sale["payable"]));
    if called_off && steps.is_empty() {
        let _ = shop.void(&sale).send().await.expect_status(200);
    } else {
        let mut kept: Vec<i64> = sale["lines"].as_array().unwrap().iter().map(|line| int(&line["quantity"])).collect();
        let rest = (vec![i64::MAX; 5], false, false);
        for (units, damaged, there) in steps.iter().chain([&rest]) {
            let disposition = if *damaged { "damaged" } else { "resalable" };
            let wanted = units.iter().zip(&mut kept).zip(1..).filter_map(|((units, kept), line)| {
                let units = *units.min(&*kept);
                *kept -= units;
                (units > 0).then_some((line, units, disposition))
            });
            let wanted: Vec<_> = wanted.collect();
            if !wanted.is_empty() {
                let back = shop.bring_back(&sale, tills[usize::from(*there)], &wanted).send().await;
                let _ = back.expect_status(201);
            }
        }
        let returns = shop.returns(&sale).await;
        let sum = |member: &str| returns.iter().map(|back| cents(&back[member])).sum::<i64>();
        for (member, of_sale) in
            [("net", "subtotal"), ("gst", "gst"), ("qst", "qst"), ("deposits", "deposits"), ("total", "total")]
        {
            proptest::prop_assert_eq!(sum(member), cents(&sale[of_sale]), "{} of {:#?}", member, returns);
        }
        let paid_back = returns.iter().flat_map(|back| back["refunds"].as_array().unwrap());
        let paid_back: i64 = paid_back.map(|refund| cents(&refund["amount"])).sum();
        proptest::prop_assert_eq!(paid_back, cents(&sale["payable"]));
        proptest::prop_assert_eq!(sum("cash_rounding"), cents(&sale["cash_rounding"]));
    }
    let after = (shop.drawer(tills[0]).await, shop.drawer(tills[1]).await);
    proptest::prop_assert_eq!(after.0 + after.1, before.0 + before.1, "{}", path(&sale));
    Ok(())
}

#[test]
fn what_is_paid_comes_back_to_the_cent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let tills = runtime.block_on(async {
        let tills = [shop.session(TILL).await, shop.session(21).await];
        // Enough for whatever comes back.
        for till in tills {
            let _ = shop.move_cash(till, "in", 1_000_000).send().await.expect_status(201);
        }
        tills
    });
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&stories(), |story| runtime.block_on(check(&shop, tills, story)));
    result.unwrap();
    runtime.block_on(shop.audited());
    let _entered = runtime.enter();
    drop(shop);
}
