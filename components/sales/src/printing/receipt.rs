//! The receipt of a sale.

use pricing::{Money, MoneyError};

use super::{Language, Print, Row, local};
use crate::domain::sale::{Dossier, Line};
use crate::domain::session::Register;
use crate::domain::{Channel, Status};
use crate::store::registers::Store;

/// What the customer is given.
///
/// # Errors
/// When the stored lines do not add up, which is a bug.
pub fn receipt(store: &Store, register: &Register, dossier: &Dossier, language: Language) -> Result<Print, MoneyError> {
    let (words, sale) = (language.words(), &dossier.sale);
    let amount = |of: Money| language.amount(of);
    let mut rows = head(store, language);
    rows.push(Row::Pair(format!("{} {}", words.receipt, sale.number), local(sale.sold_at)));
    if sale.channel == Channel::Store {
        let cashier = sale.cashier.as_deref().unwrap_or_default();
        rows.push(Row::Plain(language.labelled(words.register, &register.code)));
        rows.push(Row::Plain(language.labelled(words.cashier, cashier)));
    }
    if sale.status == Status::Voided {
        rows.push(Row::Centred(format!("*** {} ***", words.voided)));
    }
    rows.push(Row::Rule);
    dossier.lines.iter().for_each(|line| line_rows(&mut rows, line, language));
    rows.push(Row::Rule);
    rows.push(Row::Pair(words.subtotal.to_owned(), amount(sale.totals.subtotal)));
    for group in dossier.taxes()? {
        rows.push(Row::Pair(language.tax(group.tax, group.rate), amount(group.amount)));
    }
    if !sale.totals.deposits.is_zero() {
        rows.push(Row::Pair(words.deposit.to_owned(), amount(sale.totals.deposits)));
    }
    rows.push(Row::Strong(words.total.to_owned(), amount(sale.totals.total)));
    if !sale.cash_rounding.is_zero() {
        rows.push(Row::Pair(words.rounding.to_owned(), amount(sale.cash_rounding)));
        rows.push(Row::Strong(words.payable.to_owned(), amount(sale.payable)));
    }
    rows.push(Row::Rule);
    for payment in &dossier.payments {
        rows.push(Row::Pair(language.method(payment.method).to_owned(), amount(payment.amount)));
    }
    if !sale.change.is_zero() {
        rows.push(Row::Pair(words.change.to_owned(), amount(sale.change)));
    }
    rows.push(Row::Rule);
    rows.push(Row::Centred(words.thanks.to_owned()));
    Ok(Print { title: format!("{} {}", words.receipt, sale.number), rows })
}

/// Whose paper it is, with the numbers that the law wants on it.
pub(super) fn head(store: &Store, language: Language) -> Vec<Row> {
    let words = language.words();
    vec![
        Row::Centred(store.name.clone()),
        Row::Centred(store.street.clone()),
        Row::Centred(store.city.clone()),
        Row::Centred(format!("{} {}", words.gst, store.gst_number)),
        Row::Centred(format!("{} {}", words.qst, store.qst_number)),
        Row::Rule,
    ]
}

fn line_rows(rows: &mut Vec<Row>, line: &Line, language: Language) {
    let words = language.words();
    if line.quantity == 1 {
        rows.push(Row::Pair(line.name.clone(), language.amount(line.gross)));
    } else {
        rows.push(Row::Plain(line.name.clone()));
        let units = format!("  {} x {}", line.quantity, language.amount(line.unit_price));
        rows.push(Row::Pair(units, language.amount(line.gross)));
    }
    if !line.discount.is_zero() {
        rows.push(Row::Pair(format!("  {}", words.discount), language.amount(-line.discount)));
    }
}
