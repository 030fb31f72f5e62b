//! Reports as spreadsheets: CSV as in RFC 4180, with a header, in UTF-8.

use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pricing::Money;
use sdk::{Problem, Result};

use super::sales::{SalesReport, SalesRow};

/// Whether everything was known, since there is no room for it in a table.
const X_COMPLETE: HeaderName = HeaderName::from_static("x-report-complete");

const HEADER: [&str; 13] = [
    "key",
    "name",
    "sales",
    "units",
    "gross_cad",
    "discounts_cad",
    "returned_cad",
    "net_cad",
    "gst_cad",
    "qst_cad",
    "deposits_cad",
    "total_cad",
    "refunded_cad",
];

/// What a client would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    /// The one with the greater weight (RFC 9110, 12.5.1); JSON, if both have the same.
    ///
    /// # Errors
    /// 406 when it is neither.
    pub fn accepted(headers: &HeaderMap) -> Result<Format> {
        let values = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or_default());
        let accept: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let accept: Vec<&str> = accept.into_iter().filter(|range| !range.is_empty()).collect();
        if accept.is_empty() {
            return Ok(Format::Json);
        }
        let [json, csv] = [("application", "json"), ("text", "csv")].map(|it| weight(&accept, it));
        match (json, csv) {
            (0, 0) => Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable")
                .detail("this is to be had as application/json and as text/csv")),
            _ if csv > json => Ok(Format::Csv),
            _ => Ok(Format::Json),
        }
    }
}

/// From 0 to 1000, of the most specific range that it is in.
fn weight(accept: &[&str], (kind, subtype): (&str, &str)) -> u32 {
    let weights = accept.iter().filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let (of_kind, of_subtype) = parts.next()?.split_once('/')?;
        let specific = match () {
            () if of_kind.eq_ignore_ascii_case(kind) && of_subtype.eq_ignore_ascii_case(subtype) => 2,
            () if of_kind.eq_ignore_ascii_case(kind) && of_subtype == "*" => 1,
            () if of_kind == "*" && of_subtype == "*" => 0,
            () => return None,
        };
        let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
        Some((specific, quality.map_or(1_000, thousandths)))
    });
    weights.max_by_key(|(specific, _)| *specific).map_or(0, |(_, weight)| weight)
}

/// `0.8` as 800; what is no weight counts as none.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.len(), digits.parse::<u32>()) {
        ("1", 3, Ok(0)) => 1_000,
        ("0", 3, Ok(thousandths)) => thousandths,
        _ => 0,
    }
}

/// Sales by something.
///
/// # Errors
/// When it cannot be written, which is a bug.
pub fn sales(report: &SalesReport) -> Result<Response> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER).map_err(Problem::internal)?;
    for row in &report.data {
        writer.write_record(cells(row)).map_err(Problem::internal)?;
    }
    let body = writer.into_inner().map_err(Problem::internal)?;
    let name = format!("sales-by-{}-{}-{}.csv", report.group_by.as_str(), report.period.from, report.period.to);
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?),
        (X_COMPLETE, HeaderValue::from_static(if report.freshness.complete { "true" } else { "false" })),
    ];
    Ok((headers, body).into_response())
}

fn cells(row: &SalesRow) -> [String; 13] {
    let money = |amount: Option<Money>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    [
        text(row.key.as_deref()),
        text(row.name.as_deref()),
        row.sales.to_string(),
        row.units.map(|units| units.to_string()).unwrap_or_default(),
        money(row.gross),
        money(row.discounts),
        money(row.returned),
        money(row.net),
        money(row.gst),
        money(row.qst),
        money(row.deposits),
        row.total.to_string(),
        row.refunded.to_string(),
    ]
}

/// Somebody's text. What a spreadsheet would take for a formula is led in by an apostrophe, which makes it text.
fn text(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<Format> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        Format::accepted(&headers).ok()
    }

    #[test]
    fn the_client_chooses() {
        assert_eq!(Format::accepted(&HeaderMap::new()).unwrap(), Format::Json);
        for json in
            ["", "*/*", "application/json", "text/*;q=0.5, application/json", "text/csv;q=0, */*", "text/csv, */*"]
        {
            assert_eq!(of(json), Some(Format::Json), "{json}");
        }
        for csv in ["text/csv", "TEXT/CSV", "text/*", "application/json;q=0.8, text/csv;q=0.9", "text/csv, */*;q=0.1"] {
            assert_eq!(of(csv), Some(Format::Csv), "{csv}");
        }
        for neither in ["application/xml", "text/csv;q=0", "junk", "application/json;q=x", "text/csv;q=1.5"] {
            assert_eq!(of(neither), None, "{neither}");
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        for (given, written) in [
            ("Coke", "Coke"),
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("-1+1", "'-1+1"),
            ("+1", "'+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(text(Some(given)), written);
        }
        assert_eq!(text(None), "");
    }
}
