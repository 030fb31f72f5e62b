//! Taxes and their rates as this service writes them: a percentage with three decimals, as text (`"9.975"`), because no
//! number in our JSON has a fraction.

use pricing::{Tax, TaxRate};

/// As stored.
pub const fn tax_as_str(tax: Tax) -> &'static str {
    match tax {
        Tax::Gst => "gst",
        Tax::Qst => "qst",
    }
}

/// From what is stored.
pub fn parse_tax(text: &str) -> Option<Tax> {
    match text {
        "gst" => Some(Tax::Gst),
        "qst" => Some(Tax::Qst),
        _ => None,
    }
}

/// As receipts and the government's bulletins abbreviate it in English.
pub const fn tax_code(tax: Tax) -> &'static str {
    match tax {
        Tax::Gst => "GST",
        Tax::Qst => "QST",
    }
}

/// `"9.975"`.
pub fn percent(rate: TaxRate) -> String {
    let thousandths = rate.thousandths();
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Reads `"5"`, `"9.5"` or `"9.975"`: at most three decimals, 0 to 100.
pub fn parse_percent(text: &str) -> Option<TaxRate> {
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let decimals = decimals.unwrap_or("0");
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 3) || !digits(decimals, 3) {
        return None;
    }
    let thousandths: i64 = format!("{whole}{decimals:0<3}").parse().ok()?;
    TaxRate::from_thousandths(thousandths).ok()
}
