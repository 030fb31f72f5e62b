//! What is printed: receipts and reports, for a printer of 42 columns or as a page that needs nothing else; in French
//! or in English.
//!
//! Rows are put together once, in `printing/receipt.rs` and `printing/report.rs`, and become text or HTML in
//! `printing/text.rs` and `printing/html.rs`. The words are in `printing/words.rs`.

mod html;
pub mod receipt;
pub mod report;
#[cfg(test)]
mod tests;
mod text;
mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use words::Language;

/// America/Toronto, since 2007: there is no database of time zones in a sandbox.
const BUSINESS_ZONE: &str = "EST5EDT,M3.2.0,M11.1.0";

/// What a print is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Text,
    Html,
}

/// A row of what is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Centred(String),
    Plain(String),
    /// What something is, and how much of it.
    Pair(String, String),
    /// The same, to be seen at once.
    Strong(String, String),
    Rule,
}

/// Something to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    title: String,
    rows: Vec<Row>,
}

impl Medium {
    pub const fn content_type(self) -> &'static str {
        match self {
            Medium::Text => "text/plain; charset=utf-8",
            Medium::Html => "text/html; charset=utf-8",
        }
    }

    /// Nothing is loaded and nothing runs; the one style that there is is known by its digest.
    pub const fn policy(self) -> &'static str {
        match self {
            Medium::Text => "default-src 'none'; frame-ancestors 'none'",
            Medium::Html => html::POLICY,
        }
    }
}

impl Print {
    pub fn render(&self, medium: Medium, language: Language) -> String {
        match medium {
            Medium::Text => text::render(self),
            Medium::Html => html::render(self, language),
        }
    }
}

/// `2026-11-24 14:03`, by the clock of the shop.
fn local(at: Timestamp) -> String {
    let zone = TimeZone::posix(BUSINESS_ZONE).unwrap_or(TimeZone::UTC);
    let at = at.to_zoned(zone);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute())
}
