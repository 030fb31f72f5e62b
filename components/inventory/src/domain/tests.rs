use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use super::lines::{Amount, Draft, Lines};
use super::shipment::{Arrival, Mistake, ShipmentLine};
use super::*;

fn place(location: i64, product: i64) -> Place {
    Place { location: LocationId(location), product: ProductId(product) }
}

/// What SQL stores is what JSON shows and a query asks for.
#[test]
fn texts_are_those_of_serde() {
    fn check<T: Serialize + Copy>(all: &[T], text: fn(T) -> &'static str) {
        for variant in all {
            assert_eq!(serde_json::to_value(variant).unwrap(), Value::from(text(*variant)));
        }
    }
    check(Kind::ALL, Kind::as_str);
    check(Level::ALL, Level::as_str);
    check(LocationKind::ALL, LocationKind::as_str);
    check(DiscrepancyKind::ALL, DiscrepancyKind::as_str);
    check(VoucherKind::ALL, VoucherKind::as_str);
    check(OnShortage::ALL, OnShortage::as_str);
    check(reservation::Status::ALL, reservation::Status::as_str);
    check(reservation::Verb::ALL, reservation::Verb::as_str);
    check(shipment::Status::ALL, shipment::Status::as_str);
    check(shipment::Verb::ALL, shipment::Verb::as_str);
    check(shipment::ShipmentKind::ALL, shipment::ShipmentKind::as_str);
}

#[test]
fn a_shortage_says_what_was_asked_for_and_what_there_is() {
    let holding = Holding { on_hand: 5, reserved: 3, in_transit: 9 };
    let short = |change: Change| match holding.after(&change) {
        Err(Impossible::Short(shortage)) => (shortage.requested, shortage.available),
        other => panic!("{other:?}"),
    };
    let none = |kind| Change::none(place(1, 2), kind, 1);
    assert_eq!(short(none(Kind::Reservation).reserved(3)), (3, 2));
    assert_eq!(short(none(Kind::Sale).on_hand(-4)), (4, 2));
    assert_eq!(holding.after(&none(Kind::Reservation).reserved(2)).unwrap().available(), 0);
    // A commit takes what is promised, and needs nothing that is available.
    let committed = holding.after(&none(Kind::Order).on_hand(-3).reserved(-3)).unwrap();
    assert_eq!(committed, Holding { on_hand: 2, reserved: 0, in_transit: 9 });
    for unfounded in [none(Kind::Release).reserved(-4), none(Kind::Arrival).in_transit(-10)] {
        assert_eq!(holding.after(&unfounded), Err(Impossible::Unfounded));
    }
}

proptest! {
    /// Whatever is asked for in whatever order, nobody has what is promised to somebody else.
    #[test]
    fn no_sequence_of_changes_leaves_less_than_is_promised(
        deltas in proptest::collection::vec((-20..=20_i64, -20..=20_i64, -20..=20_i64), 0..60)
    ) {
        let mut held = Holding::default();
        for (on_hand, reserved, in_transit) in deltas {
            let change = Change { on_hand, reserved, in_transit, ..Change::none(place(1, 1), Kind::Adjustment, 1) };
            let fits = held.on_hand + on_hand >= held.reserved + reserved
                && held.reserved + reserved >= 0
                && held.in_transit + in_transit >= 0;
            match held.after(&change) {
                Ok(after) => {
                    prop_assert!(fits);
                    held = after;
                }
                Err(_) => prop_assert!(!fits),
            }
            prop_assert!(0 <= held.reserved && held.reserved <= held.on_hand && held.in_transit >= 0);
        }
    }
}

mod lines_of_requests {
    use super::*;

    fn draft(location: Option<i64>, product: i64, amount: i64) -> Draft {
        Draft { location: location.map(LocationId), product: ProductId(product), amount }
    }

    fn wrong(amount: Amount, default: Option<i64>, drafts: &[Draft]) -> Vec<(String, String)> {
        let errors = Lines::check(amount, default.map(LocationId), drafts).unwrap_err();
        errors.into_iter().map(|error| (error.pointer.unwrap(), error.code.into_owned())).collect()
    }

    fn pair(pointer: &str, code: &str) -> (String, String) {
        (pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let drafts = [
            draft(None, 0, 1),
            draft(None, 5, 0),
            draft(Some(1), 5, 1),
            draft(Some(2), 5, QUANTITY_MAX + 1),
            draft(Some(2), 5, QUANTITY_MAX),
        ];
        assert_eq!(
            wrong(Amount::Quantity, Some(1), &drafts),
            [
                pair("/lines/0/product_id", "out-of-range"),
                pair("/lines/1/quantity", "quantity-out-of-range"),
                pair("/lines/2/product_id", "line-repeated"),
                pair("/lines/3/quantity", "quantity-out-of-range"),
                pair("/lines/4/product_id", "line-repeated"),
            ]
        );
        assert_eq!(
            wrong(
                Amount::Delta,
                None,
                &[draft(None, 1, 1), draft(Some(1), 1, 0), draft(Some(1), 2, -QUANTITY_MAX - 1)]
            ),
            [
                pair("/lines/0/location_id", "location-missing"),
                pair("/lines/1/delta", "delta-out-of-range"),
                pair("/lines/2/delta", "delta-out-of-range"),
            ]
        );
        assert_eq!(wrong(Amount::Quantity, Some(1), &[]), [pair("/lines", "lines-out-of-range")]);
        let many: Vec<Draft> = (1..=201).map(|product| draft(None, product, 1)).collect();
        assert_eq!(wrong(Amount::Quantity, Some(1), &many), [pair("/lines", "lines-out-of-range")]);
        assert!(Lines::check(Amount::Quantity, Some(LocationId(1)), &many[..200]).is_ok());
    }

    #[test]
    fn a_location_is_found_where_it_was_named() {
        let lines = Lines::check(
            Amount::Quantity,
            Some(LocationId(9)),
            &[draft(Some(3), 1, 1), draft(None, 1, 1), draft(Some(3), 2, 1)],
        );
        let lines = lines.unwrap();
        assert_eq!(lines.pointer_of(LocationId(3)), "/lines/0/location_id");
        assert_eq!(lines.pointer_of(LocationId(9)), "/location_id");
    }

    proptest! {
        /// In whatever order a client names them: the same lines, with the same numbers, in the order in
        /// which rows are locked.
        #[test]
        fn order_does_not_matter(
            amounts in proptest::collection::btree_map((1..5_i64, 1..9_i64), 1..100_i64, 1..20),
            shuffle in any::<u64>(),
        ) {
            let sorted: Vec<Draft> =
                amounts.iter().map(|((location, product), amount)| draft(Some(*location), *product, *amount)).collect();
            let mut shuffled = sorted.clone();
            shuffled.sort_by_key(|d| (d.amount as u64).wrapping_mul(shuffle | 1).rotate_left(17) ^ d.product.0 as u64);
            let lines = Lines::check(Amount::Quantity, None, &shuffled).unwrap();
            let again = Lines::check(Amount::Quantity, None, &sorted).unwrap();
            prop_assert_eq!(lines.as_slice(), again.as_slice());
            prop_assert!(lines.as_slice().is_sorted_by(|a, b| a.place < b.place && a.number + 1 == b.number));
        }
    }
}

mod reservations {
    use super::super::reservation::{Status, Step, Verb};
    use super::*;

    fn verbs() -> impl Strategy<Value = Verb> {
        prop_oneof![Just(Verb::Pin), Just(Verb::Commit), Just(Verb::Release), Just(Verb::Expire)]
    }

    #[test]
    fn what_can_be_asked_is_what_leads_somewhere() {
        let allowed = |status: Status| status.allowed();
        assert_eq!(allowed(Status::Active), ["pin", "release"]);
        assert_eq!(allowed(Status::Pinned), ["commit", "release"]);
        for end in [Status::Committed, Status::Released, Status::Expired] {
            assert_eq!(allowed(end), [""; 0]);
        }
    }

    proptest! {
        /// Against a model that knows nothing of states: whether units are held, pinned, taken.
        #[test]
        fn the_table_does_what_the_model_says(verbs in proptest::collection::vec(verbs(), 0..12)) {
            let mut status = Status::Active;
            let (mut held, mut pinned, mut taken) = (true, false, false);
            for verb in verbs {
                let step = status.on(verb);
                let done = match verb {
                    Verb::Pin if held => std::mem::replace(&mut pinned, true),
                    Verb::Commit if held && pinned => {
                        (held, taken) = (false, true);
                        false
                    }
                    Verb::Commit if taken => true,
                    Verb::Release if held => !std::mem::replace(&mut held, false),
                    Verb::Release if !taken => true,
                    Verb::Expire if held && !pinned => !std::mem::replace(&mut held, false),
                    Verb::Pin | Verb::Commit | Verb::Release | Verb::Expire => {
                        prop_assert_eq!(step, Step::Refused, "{:?} on {:?}", verb, status);
                        continue;
                    }
                };
                match step {
                    Step::Go(next) => {
                        prop_assert!(!done);
                        status = next;
                    }
                    Step::Done => prop_assert!(done),
                    Step::Refused => prop_assert!(false, "{:?} on {:?}", verb, status),
                }
                prop_assert_eq!(status.holds(), held);
                prop_assert_eq!(status == Status::Committed, taken);
            }
        }
    }

    /// Every way through the states adds up: what was promised is given back or taken, once.
    #[test]
    fn the_steps_of_a_reservation_add_up() {
        let lines = [Draft { location: Some(LocationId(1)), product: ProductId(2), amount: 7 }];
        let lines = Lines::check(Amount::Quantity, None, &lines).unwrap().as_slice().to_vec();
        let now = Timestamp::UNIX_EPOCH;
        let reservation = reservation::Reservation {
            id: ReservationId(uuid::Uuid::nil()),
            status: Status::Active,
            ttl_s: 1,
            expires_at: now,
            version: 1,
            created_at: now,
            updated_at: now,
            lines,
        };
        for (way, on_hand) in [
            (&[Status::Active, Status::Released][..], 0),
            (&[Status::Active, Status::Expired], 0),
            (&[Status::Active, Status::Pinned, Status::Released], 0),
            (&[Status::Active, Status::Pinned, Status::Committed], -7),
        ] {
            let changes: Vec<Change> = way.iter().flat_map(|status| reservation.changes(*status)).collect();
            assert_eq!(changes.iter().map(|change| change.reserved).sum::<i64>(), 0, "{way:?}");
            assert_eq!(changes.iter().map(|change| change.on_hand).sum::<i64>(), on_hand, "{way:?}");
        }
    }
}

mod shipments {
    use super::super::shipment::{Status, Verb, receive, ship};
    use super::*;

    fn line(line: i64, product: i64, requested: i64) -> ShipmentLine {
        ShipmentLine { line, product_id: ProductId(product), requested, shipped: 0, received: 0, lost: 0 }
    }

    #[test]
    fn what_can_be_asked_in_each_state() {
        let table: BTreeMap<Status, Vec<&str>> = Status::ALL.iter().map(|status| (*status, status.allowed())).collect();
        let expected: BTreeMap<Status, Vec<&str>> = [
            (Status::Pending, vec!["approve", "reject", "cancel"]),
            (Status::Approved, vec!["ship", "cancel"]),
            (Status::InTransit, vec!["receive"]),
            (Status::PartiallyReceived, vec!["receive"]),
            (Status::Received, vec![]),
            (Status::Rejected, vec![]),
            (Status::Cancelled, vec![]),
        ]
        .into();
        assert_eq!(table, expected);
        assert_eq!(Status::Pending.on(Verb::Ship), None);
    }

    #[test]
    fn what_is_named_is_shipped_and_nothing_else() {
        let lines = [line(1, 10, 5), line(2, 20, 6)];
        let all = ship(&lines, None).unwrap();
        assert_eq!(all.iter().map(|moved| moved.after.shipped).collect::<Vec<_>>(), [5, 6]);
        let one = ship(&lines, Some(&[(ProductId(20), 4), (ProductId(10), 0)])).unwrap();
        assert_eq!(one.iter().map(|moved| (moved.after.line, moved.after.shipped)).collect::<Vec<_>>(), [(2, 4)]);
        let named = [(ProductId(30), 1), (ProductId(20), 7), (ProductId(10), 1), (ProductId(10), 1)];
        assert_eq!(
            ship(&lines, Some(&named)).unwrap_err(),
            [Mistake::Unknown(0), Mistake::TooMuch(1, 6), Mistake::Repeated(3)]
        );
    }

    proptest! {
        /// Whatever arrives in whatever parts: what was shipped is under way, here or lost, and it is over
        /// when nothing is under way.
        #[test]
        fn receipts_conserve_units(
            shipped in proptest::collection::vec(0..50_i64, 1..6),
            parts in proptest::collection::vec((0..7_usize, 0..20_i64, 0..10_i64), 0..30),
        ) {
            let mut lines: Vec<ShipmentLine> = shipped
                .iter()
                .zip(1..)
                .map(|(shipped, number)| ShipmentLine { shipped: *shipped, ..line(number, number * 10, *shipped + 1) })
                .collect();
            for (index, received, lost) in parts {
                let product = ProductId((index as i64 + 1) * 10);
                let arrival = Arrival { product, received, lost };
                let before = lines.clone();
                match receive(&lines, Some(&[arrival])) {
                    Ok((moved, status)) => {
                        for moved in moved {
                            lines[usize::try_from(moved.after.line - 1).unwrap()] = moved.after;
                        }
                        let left: i64 = lines.iter().map(ShipmentLine::outstanding).sum();
                        prop_assert_eq!(status == Status::Received, left == 0);
                        let total = |lines: &[ShipmentLine]| lines.iter().map(|l| l.received + l.lost).sum::<i64>();
                        prop_assert_eq!(total(&lines), total(&before) + received + lost);
                    }
                    Err(mistakes) => {
                        let found = lines.iter().find(|line| line.product_id == product);
                        let expected = match found {
                            None => Mistake::Unknown(0),
                            Some(line) => Mistake::TooMuch(0, line.outstanding()),
                        };
                        prop_assert_eq!(mistakes, [expected]);
                        prop_assert!(found.is_none_or(|line| received + lost > line.outstanding()));
                    }
                }
                for (line, shipped) in lines.iter().zip(&shipped) {
                    prop_assert_eq!(line.shipped, *shipped);
                    prop_assert!(line.outstanding() >= 0);
                }
            }
            let (_, status) = receive(&lines, None).unwrap();
            prop_assert_eq!(status, Status::Received);
        }
    }
}

#[test]
fn references_are_short_and_plain() {
    for good in ["a", "01935b6e-0000-7000-8000-000000000001", "S-1.2_3:4", &"x".repeat(100)] {
        assert!(is_reference(good), "{good}");
    }
    for bad in ["", "a/b", "é", "a b", "a\n", &"x".repeat(101)] {
        assert!(!is_reference(bad), "{bad}");
    }
}
