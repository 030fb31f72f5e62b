//! How amounts are written and rows are laid out; whole receipts are in the service's own tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use pricing::{Money, Tax, TaxRate};
use sha2::{Digest, Sha256};

use super::text::WIDTH;
use super::{Language, Medium, Print, Row, html, local};

fn print(rows: Vec<Row>) -> Print {
    Print { title: "Reçu 1-2-000042".to_owned(), rows }
}

#[test]
fn amounts_and_rates_are_written_as_in_the_language() {
    let both = |cents| [Language::French, Language::English].map(|l| l.amount(Money::from_cents(cents).unwrap()));
    assert_eq!(both(1_118), ["11,18 $", "$11.18"]);
    assert_eq!(both(-5), ["-0,05 $", "-$0.05"]);
    assert_eq!(both(123_456_789), ["1 234 567,89 $", "$1,234,567.89"]);
    assert_eq!(both(100_000), ["1 000,00 $", "$1,000.00"]);
    assert_eq!(Language::French.tax(Tax::Qst, TaxRate::QST), "TVQ (9,975 %)");
    assert_eq!(Language::English.tax(Tax::Gst, TaxRate::GST), "GST (5%)");
}

/// Daylight saving time began on 8 March and ended on 1 November 2026.
#[test]
fn the_time_is_that_of_the_shop() {
    let at = |text: &str| local(text.parse::<Timestamp>().unwrap());
    assert_eq!(at("2026-03-08T06:59:00Z"), "2026-03-08 01:59");
    assert_eq!(at("2026-03-08T07:00:00Z"), "2026-03-08 03:00");
    assert_eq!(at("2026-11-01T05:59:00Z"), "2026-11-01 01:59");
    assert_eq!(at("2026-11-01T06:00:00Z"), "2026-11-01 01:00");
    assert_eq!(at("2026-11-25T04:30:00Z"), "2026-11-24 23:30");
}

#[test]
fn no_line_is_wider_than_the_paper_and_amounts_stand_at_its_edge() {
    let long = "Jus de pomme de l'Île-d'Orléans non filtré, cru d'automne";
    let rows = vec![
        Row::Centred(long.to_owned()),
        Row::Pair(long.to_owned(), "1 234,56 $".to_owned()),
        Row::Pair(format!("  {long}"), "5,98 $".to_owned()),
        Row::Plain("é".repeat(100)),
        Row::Pair("x".repeat(41), "5,98 $".to_owned()),
        Row::Rule,
    ];
    let text = print(rows).render(Medium::Text, Language::French);
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
        assert!(!line.ends_with(' '), "{line:?}");
        assert_eq!(line.ends_with('$'), line.chars().count() == WIDTH && line.contains('$'), "{line:?}");
    }
    assert_eq!(text.lines().filter(|line| line.ends_with('$')).count(), 3);
    assert_eq!(text.lines().last().unwrap(), "-".repeat(WIDTH));
}

#[test]
fn a_page_is_nothing_but_text_and_loads_nothing() {
    let evil = "<script>alert('\"&\"')</script>";
    let rows = vec![
        Row::Centred(evil.to_owned()),
        Row::Plain(evil.to_owned()),
        Row::Pair(evil.to_owned(), evil.to_owned()),
        Row::Strong("Total".to_owned(), "11,18 $".to_owned()),
        Row::Rule,
    ];
    let page = print(rows).render(Medium::Html, Language::French);
    assert!(page.starts_with("<!doctype html>\n<html lang=\"fr\">"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    assert_eq!(page.matches("&lt;script&gt;alert(&#39;&quot;&amp;&quot;&#39;)&lt;/script&gt;").count(), 4);
    for loaded in ["src=", "href=", "url(", "http:", "https:", "@import"] {
        assert!(!page.contains(loaded), "{loaded}: {page}");
    }
}

#[test]
fn the_policy_allows_the_one_style_that_there_is() {
    let digest = STANDARD.encode(Sha256::digest(html::STYLE));
    assert!(Medium::Html.policy().contains(&format!("style-src 'sha256-{digest}'")), "{digest}");
    assert!(Medium::Html.policy().starts_with("default-src 'none';"));
}
