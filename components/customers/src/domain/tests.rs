//! The rules, one after the other.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::address::{Draft, Province, postal_code};
use super::loyalty::{BALANCE_MAX, Kind, Movement, Refusal, is_reference};
use super::password::Password;
use super::profile::{Profile, email_key, is_email};
use super::session::{FAILURES_MAX, GRACE, Shown, Verdict, locked_for_s, token_expires_at};
use super::{CustomerId, Language, Status};

fn noon() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn an_address_of_mail_is_told_from_what_is_none() {
    let long = format!("{}@example.com", "a".repeat(64));
    for email in ["marie@example.com", "m.tremblay+shop@mail.example.qc.ca", "o'neil@example.com", "1@2.ca", &long] {
        assert!(is_email(email), "{email}");
    }
    let too_long = format!("a{long}");
    let labels = format!("a@{}.com", "b".repeat(64));
    for other in [
        "",
        "@",
        "marie",
        "marie@",
        "@example.com",
        "marie@example",
        "marie@@example.com",
        "marie@example..com",
        ".marie@example.com",
        "marie.@example.com",
        "ma rie@example.com",
        "marie@exam ple.com",
        "mé@example.com",
        "marie@exämple.com",
        "marie@-example.com",
        "marie@example-.com",
        "marie@127.0.0.1",
        "marie@[127.0.0.1]",
        "\"marie\"@example.com",
        "marie@example.com\n",
        "Marie <marie@example.com>",
        &too_long,
        &labels,
    ] {
        assert!(!is_email(other), "{other:?}");
    }
}

#[test]
fn the_case_of_an_address_makes_no_difference() {
    assert_eq!(email_key(" Marie@Example.COM "), email_key("marie@example.com"));
    // And no rule of a language does: in Turkish this "I" would become another letter.
    assert_eq!(email_key("I@EXAMPLE.COM"), "i@example.com");
}

#[test]
fn a_profile_is_trimmed_and_everything_wrong_with_it_is_named() {
    let profile = |email: &str, name: &str, phone: Option<&str>| {
        let (email, name, phone) = (email.to_owned(), name.to_owned(), phone.map(str::to_owned));
        Profile { email, name, phone, language: Language::Fr }.check()
    };
    let checked = profile(" Marie@example.com ", " Marie ", Some("  ")).unwrap();
    assert_eq!((checked.email.as_str(), checked.name.as_str(), checked.phone), ("Marie@example.com", "Marie", None));
    for phone in ["+1 514 555 0123", "(514) 555-0123", "514.555.0123"] {
        assert!(profile("m@example.com", "M", Some(phone)).is_ok(), "{phone}");
    }
    for phone in ["555", "5145550123 ext. 4", "1+5145550123", "1234567890123456"] {
        assert!(profile("m@example.com", "M", Some(phone)).is_err(), "{phone}");
    }
    let errors = profile("marie", "\n", Some("x")).unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_deref().unwrap()).collect();
    assert_eq!(pointers, ["/email", "/phone", "/name"]);
    assert!(profile("m@example.com", &"é".repeat(200), None).is_ok());
    assert!(profile("m@example.com", &"é".repeat(201), None).is_err());
}

fn wrong(password: &str) -> Vec<String> {
    let errors = Password::new(password).check("/password", "marie.tremblay@example.com").err().unwrap_or_default();
    errors.into_iter().map(|error| error.code.into_owned()).collect()
}

#[test]
fn a_password_is_long_and_not_what_everybody_tries() {
    for good in [
        "quatre chats gris jouent",
        "correct horse battery",
        "é à ù ç ô ê ï",
        "tr0ub4dor&3-xkcd",
        "Zq8#mL2!vR5x",
        "my monkey plays football in winter",
        "passwords are a nuisance",
        "314159265358979",
        "😀😃😄😁😆😅🤣😂🙂🙃😉😊",
    ] {
        assert_eq!(wrong(good), [""; 0], "{good}");
    }
    assert_eq!(wrong("short"), ["password-too-short"]);
    assert_eq!(wrong("elevenchars"), ["password-too-short"]);
    assert_eq!(wrong(""), ["password-too-short", "password-monotonous"]);
    assert_eq!(wrong("aaaaaaaaaaaa"), ["password-monotonous"]);
    assert_eq!(wrong("abababababab"), ["password-monotonous"]);
    assert_eq!(wrong(&"abcde".repeat(26)), ["password-too-long"]);
    for common in [
        "password1234",
        "Password123!",
        "p4ssw0rd2026",
        "motdepasse123",
        "azertyuiop12",
        "qwertyuiop[]",
        "123456789012",
        "987654321098",
        "bonjour12345",
        "admin@123456",
        "comptoir2026!",
    ] {
        assert_eq!(wrong(common), ["password-too-common"], "{common}");
    }
}

#[test]
fn a_password_says_nothing_about_its_owner() {
    assert_eq!(wrong("marie.tremblay rocks"), ["password-contains-email"]);
    assert_eq!(wrong("xx Marie.Tremblay@Example.com"), ["password-contains-email"]);
    // Of a short name, the part before the @ is in many words.
    let short = Password::new("les alouettes volent");
    assert!(short.check("/password", "al@example.com").is_ok());
    assert_eq!(format!("{short:?}"), "Password");
}

#[test]
fn a_postal_code_is_written_as_canada_post_does() {
    for text in ["H2X 1Y4", "h2x1y4", "H2X-1Y4", " h2x 1y4 "] {
        assert_eq!(postal_code(text).as_deref(), Some("H2X 1Y4"), "{text}");
    }
    for text in ["K1A 0B1", "J8X 3W9", "V6Z 2Z9", "X0A 0H0", "Y1A 1A1", "A0A 0A0"] {
        assert_eq!(postal_code(text).as_deref(), Some(text));
    }
    for wrong in [
        "",
        "H2X",
        "H2X 1Y",
        "H2X  1Y4",
        "H2X 1Y45",
        "12345",
        "90210-1234",
        "D2X 1Y4",
        "W2X 1Y4",
        "Z2X 1Y4",
        "H2O 1Y4",
        "H2X 1U4",
        "2HX 1Y4",
        "HHX 1Y4",
        "H2X_1Y4",
        "é2X 1Y",
        "H2X1Y4é",
    ] {
        assert_eq!(postal_code(wrong), None, "{wrong:?}");
    }
}

#[test]
fn everything_wrong_with_an_address_is_named() {
    let blank = |text: &str| Draft {
        recipient: text.to_owned(),
        line1: text.to_owned(),
        line2: Some(text.to_owned()),
        city: text.to_owned(),
        province: Province::Qc,
        postal_code: text.to_owned(),
    };
    let errors = blank("a\tb").check().unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_deref().unwrap()).collect();
    assert_eq!(pointers, ["/postal_code", "/recipient", "/line1", "/line2", "/city"]);
    let checked = Draft { postal_code: "h2x1y4".to_owned(), line2: Some(" ".to_owned()), ..blank(" x ") }.check();
    let checked = checked.unwrap();
    assert_eq!((checked.line1.as_str(), checked.line2, checked.postal_code.as_str()), ("x", None, "H2X 1Y4"));
}

#[test]
fn ten_failures_lock_until_the_first_is_fifteen_minutes_old() {
    let failures = |count: i64| (0..count).map(|n| noon() + seconds(n)).collect::<Vec<_>>();
    let now = noon() + seconds(60);
    assert_eq!(locked_for_s(&failures(9), now), None);
    assert_eq!(locked_for_s(&failures(10), now), Some(15 * 60 - 60));
    let reversed: Vec<_> = failures(10).into_iter().rev().collect();
    assert_eq!(locked_for_s(&reversed, now), Some(15 * 60 - 60), "in any order");
    assert_eq!(locked_for_s(&failures(10), now + SignedDuration::from_millis(1)), Some(15 * 60 - 60), "rounded up");
    assert_eq!(FAILURES_MAX, 10);
}

#[test]
fn a_token_is_good_once_and_its_reuse_is_told_from_a_race() {
    let fresh = Shown { owner: Status::Active, revoked: false, expires_at: noon() + seconds(100), used_at: None };
    let used = Shown { used_at: Some(noon()), ..fresh };
    assert_eq!(fresh.verdict(noon()), Verdict::Rotate);
    assert_eq!(fresh.verdict(noon() + seconds(100)), Verdict::Refuse, "expired");
    assert_eq!(used.verdict(noon()), Verdict::Raced);
    assert_eq!(used.verdict(noon() + GRACE - SignedDuration::from_micros(1)), Verdict::Raced);
    assert_eq!(used.verdict(noon() + GRACE), Verdict::Reused);
    assert_eq!(used.verdict(noon() + seconds(1_000)), Verdict::Reused, "also once it has expired");
    for refused in [
        Shown { revoked: true, ..fresh },
        Shown { owner: Status::Suspended, ..fresh },
        Shown { owner: Status::Erased, ..fresh },
        Shown { revoked: true, ..used },
    ] {
        assert_eq!(refused.verdict(noon() + GRACE), Verdict::Refuse, "{refused:?}");
    }
}

#[test]
fn no_token_outlives_its_family() {
    let day = SignedDuration::from_hours(24);
    assert_eq!(token_expires_at(noon(), noon() + day * 90), noon() + day * 30);
    assert_eq!(token_expires_at(noon(), noon() + day * 29), noon() + day * 29);
}

#[test]
fn a_reference_needs_no_escape() {
    for good in ["order-0193d3f0-7c1e-7000-8000-000000000001:earn", "R_1.2", &"a".repeat(100)] {
        assert!(is_reference(good), "{good}");
    }
    for wrong in ["", "a b", "a/b", "é", &"a".repeat(101)] {
        assert!(!is_reference(wrong), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn a_balance_moves_by_exactly_the_points_or_not_at_all(
        balance in 0..=BALANCE_MAX, points in 1..=BALANCE_MAX, earn in any::<bool>(),
    ) {
        let kind = if earn { Kind::Earn } else { Kind::Burn };
        match (Movement { customer_id: CustomerId(1), kind, points }.apply(balance), kind) {
            (Ok(after), Kind::Earn) => prop_assert_eq!(after - balance, points),
            (Ok(after), Kind::Burn) => prop_assert_eq!(balance - after, points),
            (Err(refusal), Kind::Earn) => {
                prop_assert_eq!(refusal, Refusal::Full { balance });
                prop_assert!(balance + points > BALANCE_MAX);
            }
            (Err(refusal), Kind::Burn) => {
                prop_assert_eq!(refusal, Refusal::Insufficient { balance });
                prop_assert!(points > balance);
            }
        }
    }

    #[test]
    fn nothing_that_is_typed_breaks_a_rule(text in ".{0,140}") {
        let _ = is_email(&text);
        let _ = Password::new(text.clone()).check("/password", &text);
        if let Some(code) = postal_code(&text) {
            prop_assert_eq!(postal_code(&code), Some(code.clone()), "its own form is itself");
        }
    }
}
