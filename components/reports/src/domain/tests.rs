use jiff::Timestamp;
use jiff::civil::date;
use pricing::Money;
use proptest::prelude::*;
use std::collections::BTreeSet;

use super::payload::Event;
use super::period::{Mistake, Period};
use super::projection::Meaning;
use super::rating::{Rating, Trend, average, change_bp, rate, ratio_bp, trend};
use super::rows::{Kind, Rows};
use super::versions::{Gap, Taken, Track};
use super::{PAGE_BYTES, Source, page_limit_after};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn money(cents: i64) -> Money {
    Money::from_cents(cents).unwrap()
}

fn gaps(track: &Track) -> Vec<(i64, i64)> {
    track.gaps.iter().map(|gap| (gap.low, gap.high)).collect()
}

#[test]
fn a_gap_closes_when_what_is_missing_comes_late() {
    let mut track = Track::begin(1, true, NOW);
    assert_eq!(track.take(5, NOW), Taken::New);
    assert_eq!(gaps(&track), [(2, 4)]);
    assert_eq!(track.take(3, NOW), Taken::New);
    assert_eq!(gaps(&track), [(2, 2), (4, 4)]);
    for late in [4, 2] {
        assert_eq!(track.take(late, NOW), Taken::New);
    }
    assert_eq!((track.first, track.last, gaps(&track)), (1, 5, vec![]));
    for repeat in 1..=5 {
        assert_eq!(track.take(repeat, NOW), Taken::Repeat);
    }
}

#[test]
fn what_does_not_begin_with_one_has_a_gap_where_it_should() {
    let track = Track::begin(3, true, NOW);
    assert_eq!((track.first, gaps(&track)), (1, vec![(1, 2)]));
    let mut track = Track::begin(3, false, NOW);
    assert_eq!((track.first, gaps(&track)), (3, vec![]));
    // One that began before comes later.
    assert_eq!(track.take(1, NOW), Taken::New);
    assert_eq!((track.first, gaps(&track)), (1, vec![(2, 2)]));
    assert!(Source::Sales.counts_from_one() && !Source::Products.counts_from_one());
}

proptest! {
    #[test]
    fn a_track_knows_exactly_what_was_told(versions in prop::collection::vec(1_i64..40, 1..60), from_one: bool) {
        let mut told = BTreeSet::from([versions[0]]);
        let mut track = Track::begin(versions[0], from_one, NOW);
        for version in &versions[1..] {
            let expected = if told.insert(*version) { Taken::New } else { Taken::Repeat };
            prop_assert_eq!(track.take(*version, NOW), expected);
        }
        let first = if from_one { 1 } else { *told.first().unwrap() };
        prop_assert_eq!((track.first, track.last), (first, *told.last().unwrap()));
        let missing: BTreeSet<i64> = (track.first..=track.last).filter(|version| !told.contains(version)).collect();
        let known: Vec<i64> = track.gaps.iter().flat_map(|Gap { low, high, .. }| *low..=*high).collect();
        prop_assert!(known.is_sorted());
        prop_assert_eq!(known.into_iter().collect::<BTreeSet<i64>>(), missing);
    }

    #[test]
    fn an_average_is_half_up_and_within_half_a_cent(sum in -1_000_000_i64..1_000_000, count in 1_i64..10_000) {
        let mean = average(money(sum), count).cents();
        // 2 * |mean * count - sum| <= count, and up where it is half.
        let off = 2 * (mean * count - sum);
        prop_assert!(-count < off && off <= count, "{mean}");
    }

    #[test]
    fn a_rating_is_what_fractions_say(nets in prop::collection::vec(0_i64..10_000, 1..8)) {
        let all: i64 = nets.iter().sum();
        prop_assume!(all > 0);
        for net in &nets {
            let stores = i64::try_from(nets.len()).unwrap();
            let expected = match net * stores * 10 {
                tenths if tenths >= all * 10 => Rating::Good,
                tenths if tenths >= all * 8 => Rating::Fair,
                _ => Rating::Weak,
            };
            prop_assert_eq!(rate(money(*net), money(all), nets.len()), expected);
        }
        // Not everybody is below the mean.
        prop_assert!(nets.iter().any(|net| rate(money(*net), money(all), nets.len()) == Rating::Good));
    }
}

#[test]
fn a_store_is_measured_at_the_very_bounds() {
    // The mean is 100.00.
    for (own, rating, ratio) in [
        (10_000, Rating::Good, 10_000),
        (9_999, Rating::Fair, 9_999),
        (8_000, Rating::Fair, 8_000),
        (7_999, Rating::Weak, 7_999),
        (-1, Rating::Weak, -1),
    ] {
        assert_eq!(rate(money(own), money(20_000), 2), rating, "{own}");
        assert_eq!(ratio_bp(money(own), money(20_000), 2), Some(ratio));
    }
    assert_eq!((rate(money(0), money(0), 5), ratio_bp(money(0), money(0), 5)), (Rating::Weak, None));
    assert_eq!(rate(money(5), money(-5), 2), Rating::Good);
    assert_eq!(rate(Money::MAX, Money::MAX, 1), Rating::Good);
}

#[test]
fn a_trend_is_more_than_five_percent() {
    for (recent, before, expected) in [
        (105, 100, Trend::Stable),
        (106, 100, Trend::Up),
        (95, 100, Trend::Stable),
        (94, 100, Trend::Down),
        (10_501, 10_000, Trend::Up),
        (10_499, 10_000, Trend::Stable),
        (0, 0, Trend::Stable),
        (1, 0, Trend::Up),
        (-1, 0, Trend::Down),
        (0, -100, Trend::Up),
    ] {
        assert_eq!(trend(money(recent), money(before)), expected, "{recent} after {before}");
    }
    assert_eq!(change_bp(money(106), money(100)), Some(600));
    assert_eq!(change_bp(money(1), money(3)), Some(-6_666));
    assert_eq!(change_bp(money(1), money(0)), None);
}

#[test]
fn averages_of_nothing_are_nothing() {
    assert_eq!(average(money(0), 0), money(0));
    assert_eq!(average(money(5), 2), money(3));
    assert_eq!(average(money(-5), 2), money(-2));
}

#[test]
fn a_period_is_days_and_a_month_is_all_of_it() {
    let today = date(2026, 11, 24);
    assert_eq!(Period::new(None, None, today), Ok(Period { from: today, to: today }));
    let day = date(2026, 11, 1);
    assert_eq!(Period::new(Some(day), None, today), Ok(Period { from: day, to: day }));
    assert_eq!(Period::new(None, Some(day), today), Ok(Period { from: day, to: day }));
    assert_eq!(Period::new(Some(today), Some(day), today), Err(Mistake::Reversed));
    assert!(Period::new(Some(date(2024, 1, 1)), Some(date(2024, 12, 31)), today).is_ok());
    assert_eq!(Period::new(Some(date(2024, 1, 1)), Some(date(2025, 1, 1)), today), Err(Mistake::TooLong));
    assert_eq!(Period::new(Some(date(-9999, 1, 1)), None, today), Err(Mistake::OutOfRange));
    assert_eq!(Period::new(Some(date(9999, 1, 1)), None, today), Err(Mistake::OutOfRange));

    let month = Period::of_month("2028-02").unwrap();
    assert_eq!((month.from, month.to), (date(2028, 2, 1), date(2028, 2, 29)));
    for junk in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+026-11", "1999-12", "2026-+1"] {
        assert_eq!(Period::of_month(junk), None, "{junk}");
    }
    let [recent, before] = Period::last_two_weeks(today);
    assert_eq!((recent.from, recent.to), (date(2026, 11, 17), date(2026, 11, 23)));
    assert_eq!((before.from, before.to), (date(2026, 11, 10), date(2026, 11, 16)));
}

#[test]
fn pages_grow_until_they_are_too_long() {
    assert_eq!(page_limit_after(1, 10), 2);
    assert_eq!(page_limit_after(500, 10), 500);
    assert_eq!(page_limit_after(500, PAGE_BYTES + 1), 250);
    assert_eq!(page_limit_after(1, PAGE_BYTES + 1), 1);
}

fn event(kind: &str, version: i64, payload: &str) -> Event {
    serde_json::from_str(&format!(
        r#"{{"event_id":"00000000-0000-7000-8000-000000000000","type":"{kind}","subject":"s","subject_version":{version},
            "occurred_at":"2026-11-24T12:00:00Z","traceparent":null,"payload":{payload}}}"#
    ))
    .unwrap()
}

#[test]
fn what_is_unknown_is_told_apart_from_what_cannot_be_read() {
    let mut rows = Rows::default();
    for (source, kind) in [
        (Source::Sales, "sale.framed"),
        (Source::Sales, "sale"),
        (Source::Sales, ""),
        (Source::Orders, "sale.completed"),
        (Source::Products, "price.changed"),
    ] {
        assert_eq!(rows.take(source, &event(kind, 1, "{}")), Ok(Meaning::Unknown), "{kind}");
    }
    for (source, kind) in [(Source::Cart, "cart.created"), (Source::Customers, "loyalty.changed")] {
        assert_eq!(rows.take(source, &event(kind, 1, "{}")), Ok(Meaning::Known), "{kind}");
    }
    for (source, kind) in [
        (Source::Sales, "sale.completed"),
        (Source::Orders, "order.refunded"),
        (Source::Products, "product.changed"),
        (Source::Inventory, "stock.changed"),
        (Source::Sales, "session.opened"),
    ] {
        assert!(rows.take(source, &event(kind, 1, "{}")).is_err(), "{kind}");
    }
    assert!(rows.documents.is_empty() && rows.products.is_empty());
}

#[test]
fn of_a_state_the_highest_version_stays_whatever_came_last() {
    let product = |version, name: &str| {
        let payload = format!(
            r#"{{"product_id":1,"sku":"A","name":"{name}","category":"c","tax_category":"t","status":"active"}}"#
        );
        event("product.changed", version, &payload)
    };
    let mut rows = Rows::default();
    for (version, name) in [(2, "second"), (3, "third"), (1, "first")] {
        rows.take(Source::Products, &product(version, name)).unwrap();
    }
    assert_eq!(rows.products.len(), 1);
    assert_eq!(rows.products[&1].name, "third");
}

#[test]
fn change_comes_out_of_the_cash_and_a_void_takes_everything_back() {
    let money = |cents: i64| format!(r#"{{"amount":{cents},"currency":"CAD"}}"#);
    let sale = |status: &str| {
        format!(
            r#"{{"sale_id":"00000000-0000-7000-8000-000000000001","number":"1-1-1","channel":"store","status":"{status}",
            "store_id":1,"cashier":"Ana","order_id":null,"sold_at":"2026-11-24T12:00:00Z",
            "recorded_at":"2026-11-24T12:00:00Z","lines":[{{"line":1,"product_id":7,"quantity":2,"gross":{g},
            "discount":{z},"net":{g},"rates":{{"gst":5000,"qst":9975}},"gst":{t},"qst":{q},"deposit":{z},"total":{a}}}],
            "gross":{g},"discount":{z},"subtotal":{g},"gst":{t},"qst":{q},"deposits":{z},"total":{a},
            "cash_rounding":{r},"payments":[{{"method":"card","amount":{c}}},{{"method":"cash","amount":{h}}},
            {{"method":"card","amount":{c}}}],"change":{k},"refunded":{z}}}"#,
            g = money(1_000),
            z = money(0),
            t = money(50),
            q = money(100),
            a = money(1_150),
            r = money(-2),
            c = money(200),
            h = money(1_000),
            k = money(252),
        )
    };
    let mut rows = Rows::default();
    rows.take(Source::Sales, &event("sale.completed", 1, &sale("completed"))).unwrap();
    rows.take(Source::Sales, &event("sale.voided", 2, &sale("voided"))).unwrap();
    let tenders: Vec<(Kind, &str, i64)> =
        rows.tenders.iter().map(|row| (row.head.kind, row.method.as_str(), row.amount_cents)).collect();
    assert_eq!(
        tenders,
        [(Kind::Sale, "card", 400), (Kind::Sale, "cash", 748), (Kind::Void, "card", -400), (Kind::Void, "cash", -748),]
    );
    assert_eq!(rows.documents.iter().map(|row| row.amounts.total_cents).sum::<i64>(), 0);
    assert_eq!(rows.entries.iter().map(|row| row.quantity).collect::<Vec<_>>(), [2, -2]);
    assert_eq!(rows.documents.iter().map(|row| row.rounding_cents).collect::<Vec<_>>(), [-2, 2]);
    assert_eq!(rows.sales.values().next().unwrap().status, "voided");
}
