//! The rules, each against the values at its edges.

use jiff::Timestamp;
use pricing::{Money, TaxRate};

use super::price::{PriceDraft, PriceKind};
use super::product::{Draft, Revision, Status, is_gtin, is_sku};
use super::tax::{parse_percent, percent};
use super::{PriceId, StoreId, is_code, is_storable};

fn draft() -> Draft {
    Draft {
        sku: "LIM-355".to_owned(),
        name: "Limonade".to_owned(),
        name_en: None,
        name_fr: None,
        description: None,
        barcode: None,
        category: "soft-drinks".to_owned(),
        tax_category: "standard".to_owned(),
        deposit: Money::ZERO,
        status: Status::Active,
    }
}

fn pointers<T: std::fmt::Debug>(checked: Result<T, Vec<sdk::problem::FieldError>>) -> Vec<String> {
    checked.unwrap_err().into_iter().filter_map(|error| error.pointer).collect()
}

#[test]
fn a_barcode_has_a_known_length_and_a_valid_check_digit() {
    // GS1's own examples: GTIN-8, UPC-A, EAN-13, GTIN-14.
    for valid in ["96385074", "614141000036", "4006381333931", "10614141000415"] {
        assert!(is_gtin(valid), "{valid}");
    }
    for wrong in ["96385075", "4006381333930", "400638133393", "", "0", "40063813339310", "４006381333931"] {
        assert!(!is_gtin(wrong), "{wrong}");
    }
}

#[test]
fn a_digit_that_is_misread_is_noticed() {
    let valid = "4006381333931";
    for place in 0..valid.len() {
        for digit in '0'..='9' {
            let mut read = valid.to_owned();
            read.replace_range(place..=place, &digit.to_string());
            assert_eq!(is_gtin(&read), read == valid, "{read}");
        }
    }
}

#[test]
fn codes_and_skus_are_groups_joined_by_one_sign() {
    for valid in ["a", "soft-drinks", "7", "a-b-c-9"] {
        assert!(is_code(valid), "{valid}");
    }
    for wrong in ["", "-", "a-", "-a", "a--b", "A", "é", "a b", "a\0", &"a".repeat(51)] {
        assert!(!is_code(wrong), "{wrong}");
    }
    for valid in ["COKE-355", "A", "0", "A.B_C-1"] {
        assert!(is_sku(valid), "{valid}");
    }
    for wrong in ["", "coke", "A--B", "A-", "É", "A B", &"A".repeat(41)] {
        assert!(!is_sku(wrong), "{wrong}");
    }
}

#[test]
fn texts_are_trimmed_and_an_empty_description_is_none() {
    let given = Draft {
        name: "  Limonade ".to_owned(),
        name_fr: Some(" Limonade rose".to_owned()),
        description: Some(" \n ".to_owned()),
        ..draft()
    };
    let checked = given.check().unwrap();
    assert_eq!(checked.name, "Limonade");
    assert_eq!(checked.name_fr.as_deref(), Some("Limonade rose"));
    assert_eq!(checked.description, None);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = Draft {
        sku: "lim 355".to_owned(),
        name: " ".to_owned(),
        name_en: Some("a\nb".to_owned()),
        name_fr: Some("é".repeat(201)),
        description: Some("a\0b".to_owned()),
        barcode: Some("4006381333930".to_owned()),
        category: "Soft drinks".to_owned(),
        tax_category: String::new(),
        deposit: Money::from(10_001),
        status: Status::Active,
    };
    let mut found = pointers(wrong.check());
    found.sort();
    assert_eq!(
        found,
        [
            "/barcode",
            "/category",
            "/deposit/amount",
            "/description",
            "/name",
            "/name_en",
            "/name_fr",
            "/sku",
            "/tax_category"
        ]
    );
}

#[test]
fn the_limits_themselves_are_within() {
    let at_limits = Draft {
        sku: "A".repeat(40),
        name: "é".repeat(200),
        description: Some("é".repeat(2_000)),
        deposit: Money::from(10_000),
        ..draft()
    };
    assert!(at_limits.check().is_ok());
}

#[test]
fn a_revision_is_its_version_and_its_price() {
    let revision = Revision { version: 7, price: PriceId(12) };
    assert_eq!(revision.to_string(), "7-12");
    assert_eq!(revision.predecessor().to_string(), "6-12");
}

fn price(kind: PriceKind, store: Option<i64>, starts_at: &str, ends_at: Option<&str>) -> PriceDraft {
    PriceDraft {
        kind,
        store: store.map(StoreId),
        amount: Money::from(299),
        starts_at: starts_at.parse().unwrap(),
        ends_at: ends_at.map(|at| at.parse().unwrap()),
    }
}

#[test]
fn a_price_has_a_period_that_fits_its_kind() {
    use PriceKind::{Promo, Regular};
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let (today, later) = ("2026-11-22T12:00:00Z", "2026-12-01T05:00:00Z");
    for valid in [
        price(Regular, None, today, None),
        price(Regular, None, later, None),
        price(Regular, Some(1), today, None),
        price(Regular, Some(1), today, Some(later)),
        price(Promo, None, today, Some(later)),
    ] {
        assert_eq!(valid.clone().check(now), Ok(valid));
    }
    for (wrong, pointer) in [
        (price(Regular, None, "2026-11-22T11:59:59.999999Z", None), "/starts_at"),
        (price(Regular, None, today, Some(later)), "/ends_at"),
        (price(Regular, Some(1), later, Some(later)), "/ends_at"),
        (price(Promo, None, today, None), "/ends_at"),
        (price(Promo, Some(0), today, Some(later)), "/store_id"),
    ] {
        assert_eq!(pointers(wrong.check(now)), [pointer]);
    }
    for cents in [-1, 10_000_001] {
        let wrong = PriceDraft { amount: Money::from(cents), ..PriceDraft::regular(Money::ZERO, now) };
        assert_eq!(pointers(wrong.check(now)), ["/amount/amount"]);
    }
}

#[test]
fn a_percentage_is_read_as_it_is_written() {
    for (text, thousandths) in
        [("5", 5_000), ("9.975", 9_975), ("9.5", 9_500), ("0", 0), ("0.001", 1), ("100", 100_000), ("100.000", 100_000)]
    {
        let rate = parse_percent(text).unwrap();
        assert_eq!(rate, TaxRate::from_thousandths(thousandths).unwrap(), "{text}");
        assert_eq!(parse_percent(&percent(rate)), Some(rate), "{text}");
    }
    assert_eq!(percent(TaxRate::GST), "5.000");
    assert_eq!(percent(TaxRate::QST), "9.975");
    for wrong in ["", ".", "5.", ".5", "-1", "+1", "1e1", "9.9751", "100.001", "1000", "5 %", "٥"] {
        assert_eq!(parse_percent(wrong), None, "{wrong}");
    }
}

#[test]
fn instants_before_our_era_are_not_stored() {
    assert!(is_storable("0001-01-01T00:00:00Z".parse().unwrap()));
    assert!(!is_storable("0000-12-31T23:59:59Z".parse().unwrap()));
    assert!(!is_storable(Timestamp::MIN));
    assert!(is_storable(Timestamp::MAX));
}
