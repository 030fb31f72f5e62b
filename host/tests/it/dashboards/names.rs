//! The families that a query names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// What is left of a query's words without these are families.
const KEYWORDS: &[&str] = &["and", "bool", "offset", "or", "unless"];

/// Once the texts are gone: selectors, ranges, lists of labels.
static ASIDE: LazyLock<Regex> = LazyLock::new(|| {
    let labels = r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)";
    Regex::new(&format!(r"\{{[^}}]*\}}|\[[^\]]*\]|{labels}")).expect("a pattern")
});
static TEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""(?:[^"\\]|\\.)*""#).expect("a pattern"));
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\w:.]+").expect("a pattern"));

pub fn names_in(query: &str) -> BTreeSet<String> {
    let query = TEXT.replace_all(query, " ");
    let query = ASIDE.replace_all(&query, " ");
    let is_family = |word: &regex::Match<'_>| {
        let is_function = query[word.end()..].trim_start().starts_with('(');
        let is_number = word.as_str().starts_with(|first: char| first.is_ascii_digit());
        !is_function && !is_number && !KEYWORDS.contains(&word.as_str())
    };
    WORD.find_iter(&query).filter(is_family).map(|word| word.as_str().to_owned()).collect()
}

#[test]
fn names_are_told_from_labels_functions_and_numbers() {
    let query = r#"
        histogram_quantile(0.99, sum by (le, service) (rate(a_bucket{route!~"b|c(d)",le="1"}[$__rate_interval])))
          / on (service) group_left () (service:errors:rate5m > bool 14.4 * 0.001)
        unless e_total offset 1h or vector(0) and time() - up
    "#;
    let names: Vec<String> = names_in(query).into_iter().collect();
    assert_eq!(names, ["a_bucket", "e_total", "service:errors:rate5m", "up"]);
}
