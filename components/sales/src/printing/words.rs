//! The words of what is printed, and how amounts and rates are written: in French and in English.

use pricing::{Money, Tax, TaxRate};

use crate::domain::Method;

/// What a print is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    French,
    English,
}

/// Every word that is printed.
pub(super) struct Words {
    pub receipt: &'static str,
    pub register: &'static str,
    pub cashier: &'static str,
    pub voided: &'static str,
    pub discount: &'static str,
    pub subtotal: &'static str,
    pub gst: &'static str,
    pub qst: &'static str,
    pub deposit: &'static str,
    pub total: &'static str,
    pub rounding: &'static str,
    pub payable: &'static str,
    pub change: &'static str,
    pub cash: &'static str,
    pub card: &'static str,
    pub gift_card: &'static str,
    pub online: &'static str,
    pub thanks: &'static str,
    pub x_report: &'static str,
    pub z_report: &'static str,
    pub opened: &'static str,
    pub closed: &'static str,
    pub first_number: &'static str,
    pub last_number: &'static str,
    pub sales: &'static str,
    pub voids: &'static str,
    pub returns: &'static str,
    pub gross: &'static str,
    pub net: &'static str,
    pub refunds: &'static str,
    pub payments: &'static str,
    pub drawer: &'static str,
    pub opening_float: &'static str,
    pub cash_in: &'static str,
    pub cash_out: &'static str,
    pub expected: &'static str,
    pub counted: &'static str,
    pub difference: &'static str,
}

const FRENCH: Words = Words {
    receipt: "Reçu",
    register: "Caisse",
    cashier: "Caissier",
    voided: "VENTE ANNULÉE",
    discount: "Rabais",
    subtotal: "Sous-total",
    gst: "TPS",
    qst: "TVQ",
    deposit: "Consigne",
    total: "Total",
    rounding: "Arrondi",
    payable: "À payer",
    change: "Monnaie rendue",
    cash: "Comptant",
    card: "Carte",
    gift_card: "Carte-cadeau",
    online: "Paiement en ligne",
    thanks: "Merci et à bientôt !",
    x_report: "Rapport X",
    z_report: "Rapport Z",
    opened: "Ouverture",
    closed: "Fermeture",
    first_number: "Premier reçu",
    last_number: "Dernier reçu",
    sales: "Ventes",
    voids: "Annulations",
    returns: "Retours",
    gross: "Ventes brutes",
    net: "Ventes nettes",
    refunds: "Remboursements",
    payments: "Paiements",
    drawer: "Tiroir-caisse",
    opening_float: "Fonds de caisse",
    cash_in: "Entrées",
    cash_out: "Sorties",
    expected: "Attendu",
    counted: "Compté",
    difference: "Écart",
};

const ENGLISH: Words = Words {
    receipt: "Receipt",
    register: "Register",
    cashier: "Cashier",
    voided: "SALE VOIDED",
    discount: "Discount",
    subtotal: "Subtotal",
    gst: "GST",
    qst: "QST",
    deposit: "Deposit",
    total: "Total",
    rounding: "Rounding",
    payable: "To pay",
    change: "Change",
    cash: "Cash",
    card: "Card",
    gift_card: "Gift card",
    online: "Paid online",
    thanks: "Thank you, see you soon!",
    x_report: "X report",
    z_report: "Z report",
    opened: "Opened",
    closed: "Closed",
    first_number: "First receipt",
    last_number: "Last receipt",
    sales: "Sales",
    voids: "Voids",
    returns: "Returns",
    gross: "Gross sales",
    net: "Net sales",
    refunds: "Refunds",
    payments: "Payments",
    drawer: "Drawer",
    opening_float: "Opening float",
    cash_in: "Paid in",
    cash_out: "Paid out",
    expected: "Expected",
    counted: "Counted",
    difference: "Difference",
};

impl Language {
    /// RFC 5646.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::French => "fr",
            Language::English => "en",
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Language::French => &FRENCH,
            Language::English => &ENGLISH,
        }
    }

    /// `1 234,56 $` or `$1,234.56`.
    pub(super) fn amount(self, amount: Money) -> String {
        let (sign, cents) = (if amount.is_negative() { "-" } else { "" }, amount.abs().cents());
        let (dollars, cents) = (cents / 100, cents % 100);
        match self {
            Language::French => format!("{sign}{},{cents:02} $", grouped(dollars, ' ')),
            Language::English => format!("{sign}${}.{cents:02}", grouped(dollars, ',')),
        }
    }

    /// `TVQ (9,975 %)` or `QST (9.975%)`.
    pub(super) fn tax(self, tax: Tax, rate: TaxRate) -> String {
        let words = self.words();
        let name = match tax {
            Tax::Gst => words.gst,
            Tax::Qst => words.qst,
        };
        match self {
            Language::French => format!("{name} ({} %)", rate.to_string().trim_end_matches('%').replace('.', ",")),
            Language::English => format!("{name} ({rate})"),
        }
    }

    /// `Caissier : Julie` or `Cashier: Julie`.
    pub(super) fn labelled(self, label: &str, text: &str) -> String {
        match self {
            Language::French => format!("{label} : {text}"),
            Language::English => format!("{label}: {text}"),
        }
    }

    pub(super) const fn method(self, method: Method) -> &'static str {
        let words = self.words();
        match method {
            Method::Cash => words.cash,
            Method::Card => words.card,
            Method::GiftCard => words.gift_card,
            Method::Online => words.online,
        }
    }
}

/// Digits in threes.
fn grouped(number: i64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
