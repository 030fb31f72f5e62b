//! A sale as it is recorded, for good.

use jiff::Timestamp;
use pricing::{Money, Quote, QuotedLine, ReturnLine, SoldLine, TaxGroup, TaxRates};

use super::effect::Units;
use super::{
    Channel, CheckoutId, CustomerId, LocationId, Method, OrderId, PaymentId, ProductId, RegisterId, SaleId, SessionId,
    Status,
};

/// A sale without its lines and payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub id: SaleId,
    pub register_id: RegisterId,
    /// Whose sale it is.
    pub store_id: LocationId,
    /// None of what was bought online.
    pub session_id: Option<SessionId>,
    /// Of the register, from 1.
    pub seq: i64,
    pub number: String,
    pub channel: Channel,
    pub status: Status,
    pub cashier: Option<String>,
    pub customer_id: Option<CustomerId>,
    pub order_id: Option<OrderId>,
    pub checkout_id: Option<CheckoutId>,
    pub payment_id: Option<PaymentId>,
    pub offline: bool,
    /// Whether a price was charged that was not the one of the catalogue.
    pub price_differs: bool,
    pub totals: Totals,
    pub cash_rounding: Money,
    pub payable: Money,
    pub change: Money,
    /// The total of what came back so far.
    pub refunded: Money,
    /// Counts its events.
    pub version: i64,
    /// Which business day it belongs to.
    pub sold_at: Timestamp,
    pub recorded_at: Timestamp,
    pub recorded_by: String,
    pub voided_at: Option<Timestamp>,
    pub voided_by: Option<String>,
    pub void_reason: Option<String>,
}

/// Every amount of a sale, each the sum of its lines'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    pub gross: Money,
    pub discount: Money,
    pub subtotal: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
}

/// What is sold of a product, before it is priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    /// What the catalogue has for it.
    pub list_unit_price: Money,
    pub unit_deposit: Money,
    pub tax_category: String,
}

/// A line of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub line: i32,
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
    pub list_unit_price: Money,
    pub unit_deposit: Money,
    pub tax_category: String,
    pub rates: TaxRates,
    pub gross: Money,
    pub discount: Money,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
    /// Units that came back so far.
    pub returned: u32,
}

/// Money that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub method: Method,
    pub amount: Money,
    pub reference: Option<String>,
}

/// A sale with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    pub sale: Sale,
    pub lines: Vec<Line>,
    pub payments: Vec<Payment>,
}

impl Dossier {
    /// The taxes by tax and rate, from the lines as they are recorded.
    ///
    /// # Errors
    /// When the lines are not such as a sale is made with.
    pub fn taxes(&self) -> Result<Vec<TaxGroup>, pricing::MoneyError> {
        pricing::breakdown(self.lines.iter().map(|line| (line.net, line.rates)))
    }

    /// What left the shelf.
    pub fn units(&self) -> Vec<Units> {
        Units::of(self.lines.iter().map(|line| (line.product_id, line.quantity)))
    }

    /// Whether nothing is left that could come back.
    pub fn is_all_back(&self) -> bool {
        self.lines.iter().all(|line| line.returned == line.quantity)
    }

    /// Cash that stayed in the drawer.
    ///
    /// # Errors
    /// When the payments are beyond the bound of money.
    pub fn cash_kept(&self) -> Result<Money, pricing::MoneyError> {
        let cash = self.payments.iter().filter(|payment| payment.method == Method::Cash);
        Money::try_sum(cash.map(|payment| payment.amount))?.try_sub(self.sale.change)
    }
}

impl Line {
    /// A line with the amounts that it was quoted.
    pub fn of(number: i32, item: Item, quoted: &QuotedLine) -> Line {
        Line {
            line: number,
            product_id: item.product_id,
            sku: item.sku,
            name: item.name,
            quantity: quoted.quantity,
            unit_price: quoted.unit_price,
            list_unit_price: item.list_unit_price,
            unit_deposit: item.unit_deposit,
            tax_category: item.tax_category,
            rates: quoted.rates,
            gross: quoted.gross,
            discount: quoted.discount,
            net: quoted.net,
            gst: quoted.gst,
            qst: quoted.qst,
            deposit: quoted.deposit,
            total: quoted.total,
            returned: 0,
        }
    }

    /// As [`pricing::refund`] wants it: so many units, after `before` of them have come back.
    pub fn returning(&self, before: u32, units: u32) -> ReturnLine {
        let sold =
            SoldLine { quantity: self.quantity, net: self.net, gst: self.gst, qst: self.qst, deposit: self.deposit };
        ReturnLine { sold, returned_before: before, returning: units }
    }

    /// Units that have not come back.
    pub fn kept(&self) -> u32 {
        self.quantity.saturating_sub(self.returned)
    }
}

impl From<&Quote> for Totals {
    fn from(quote: &Quote) -> Totals {
        Totals {
            gross: quote.gross,
            discount: quote.discount,
            subtotal: quote.subtotal,
            gst: quote.gst,
            qst: quote.qst,
            deposits: quote.deposits,
            total: quote.total,
        }
    }
}
