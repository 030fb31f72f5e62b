//! The rules, one at a time, and then random baskets that are paid and come back in random ways.

use jiff::{SignedDuration, Timestamp};
use pricing::{Line as Priced, Money, TaxRates, quote};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::draft::{NewLine, NewPayment, NewSale, Offline};
use super::effect::{Effect, Units, lease_until, next_attempt};
use super::report::Drawer;
use super::returning::{RefundTo, Refunded, Refusal, Wanted, take_back};
use super::sale::{Dossier, Item, Line, Payment, Sale, Totals};
use super::session::{Count, Denomination};
use super::tender::{Settled, Unsettled, settle};
use super::{
    Channel, Disposition, LocationId, Number, Paper, ProductId, RegisterId, ReturnId, SaleId, SessionId, Status, Tender,
};

const NOW: Timestamp = Timestamp::constant(1_794_000_000, 0);

fn cad(cents: i32) -> Money {
    Money::new(cents)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[test]
fn a_number_is_of_a_store_a_register_and_a_paper() {
    let number = |paper, seq| Number { store: LocationId(1), code: "2", paper, seq }.to_string();
    assert_eq!(number(Paper::Sale, 42), "1-2-000042");
    assert_eq!(number(Paper::Return, 7), "1-2-R000007");
    assert_eq!(number(Paper::Z, 1_234_567), "1-2-Z1234567");
}

fn settled(total: i32, payments: &[(Tender, i32)]) -> Result<(i64, i64, i64), Unsettled> {
    let payments: Vec<_> = payments.iter().map(|(tender, amount)| (*tender, cad(*amount))).collect();
    let Settled { payable, rounding, change } = settle(cad(total), &payments)?;
    Ok((payable.cents(), rounding.cents(), change.cents()))
}

#[test]
fn cash_is_rounded_on_what_other_means_leave_and_change_is_cash() {
    use Tender::{Card, Cash, GiftCard};
    for (total, payments, expected) in [
        (1_118, vec![(Cash, 2_000)], (1_120, 2, 880)),
        (1_118, vec![(Card, 1_118)], (1_118, 0, 0)),
        (1_117, vec![(Cash, 1_115)], (1_115, -2, 0)),
        (1_118, vec![(GiftCard, 500), (Card, 118), (Cash, 500)], (1_118, 0, 0)),
        (1_118, vec![(Card, 600), (Cash, 600)], (1_120, 2, 80)),
        (1_118, vec![(Cash, 300), (Cash, 300), (Card, 600)], (1_120, 2, 80)),
        // Less than a coin is left: it is rounded away, and all of the cash comes back.
        (1_118, vec![(Card, 1_116), (Cash, 500)], (1_116, -2, 500)),
        (1_118, vec![(Card, 1_118), (Cash, 500)], (1_118, 0, 500)),
        (0, vec![], (0, 0, 0)),
        (2, vec![(Cash, 5)], (0, -2, 5)),
    ] {
        assert_eq!(settled(total, &payments), Ok(expected), "{total} {payments:?}");
    }
}

#[test]
fn too_little_is_refused_and_too_much_of_what_has_no_change() {
    use Tender::{Card, Cash};
    let missing = |payable, missing| Unsettled::Insufficient { payable: cad(payable), missing: cad(missing) };
    for (total, payments, refusal) in [
        (1_118, vec![], missing(1_118, 1_118)),
        (1_118, vec![(Card, 1_117)], missing(1_118, 1)),
        (1_118, vec![(Cash, 1_115)], missing(1_120, 5)),
        (1_118, vec![(Card, 1_000), (Cash, 115)], missing(1_120, 5)),
        (1_118, vec![(Card, 1_119)], Unsettled::Overpaid { surplus: cad(1) }),
        (1_118, vec![(Card, 1_119), (Cash, 500)], Unsettled::Overpaid { surplus: cad(1) }),
    ] {
        assert_eq!(settled(total, &payments), Err(refusal), "{total} {payments:?}");
    }
    let much = [(Card, Money::MAX), (Card, Money::MAX)];
    assert_eq!(settle(cad(1), &much), Err(Unsettled::OutOfRange));
}

#[test]
fn a_drawer_holds_what_came_less_what_went() {
    let drawer = Drawer {
        opening_float: cad(10_000),
        cash_payments: cad(2_000),
        change: cad(880),
        cash_in: cad(500),
        cash_out: cad(3_000),
        cash_refunds: cad(355),
    };
    assert_eq!(drawer.expected(), Ok(cad(8_265)));
}

#[test]
fn a_count_is_an_amount_or_coins_and_notes() {
    let of = |denominations: &[(i32, u32)]| {
        let denominations =
            denominations.iter().map(|(value, count)| Denomination { value: cad(*value), count: *count });
        Count { counted_cash: None, denominations: Some(denominations.collect()) }
    };
    let code = |count: Count| count.total().unwrap_err().remove(0).code.into_owned();
    assert_eq!(of(&[(5, 3), (2_000, 4), (100, 0)]).total(), Ok(cad(8_015)));
    assert_eq!(of(&[]).total(), Ok(Money::ZERO));
    assert_eq!(Count { counted_cash: Some(cad(8_016)), denominations: None }.total(), Ok(cad(8_016)));
    assert_eq!(code(Count { counted_cash: None, denominations: None }), "missing-field");
    assert_eq!(code(Count { counted_cash: Some(cad(1)), ..of(&[]) }), "surplus-field");
    assert_eq!(code(Count { counted_cash: Some(cad(-1)), denominations: None }), "amount-out-of-range");
    assert_eq!(code(of(&[(1, 3)])), "denomination-unknown");
    assert_eq!(code(of(&[(5, 3), (5, 1)])), "denomination-repeated");
    assert_eq!(code(of(&[(10_000, u32::MAX)])), "amount-out-of-range");
}

#[test]
fn units_of_a_product_are_told_once() {
    let units = Units::of([(ProductId(3), 1), (ProductId(1), 2), (ProductId(3), 4)]);
    let told: Vec<_> = units.iter().map(|units| (units.product_id.0, units.quantity)).collect();
    assert_eq!(told, [(1, 2), (3, 5)]);
}

#[test]
fn effects_keep_their_form_in_the_database_and_have_a_key_each() {
    let units = vec![Units { product_id: ProductId(1), quantity: 2 }];
    let effect = Effect::returned(ReturnId(id(7)), LocationId(1), Disposition::Damaged, units.clone());
    let json = serde_json::to_value(&effect).unwrap();
    assert_eq!(
        json,
        json!({
            "kind": "receipt", "reference": format!("{}-damaged", id(7)), "location": 1, "condition": "damaged",
            "lines": [{"product_id": 1, "quantity": 2}],
        })
    );
    assert_eq!(serde_json::from_value::<Effect>(json).unwrap(), effect);
    let others = [
        Effect::sold(SaleId(id(7)), LocationId(1), units.clone()),
        Effect::voided(SaleId(id(7)), LocationId(1), units.clone()),
        Effect::returned(ReturnId(id(7)), LocationId(1), Disposition::Resalable, units),
    ];
    let mut keys: Vec<_> = others.iter().chain([&effect]).map(|effect| (effect.kind(), effect.reference())).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn pauses_double_up_to_five_minutes_and_a_lease_outlasts_a_call() {
    let pause = |attempts| next_attempt(NOW, attempts).as_second() - NOW.as_second();
    assert_eq!([1, 2, 3, 9, 10, 100, i32::MAX].map(pause), [1, 2, 4, 256, 300, 300, 300]);
    let lease_s = lease_until(NOW).as_second() - NOW.as_second();
    assert!(lease_s > 2 * i64::try_from(sdk::client::DEADLINE_DEFAULT.as_secs()).unwrap());
}

fn new_sale(offline: Option<Offline>) -> NewSale {
    NewSale {
        session_id: Some(SessionId(id(1))),
        register_id: None,
        lines: vec![NewLine {
            product_id: Some(ProductId(1)),
            barcode: None,
            quantity: 1,
            discount: Money::ZERO,
            unit_price: offline.as_ref().map(|_| cad(299)),
        }],
        discount: Money::ZERO,
        payments: vec![NewPayment { method: Tender::Cash, amount: cad(500), reference: None }],
        expected_total: None,
        customer_id: None,
        offline,
    }
}

#[test]
fn a_sale_is_uploaded_within_thirty_days_and_not_from_the_future() {
    let mistakes = |seconds: i64| {
        let sold_at = NOW.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        let found = new_sale(Some(Offline { sold_at, cashier: None })).mistakes(NOW);
        found.first().map(|mistake| mistake.code.clone().into_owned()).unwrap_or_default()
    };
    let days = 30 * 24 * 3_600;
    for fine in [0, -1, 300, -days] {
        assert_eq!(mistakes(fine), "", "{fine}");
    }
    assert_eq!(mistakes(301), "sold-in-the-future");
    assert_eq!(mistakes(-days - 1), "sold-too-long-ago");
}

/// A sale of these lines that is paid like that; none when it cannot be.
fn sold(lines: &[Priced], discount: Money, payments: &[(Tender, Money)]) -> Option<Dossier> {
    let quote = quote(lines, discount).ok()?;
    let settled = settle(quote.total, payments).ok()?;
    let item = |number: i32| Item {
        product_id: ProductId(i64::from(number)),
        sku: format!("P-{number}"),
        name: format!("Product {number}"),
        list_unit_price: Money::ZERO,
        unit_deposit: Money::ZERO,
        tax_category: "standard".to_owned(),
    };
    let sale = Sale {
        id: SaleId(id(9)),
        register_id: RegisterId(12),
        store_id: LocationId(1),
        session_id: Some(SessionId(id(1))),
        seq: 1,
        number: "1-2-000001".to_owned(),
        channel: Channel::Store,
        status: Status::Completed,
        cashier: Some("Julie".to_owned()),
        customer_id: None,
        order_id: None,
        checkout_id: None,
        payment_id: None,
        offline: false,
        price_differs: false,
        totals: Totals::from(&quote),
        cash_rounding: settled.rounding,
        payable: settled.payable,
        change: settled.change,
        refunded: Money::ZERO,
        version: 1,
        sold_at: NOW,
        recorded_at: NOW,
        recorded_by: "test".to_owned(),
        voided_at: None,
        voided_by: None,
        void_reason: None,
    };
    let payments =
        payments.iter().map(|(tender, amount)| Payment { method: (*tender).into(), amount: *amount, reference: None });
    let lines = (1..).zip(&quote.lines).map(|(number, quoted)| Line::of(number, item(number), quoted));
    Some(Dossier { sale, lines: lines.collect(), payments: payments.collect() })
}

fn one(line: i32, quantity: u32) -> [Wanted; 1] {
    [Wanted { line, quantity, disposition: Disposition::Resalable }]
}

#[test]
fn what_may_not_come_back_changes_nothing() {
    let lines = [Priced::new(cad(333), 3, TaxRates::STANDARD)];
    let mut dossier = sold(&lines, Money::ZERO, &[(Tender::Cash, cad(2_000))]).unwrap();
    let before = dossier.clone();
    let refused = take_back(&mut dossier, &one(1, 4), &[], RefundTo::Original);
    assert_eq!(refused, Err(Refusal::MoreThanSold { index: 0, most: 3 }));
    let refused = take_back(&mut dossier, &one(2, 1), &[], RefundTo::Original);
    assert_eq!(refused, Err(Refusal::NotSold { index: 0 }));
    assert_eq!(dossier, before);

    let late = NOW.checked_add(super::RETURN_WITHIN).unwrap();
    assert_eq!(dossier.sale.may_come_back(late), Ok(()));
    let later = late.checked_add(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(dossier.sale.may_come_back(later), Err(Refusal::TooLate));
    dossier.sale.status = Status::Voided;
    assert_eq!(dossier.sale.may_come_back(NOW), Err(Refusal::Voided));
    dossier.sale.channel = Channel::Online;
    assert_eq!(dossier.sale.may_come_back(NOW), Err(Refusal::Online));
}

/// First to what was no cash, then to the drawer.
#[test]
fn the_money_goes_back_to_where_it_came_from() {
    let lines = [Priced::new(cad(333), 3, TaxRates::STANDARD)];
    let total = quote(&lines, Money::ZERO).unwrap().total;
    assert_eq!(total, cad(1_149));
    let mut dossier = sold(&lines, Money::ZERO, &[(Tender::GiftCard, cad(500)), (Tender::Cash, cad(1_000))]).unwrap();
    assert_eq!((dossier.sale.payable, dossier.sale.change), (cad(1_150), cad(350)));
    let mut paid_back: Vec<Refunded> = Vec::new();
    let mut steps = Vec::new();
    for _ in 0..3 {
        let back = take_back(&mut dossier, &one(1, 1), &paid_back, RefundTo::Original).unwrap();
        steps.push((
            back.total.cents(),
            back.cash_rounding.cents(),
            back.refunds.iter().map(|refund| (refund.method, refund.amount.cents())).collect::<Vec<_>>(),
        ));
        paid_back.extend(back.refunds);
    }
    assert_eq!(
        steps,
        [
            (383, 0, vec![(Tender::GiftCard, 383)]),
            (383, -1, vec![(Tender::GiftCard, 117), (Tender::Cash, 265)]),
            (383, 2, vec![(Tender::Cash, 385)]),
        ]
    );
    let refused = take_back(&mut dossier, &one(1, 1), &paid_back, RefundTo::Original);
    assert_eq!(refused, Err(Refusal::NothingLeft));
}

/// There is no coin for the last three cents.
#[test]
fn what_was_paid_by_card_goes_back_in_cash_to_the_nearest_coin() {
    let lines = [Priced::new(cad(972), 1, TaxRates::STANDARD)];
    let mut dossier = sold(&lines, Money::ZERO, &[(Tender::Card, cad(1_118))]).unwrap();
    let back = take_back(&mut dossier, &one(1, 1), &[], RefundTo::Cash).unwrap();
    assert_eq!(back.refunds, [Refunded { method: Tender::Cash, amount: cad(1_120) }]);
    assert_eq!((back.total, back.cash_rounding), (cad(1_118), cad(2)));
}

/// Price, quantity, deposit, thousandths of it off, rates.
type Bought = (i32, u32, i32, i64, TaxRates);

fn bought() -> impl Strategy<Value = Bought> {
    let price = prop_oneof![0..=5_i32, 0..=2_000_i32, 0..=1_000_000_i32];
    let off = prop_oneof![3 => Just(0_i64), 3 => 0..=1_000_i64, 1 => Just(1_000_i64)];
    let rates = prop_oneof![Just(TaxRates::STANDARD), Just(TaxRates::GST_ONLY), Just(TaxRates::ZERO_RATED)];
    (price, 1..=9_u32, prop_oneof![Just(0), Just(10_i32)], off, rates)
}

fn priced(basket: &[Bought]) -> Vec<Priced> {
    let line = |(price, quantity, deposit, off, rates): &Bought| Priced {
        discount: Money::from_cents(i64::from(*price) * i64::from(*quantity) * off / 1_000).unwrap(),
        unit_deposit: cad(*deposit),
        ..Priced::new(cad(*price), *quantity, *rates)
    };
    basket.iter().map(line).collect()
}

/// Parts of the total by card and by gift card, in thousandths; the rest in cash, with some coins too many.
fn payments(total: Money, card: i64, gift: i64, surplus: i64) -> Vec<(Tender, Money)> {
    let part = |thousandths: i64| Money::from_cents(total.cents() * thousandths / 1_000).unwrap();
    let (card, gift) = (part(card), part(gift.min(1_000 - card)));
    let rest = total.try_sub(card).unwrap().try_sub(gift).unwrap();
    let mut payments = vec![(Tender::Card, card), (Tender::GiftCard, gift)];
    if !rest.is_zero() {
        let cash = pricing::round_cash(rest).payable.cents() + 5 * surplus;
        payments.push((Tender::Cash, Money::from_cents(cash.max(5)).unwrap()));
    }
    payments.retain(|(_, amount)| !amount.is_zero());
    payments
}

/// A basket, what is off it as a whole, how it is paid, and the steps in which it comes back.
type Story = (Vec<Bought>, (i64, i64, i64), Vec<(Vec<u32>, bool, bool)>);

fn stories() -> impl Strategy<Value = Story> {
    let part = || prop_oneof![2 => Just(0_i64), 2 => 0..=1_000_i64, 1 => Just(1_000_i64)];
    let step = (proptest::collection::vec(0..4_u32, 5), any::<bool>(), any::<bool>());
    let steps = proptest::collection::vec(step, 0..6);
    (proptest::collection::vec(bought(), 1..5), (part(), part(), 0..20_i64), steps)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 18, and what a till's books need besides.
    #[test]
    fn payments_less_change_are_the_total_rounded(
        total in 0..1_000_000_i64, card in 0..=1_000_i64, gift in 0..=1_000_i64, surplus in 0..40_i64,
    ) {
        let total = Money::from_cents(total).unwrap();
        let payments = payments(total, card, gift, surplus);
        let sum = |cash: Option<bool>| {
            let of = payments.iter().filter(|(t, _)| cash.is_none_or(|cash| (*t == Tender::Cash) == cash));
            of.map(|(_, amount)| amount.cents()).sum::<i64>()
        };
        let settled = settle(total, &payments).unwrap();
        prop_assert_eq!(sum(None) - settled.change.cents(), settled.payable.cents());
        prop_assert_eq!(settled.payable.cents(), total.cents() + settled.rounding.cents());
        prop_assert!(settled.change.cents() >= 0 && settled.change.cents() <= sum(Some(true)));
        prop_assert!(settled.rounding.cents().abs() <= 2);
        prop_assert_eq!((settled.payable.cents() - sum(Some(false))) % 5 == 0 || sum(Some(true)) == 0, true);
    }

    /// Invariants 10 and 17, for every way of paying and of paying back.
    #[test]
    fn a_full_return_pays_back_exactly_what_was_paid((basket, (card, gift, surplus), steps) in stories()) {
        let lines = priced(&basket);
        let total = quote(&lines, Money::ZERO).unwrap().total;
        let mut dossier = sold(&lines, Money::ZERO, &payments(total, card, gift, surplus)).unwrap();
        let paid = dossier.clone();
        let (mut paid_back, mut worth): (Vec<Refunded>, i64) = (Vec::new(), 0);
        let mut all_original = true;
        let rest = steps.iter().cloned().chain([(vec![u32::MAX; 5], false, false)]);
        for (wanted, damaged, cash) in rest {
            let disposition = if damaged { Disposition::Damaged } else { Disposition::Resalable };
            let wanted: Vec<Wanted> = dossier.lines.iter().zip(&wanted)
                .map(|(line, units)| Wanted { line: line.line, quantity: (*units).min(line.kept()), disposition })
                .filter(|wanted| wanted.quantity > 0)
                .collect();
            if wanted.is_empty() {
                continue;
            }
            let to = if cash { RefundTo::Cash } else { RefundTo::Original };
            all_original &= !cash;
            let back = take_back(&mut dossier, &wanted, &paid_back, to).unwrap();
            prop_assert!(back.refunds.iter().all(|refund| refund.amount > Money::ZERO));
            let cash_back = back.refunds.iter().filter(|refund| refund.method == Tender::Cash);
            prop_assert!(cash_back.clone().all(|refund| refund.amount.cents() % 5 == 0), "{back:?}");
            let handed: i64 = back.refunds.iter().map(|refund| refund.amount.cents()).sum();
            prop_assert_eq!(handed, back.total.cents() + back.cash_rounding.cents());
            // Of this step and of those before; and where means were mixed, of the sale.
            let most = if all_original { 4 } else { 6 };
            prop_assert!(back.cash_rounding.cents().abs() <= most, "{back:?}");
            worth += back.total.cents();
            paid_back.extend(back.refunds);
        }
        let sum = |tender: Option<Tender>| {
            let of = paid_back.iter().filter(|refund| tender.is_none_or(|tender| refund.method == tender));
            of.map(|refund| refund.amount.cents()).sum::<i64>()
        };
        prop_assert_eq!(worth, total.cents());
        prop_assert_eq!(dossier.sale.refunded, total);
        prop_assert!(dossier.is_all_back());
        let over = sum(None) - paid.sale.payable.cents();
        let only_cash = paid.payments.iter().all(|payment| payment.method == Tender::Cash.into());
        if all_original || only_cash {
            prop_assert_eq!(over, 0, "{:?}", paid_back);
        } else {
            prop_assert!(over.abs() <= 2, "{} {:?}", over, paid_back);
        }
        if all_original {
            prop_assert_eq!(sum(Some(Tender::Cash)), paid.cash_kept().unwrap().cents());
            for tender in [Tender::Card, Tender::GiftCard] {
                let taken = paid.payments.iter().filter(|payment| payment.method == tender.into());
                prop_assert_eq!(sum(Some(tender)), taken.map(|payment| payment.amount.cents()).sum::<i64>());
            }
        }
    }
}
