//! The X and Z reports of a session.

use pricing::Money;

use super::receipt::head;
use super::{Language, Print, Row, local};
use crate::api::reports::ReportBody;
use crate::domain::report::{MethodTotal, Report};
use crate::store::registers::Store;

/// What a session comes to, or came to.
pub fn report(store: &Store, body: &ReportBody, language: Language) -> Print {
    let words = language.words();
    let title = match &body.number {
        Some(number) => format!("{} {number}", words.z_report),
        None => words.x_report.to_owned(),
    };
    let mut rows = head(store, language);
    rows.push(Row::Centred(title.clone()));
    rows.push(Row::Plain(language.labelled(words.cashier, &body.cashier)));
    rows.push(Row::Pair(words.opened.to_owned(), local(body.opened_at)));
    if let Some(at) = body.closed_at {
        rows.push(Row::Pair(words.closed.to_owned(), local(at)));
    }
    for (label, number) in
        [(words.first_number, &body.report.first_number), (words.last_number, &body.report.last_number)]
    {
        rows.extend(number.as_ref().map(|number| Row::Pair(label.to_owned(), number.clone())));
    }
    rows.push(Row::Rule);
    rows.extend(sold(&body.report, language));
    rows.push(Row::Rule);
    rows.extend(drawer(body, language));
    Print { title, rows }
}

fn sold(report: &Report, language: Language) -> Vec<Row> {
    let words = language.words();
    let pair = |label: &str, amount: Money| Row::Pair(label.to_owned(), language.amount(amount));
    let counted = |label: &str, count: i64, amount: Money| pair(&format!("{label} ({count})"), amount);
    let methods = |title: &str, totals: &[MethodTotal]| {
        let title = Row::Plain(title.to_owned());
        let rows = totals
            .iter()
            .map(|total| counted(&format!("  {}", language.method(total.method)), total.count, total.amount));
        std::iter::once(title).chain(rows).collect::<Vec<_>>()
    };
    let mut rows =
        vec![pair(words.gross, report.gross), pair(words.discount, -report.discount), pair(words.net, report.net)];
    rows.extend(report.taxes.iter().map(|group| pair(&language.tax(group.tax, group.rate), group.amount)));
    rows.push(pair(words.deposit, report.deposits));
    rows.push(Row::Strong(format!("{} ({})", words.sales, report.sales), language.amount(report.total)));
    rows.push(pair(words.rounding, report.cash_rounding));
    rows.push(counted(words.voids, report.voids, report.voided));
    rows.push(counted(words.returns, report.returns, report.returned.total));
    rows.push(Row::Rule);
    rows.extend(methods(words.payments, &report.payments));
    rows.push(pair(words.change, report.change));
    rows.extend(methods(words.refunds, &report.refunds));
    rows
}

fn drawer(body: &ReportBody, language: Language) -> Vec<Row> {
    let words = language.words();
    let pair = |label: &str, amount: Money| Row::Pair(label.to_owned(), language.amount(amount));
    let drawer = body.report.drawer();
    let mut rows = vec![
        Row::Plain(words.drawer.to_owned()),
        pair(words.opening_float, drawer.opening_float),
        pair(words.cash, drawer.cash_payments),
        pair(words.change, -drawer.change),
        pair(words.refunds, -drawer.cash_refunds),
        pair(words.cash_in, drawer.cash_in),
        pair(words.cash_out, -drawer.cash_out),
        Row::Strong(words.expected.to_owned(), language.amount(body.report.expected_cash)),
    ];
    rows.extend(body.counted_cash.map(|counted| pair(words.counted, counted)));
    let difference = body.difference;
    rows.extend(difference.map(|amount| Row::Strong(words.difference.to_owned(), language.amount(amount))));
    rows
}
