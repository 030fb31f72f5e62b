//! What a cart costs: the amounts as products quotes them, and the same computed from cached prices
//! when products does not answer. Both are the arithmetic of crate `pricing`, so both say the same
//! to the cent as long as the cached prices are the current ones.

use pricing::{Money, QuoteError, QuotedLine, Tax, TaxGroup, TaxRate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KnownLine, ProductId, Snapshot};

/// How the cart is going to be paid, which decides what is payable: cash is rounded to five cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Payment {
    Cash,
    Card,
}

/// Every amount of a cart; the members of a price quote of products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amounts {
    /// In the order of the cart.
    pub lines: Vec<LineAmounts>,
    /// Before discounts.
    pub gross: Money,
    pub discount: Money,
    /// After discounts, before taxes: the sum of the lines' `net`.
    pub subtotal: Money,
    /// By tax and rate; what is taxed at nothing is not among them.
    pub taxes: Vec<TaxAmount>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    pub total: Money,
    /// The total to five cents, for cash.
    pub cash_total: Money,
    /// `cash_total` less `total`.
    pub cash_rounding: Money,
    /// `cash_total` for cash, `total` otherwise.
    pub payable: Money,
}

/// Every amount of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineAmounts {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = 2)]
    pub quantity: u32,
    pub unit_price: Money,
    /// `unit_price * quantity`.
    pub gross: Money,
    pub discount: Money,
    /// `gross` less `discount`.
    pub net: Money,
    #[schema(example = "standard")]
    pub tax_category: String,
    /// The line's share of the GST; the shares sum to it.
    pub gst: Money,
    /// The line's share of the QST; the shares sum to it.
    pub qst: Money,
    /// On all containers of the line.
    pub deposit: Money,
    /// `net` and its taxes and deposits.
    pub total: Money,
}

/// A tax, rounded once on the sum of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxAmount {
    /// `GST` or `QST`.
    #[schema(example = "QST")]
    pub code: String,
    /// In percent.
    #[schema(example = "9.975")]
    pub rate: String,
    /// The sum of the lines that it is on.
    pub taxable: Money,
    pub amount: Money,
}

/// The amounts of known lines. A line without a snapshot is left out: the caller refuses it.
pub fn amounts(lines: &[KnownLine], payment: Option<Payment>) -> Result<Amounts, QuoteError> {
    let known: Vec<(u32, &Snapshot)> = lines
        .iter()
        // A quantity is positive by constraint; were it not, the quote refuses zero.
        .filter_map(|line| Some((u32::try_from(line.quantity).unwrap_or(0), line.product.as_ref()?)))
        .collect();
    let priced: Vec<pricing::Line> = known
        .iter()
        .map(|(quantity, product)| pricing::Line {
            unit_deposit: product.deposit,
            ..pricing::Line::new(product.price, *quantity, product.rates)
        })
        .collect();
    let quote = pricing::quote(&priced, Money::ZERO)?;
    let payable = match payment {
        Some(Payment::Cash) => quote.cash_total,
        Some(Payment::Card) | None => quote.total,
    };
    let lines = known.iter().zip(&quote.lines).map(|((_, product), line)| shown(product, line));
    Ok(Amounts {
        lines: lines.collect(),
        gross: quote.gross,
        discount: quote.discount,
        subtotal: quote.subtotal,
        taxes: quote.taxes.iter().map(tax).collect(),
        deposits: quote.deposits,
        total: quote.total,
        cash_total: quote.cash_total,
        cash_rounding: quote.cash_rounding,
        payable,
    })
}

fn shown(product: &Snapshot, line: &QuotedLine) -> LineAmounts {
    LineAmounts {
        product_id: product.product_id,
        sku: product.sku.clone(),
        name: product.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        gross: line.gross,
        discount: line.discount,
        net: line.net,
        tax_category: product.tax_category.clone(),
        gst: line.gst,
        qst: line.qst,
        deposit: line.deposit,
        total: line.total,
    }
}

fn tax(group: &TaxGroup) -> TaxAmount {
    let code = match group.tax {
        Tax::Gst => "GST",
        Tax::Qst => "QST",
    };
    TaxAmount { code: code.to_owned(), rate: percent(group.rate), taxable: group.base, amount: group.amount }
}

/// `"9.975"`: no number in our JSON has a fraction.
fn percent(rate: TaxRate) -> String {
    let thousandths = rate.thousandths();
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Reads what [`percent`] writes: at most three decimals, 0 to 100.
pub fn parse_percent(text: &str) -> Option<TaxRate> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || decimals.is_empty() || !digits(decimals) {
        return None;
    }
    let thousandths = format!("{whole}{decimals:0<3}").parse().ok()?;
    TaxRate::from_thousandths(thousandths).ok()
}
