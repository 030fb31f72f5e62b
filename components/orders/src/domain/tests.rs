//! The rules, one at a time: the table of steps against a matrix, decisions by what they change.

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use proptest::prelude::*;
use uuid::Uuid;

use super::decision::{Confirmation, Decision};
use super::draft::{Draft, DraftLine, Fulfilment, Method};
use super::effect::{Effect, lease_until, next_attempt};
use super::order::{Dossier, Line, Order, Totals};
use super::payment::{self, PaymentEventKind};
use super::refund::{Goods, Wanted};
use super::{
    CheckoutId, CustomerId, Grounds, LocationId, Number, OrderId, PaymentId, PaymentStatus, ProductId, RefundId,
    Refusal, ReservationId, Standing, Status,
};

const NOW: Timestamp = Timestamp::constant(1_794_000_000, 0);

const GROUNDS: [Grounds; 3] = [Grounds::Word, Grounds::Authority, Grounds::Code];

fn standing(status: Status, payment: PaymentStatus, pickup: bool) -> Standing {
    Standing { status, payment, pickup }
}

/// From the rows to the columns: pending, confirmed, processing, ready, completed, cancelled.
#[test]
fn the_steps_are_those_of_the_design() {
    let matrix = Status::ALL.iter().map(|from| Status::ALL.iter().map(|to| u8::from(from.leads_to(*to))).collect());
    let matrix: Vec<Vec<u8>> = matrix.collect();
    assert_eq!(
        matrix,
        [
            [0, 1, 0, 0, 0, 1],
            [0, 0, 1, 0, 0, 1],
            [0, 0, 0, 1, 0, 1],
            [0, 0, 0, 0, 1, 1],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ]
    );
}

#[test]
fn what_is_allowed_is_what_is_permitted() {
    for (&status, &payment) in Status::ALL.iter().flat_map(|s| PaymentStatus::ALL.iter().map(move |p| (s, p))) {
        for (pickup, grounds) in [true, false].into_iter().flat_map(|pickup| GROUNDS.map(|grounds| (pickup, grounds))) {
            let standing = standing(status, payment, pickup);
            let mut permitted: Vec<Status> =
                Status::ALL.iter().copied().filter(|next| standing.permits(*next, grounds)).collect();
            let mut allowed = standing.allowed(grounds);
            permitted.sort();
            allowed.sort();
            assert_eq!(allowed, permitted, "{standing:?} {grounds:?}");
        }
    }
}

#[test]
fn money_and_codes_have_a_say() {
    use PaymentStatus::{Authorized, Paid, PartiallyRefunded, Refunded};
    let permits = |status, payment, pickup, next, grounds| standing(status, payment, pickup).permits(next, grounds);
    assert!(permits(Status::Pending, Paid, false, Status::Confirmed, Grounds::Word));
    assert!(!permits(Status::Pending, Authorized, false, Status::Confirmed, Grounds::Authority));
    assert!(permits(Status::Confirmed, PartiallyRefunded, false, Status::Processing, Grounds::Word));
    assert!(!permits(Status::Confirmed, Refunded, false, Status::Processing, Grounds::Authority));
    assert!(permits(Status::Confirmed, Refunded, false, Status::Cancelled, Grounds::Word));
    assert!(permits(Status::Ready, Paid, false, Status::Completed, Grounds::Word));
    assert!(!permits(Status::Ready, Paid, true, Status::Completed, Grounds::Word));
    assert!(permits(Status::Ready, Paid, true, Status::Completed, Grounds::Authority));
    assert!(permits(Status::Ready, Paid, true, Status::Completed, Grounds::Code));
    assert!(!permits(Status::Ready, Refunded, true, Status::Completed, Grounds::Code));
}

#[test]
fn a_number_is_for_people() {
    assert_eq!(Number(100_001).to_string(), "O-100001");
}

#[test]
fn pauses_double_up_to_five_minutes_and_a_lease_outlasts_a_call() {
    let pause = |attempts| next_attempt(NOW, attempts).as_second() - NOW.as_second();
    assert_eq!([1, 2, 3, 9, 10, 100, i32::MAX].map(pause), [1, 2, 4, 256, 300, 300, 300]);
    let lease_s = lease_until(NOW).as_second() - NOW.as_second();
    assert!(lease_s > 2 * i64::try_from(sdk::client::DEADLINE_DEFAULT.as_secs()).unwrap());
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn draft(quantities: &[u32]) -> Draft {
    let line = |(product, quantity): (i64, &u32)| DraftLine {
        product_id: ProductId(product),
        sku: format!("P-{product}"),
        name: format!("Product {product}"),
        quantity: *quantity,
        unit_price: Money::new(333),
        discount: Money::new(1),
        unit_deposit: Money::new(10),
        tax_category: "standard".to_owned(),
        rates: TaxRates::STANDARD,
    };
    let lines: Vec<DraftLine> = (1..).zip(quantities).map(line).collect();
    let mut draft = Draft {
        checkout_id: CheckoutId(id(1)),
        reservation_id: ReservationId(id(2)),
        payment_id: PaymentId(id(3)),
        customer_id: CustomerId(7),
        store_id: LocationId(1),
        location_id: Some(LocationId(100)),
        fulfilment: Fulfilment { method: Method::Pickup, address: None, store_id: Some(LocationId(2)) },
        lines,
        total: Money::ZERO,
    };
    let errors = draft.priced().unwrap_err();
    assert_eq!(errors[0].pointer.as_deref(), Some("/total"));
    let priced: Vec<pricing::Line> = draft.lines.iter().map(priced_line).collect();
    draft.total = pricing::quote(&priced, Money::ZERO).unwrap().total;
    draft
}

fn priced_line(line: &DraftLine) -> pricing::Line {
    pricing::Line {
        discount: line.discount,
        unit_deposit: line.unit_deposit,
        ..pricing::Line::new(line.unit_price, line.quantity, line.rates)
    }
}

fn dossier(quantities: &[u32]) -> Dossier {
    let draft = draft(quantities);
    let quote = draft.priced().unwrap();
    let lines = (1..).zip(draft.lines.iter().zip(&quote.lines));
    Dossier {
        lines: lines.map(|(number, (draft, quoted))| Line::of(number, draft, quoted)).collect(),
        order: Order {
            id: OrderId(id(4)),
            number: 100_001,
            customer_id: draft.customer_id,
            checkout_id: draft.checkout_id,
            reservation_id: draft.reservation_id,
            payment_id: draft.payment_id,
            store_id: draft.store_id,
            location_id: draft.location(),
            status: Status::Pending,
            payment_status: PaymentStatus::Unpaid,
            fulfilment: draft.fulfilment,
            pickup_code: Some("000000".to_owned()),
            pickup_failures: 0,
            totals: Totals::from(&quote),
            captured: Money::ZERO,
            refunded: Money::ZERO,
            version: 1,
            created_at: NOW,
            updated_at: NOW,
            confirmed_at: None,
        },
    }
}

fn decide(dossier: Dossier) -> Decision {
    Decision::on(dossier, "test".to_owned(), NOW, RefundId(id(5)))
}

fn confirmed(quantities: &[u32]) -> Dossier {
    let mut decision = decide(dossier(quantities));
    assert_eq!(decision.confirm(), Ok(Confirmation::Now));
    Dossier { order: decision.order, lines: decision.lines }
}

#[test]
fn an_order_is_of_its_draft_and_of_no_other() {
    let (one, other) = (draft(&[2, 1]), draft(&[2, 2]));
    let dossier = dossier(&[2, 1]);
    assert!(dossier.is_of(&one));
    assert!(!dossier.is_of(&other));
    assert!(!dossier.is_of(&Draft { customer_id: CustomerId(8), ..one }));
}

#[test]
fn a_decision_that_is_refused_changes_nothing() {
    let before = confirmed(&[2, 1]);
    let mut decision = decide(before.clone());
    assert!(decision.advance(Status::Ready, Grounds::Word, None).is_err());
    let too_many = Wanted::Units(vec![(ProductId(1), 3)]);
    let refusal = decision.refund(&too_many, Goods::Restock, None).unwrap_err();
    assert_eq!(refusal, Refusal::MoreThanSold { index: 0, most: 2 });
    assert!(decision.compensate(None).is_err());
    assert!(decision.is_empty());
    assert_eq!((decision.order, decision.lines), (before.order, before.lines));
}

#[test]
fn what_is_cancelled_is_undone_by_what_is_known_of_it() {
    let kinds = |dossier: Dossier| {
        let mut decision = decide(dossier);
        decision.advance(Status::Cancelled, Grounds::Word, None).unwrap();
        decision.effects.iter().map(Effect::kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(dossier(&[1])), ["release", "void"]);
    let mut paid = dossier(&[1]);
    (paid.order.payment_status, paid.order.captured) = (PaymentStatus::Paid, paid.order.totals.total);
    assert_eq!(kinds(paid), ["release", "refund"]);
    assert_eq!(kinds(confirmed(&[1])), ["restock", "refund"]);
    let mut voided = dossier(&[1]);
    voided.order.payment_status = PaymentStatus::Voided;
    assert_eq!(kinds(voided), ["release"]);
}

#[test]
fn a_capture_of_a_cancelled_order_goes_back_once() {
    let mut cancelled = decide(dossier(&[2]));
    cancelled.advance(Status::Cancelled, Grounds::Word, None).unwrap();
    let dossier = Dossier { order: cancelled.order, lines: cancelled.lines };
    let mut late = decide(dossier);
    assert_eq!(late.confirm(), Ok(Confirmation::Cancelled));
    assert_eq!((late.order.captured, late.order.refunded), (late.order.totals.total, late.order.totals.total));
    assert_eq!(late.effects.iter().map(Effect::kind).collect::<Vec<_>>(), ["release", "refund"]);
    let mut again = decide(Dossier { order: late.order, lines: late.lines });
    assert_eq!(again.confirm(), Ok(Confirmation::Cancelled));
    again.captured_already().unwrap();
    assert!(again.is_empty());
}

#[test]
fn effects_keep_their_form_in_the_database() {
    let effect = Effect::Refund { payment: PaymentId(id(3)), refund: RefundId(id(5)), amount: Money::new(354) };
    let json = serde_json::to_value(&effect).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "kind": "refund", "payment": id(3), "refund": id(5), "amount": {"amount": 354, "currency": "CAD"},
        })
    );
    assert_eq!(serde_json::from_value::<Effect>(json).unwrap(), effect);
}

fn any_kind() -> impl Strategy<Value = PaymentEventKind> {
    proptest::sample::select(PaymentEventKind::ALL)
}

fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Unpaid => 0,
        PaymentStatus::Authorized => 1,
        PaymentStatus::Voided => 2,
        PaymentStatus::Paid => 3,
        PaymentStatus::PartiallyRefunded => 4,
        PaymentStatus::Refunded => 5,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// So the end is the same for every order of arrival.
    #[test]
    fn what_is_known_of_a_payment_only_grows_and_ends_with_the_highest(
        kinds in proptest::collection::vec(any_kind(), 0..8)
    ) {
        let mut status = PaymentStatus::Unpaid;
        for kind in &kinds {
            let next = payment::after(status, *kind).unwrap_or(status);
            prop_assert!(rank(next) >= rank(status), "{status:?} {kind:?}");
            prop_assert_eq!(payment::after(next, *kind), None, "the same again changes nothing");
            status = next;
        }
        let expected = match () {
            () if kinds.contains(&PaymentEventKind::Captured) => PaymentStatus::Paid,
            () if kinds.contains(&PaymentEventKind::Voided) => PaymentStatus::Voided,
            () if kinds.contains(&PaymentEventKind::Authorized) => PaymentStatus::Authorized,
            () => PaymentStatus::Unpaid,
        };
        prop_assert_eq!(status, expected);
    }

    /// Whatever comes back in whatever steps: every cent once, every unit once.
    #[test]
    fn refunds_and_the_cancellation_after_them_are_what_was_paid(
        quantities in proptest::collection::vec(1..9_u32, 1..5),
        steps in proptest::collection::vec(proptest::collection::vec(0..4_u32, 5), 0..5),
    ) {
        let mut dossier = confirmed(&quantities);
        let (total, mut refunded, mut restocked) = (dossier.order.totals.total, Money::ZERO, 0);
        let mut keep = |decision: &Decision| {
            for effect in &decision.effects {
                match effect {
                    Effect::Refund { amount, .. } => refunded = refunded.try_add(*amount).unwrap(),
                    Effect::Restock { lines, .. } => restocked += lines.iter().map(|l| l.quantity).sum::<u32>(),
                    Effect::Release { .. } | Effect::Void { .. } => panic!("{effect:?} of a confirmed order"),
                }
            }
        };
        for step in &steps {
            let wanted = dossier.lines.iter().zip(step).map(|(line, units)| (line.product_id, *units.min(&line.kept())));
            let wanted: Vec<_> = wanted.filter(|(_, units)| *units > 0).collect();
            let mut decision = decide(dossier);
            if !wanted.is_empty() {
                decision.refund(&Wanted::Units(wanted), Goods::Restock, None).unwrap();
            }
            keep(&decision);
            dossier = Dossier { order: decision.order, lines: decision.lines };
        }
        let mut decision = decide(dossier);
        decision.advance(Status::Cancelled, Grounds::Word, None).unwrap();
        keep(&decision);
        prop_assert_eq!(refunded, total);
        prop_assert_eq!(decision.order.refunded, total);
        prop_assert_eq!(decision.order.payment_status, PaymentStatus::Refunded);
        prop_assert_eq!(restocked, quantities.iter().sum::<u32>());
        prop_assert!(decision.lines.iter().all(|line| line.kept() == 0));
    }

    /// Every decision that is made counts its events, and every step of its timeline is of the table.
    #[test]
    fn a_timeline_is_a_walk_through_the_table(asked in proptest::collection::vec((0..6_usize, 0..3_usize), 0..20)) {
        let mut dossier = dossier(&[2, 1]);
        (dossier.order.payment_status, dossier.order.captured) = (PaymentStatus::Paid, dossier.order.totals.total);
        for (to, grounds) in asked {
            let (from, version) = (dossier.order.status, dossier.order.version);
            let (to, grounds) = (Status::ALL[to], GROUNDS[grounds]);
            let mut decision = decide(dossier);
            match decision.advance(to, grounds, None) {
                Ok(()) => {
                    prop_assert!(from.leads_to(to));
                    prop_assert_eq!(decision.entries[0].from, Some(from.as_str()));
                    prop_assert_eq!(decision.entries[0].to, Some(to.as_str()));
                    let told: Vec<i64> = decision.happenings.iter().map(|happening| happening.version).collect();
                    prop_assert_eq!(&told, &(version + 1..=decision.order.version).collect::<Vec<_>>());
                }
                Err(refusal) => {
                    let allowed = decision.order.standing().allowed(grounds);
                    prop_assert_eq!(refusal, Refusal::Step { from, to, allowed: allowed.clone() });
                    prop_assert!(!allowed.contains(&to));
                    prop_assert!(decision.is_empty());
                }
            }
            dossier = Dossier { order: decision.order, lines: decision.lines };
        }
    }
}
