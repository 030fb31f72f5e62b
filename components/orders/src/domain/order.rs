//! An order as it is: what was bought, and how far it has come.

use jiff::Timestamp;
use pricing::{Money, Quote, QuotedLine, ReturnLine, SoldLine, TaxGroup, TaxRates};

use super::draft::{Draft, DraftLine, Fulfilment, Method};
use super::{
    CheckoutId, CustomerId, LocationId, OrderId, PaymentId, PaymentStatus, ProductId, ReservationId, Standing, Status,
};

/// An order without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub number: i64,
    pub customer_id: CustomerId,
    pub checkout_id: CheckoutId,
    pub reservation_id: ReservationId,
    pub payment_id: PaymentId,
    /// Whose sale it is.
    pub store_id: LocationId,
    /// Whose stock it takes.
    pub location_id: LocationId,
    pub status: Status,
    pub payment_status: PaymentStatus,
    pub fulfilment: Fulfilment,
    /// What the customer shows at the counter.
    pub pickup_code: Option<String>,
    /// Wrong codes so far.
    pub pickup_failures: i32,
    pub totals: Totals,
    pub captured: Money,
    /// Decided; carried out by now or soon.
    pub refunded: Money,
    /// Counts its events.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Since when it is a sale; null for one that never was.
    pub confirmed_at: Option<Timestamp>,
}

/// Every amount of an order, each the sum of its lines'.
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

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub line: i32,
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
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
    /// Units refunded so far.
    pub returned: u32,
}

/// An order and its lines: all that a decision is made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    pub order: Order,
    pub lines: Vec<Line>,
}

impl Order {
    pub fn standing(&self) -> Standing {
        let pickup = self.fulfilment.method == Method::Pickup;
        Standing { status: self.status, payment: self.payment_status, pickup }
    }
}

impl Dossier {
    /// The taxes by tax and rate, from the lines as they are stored.
    ///
    /// # Errors
    /// When the lines are not such as an order is made with.
    pub fn taxes(&self) -> Result<Vec<TaxGroup>, pricing::MoneyError> {
        pricing::breakdown(self.lines.iter().map(|line| (line.net, line.rates)))
    }

    /// Whether it was made of that draft: a checkout that repeats itself sends the same.
    pub fn is_of(&self, draft: &Draft) -> bool {
        let order = &self.order;
        let ids = (order.checkout_id, order.reservation_id, order.payment_id, order.customer_id);
        let places = (order.store_id, order.location_id, &order.fulfilment, order.totals.total);
        ids == (draft.checkout_id, draft.reservation_id, draft.payment_id, draft.customer_id)
            && places == (draft.store_id, draft.location(), &draft.fulfilment, draft.total)
            && self.lines.iter().map(Line::draft).eq(draft.lines.iter().cloned())
    }
}

impl Line {
    /// A line of a draft, with the amounts that it was quoted.
    pub fn of(number: i32, draft: &DraftLine, quoted: &QuotedLine) -> Line {
        Line {
            line: number,
            product_id: draft.product_id,
            sku: draft.sku.clone(),
            name: draft.name.clone(),
            quantity: quoted.quantity,
            unit_price: quoted.unit_price,
            unit_deposit: draft.unit_deposit,
            tax_category: draft.tax_category.clone(),
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

    fn draft(&self) -> DraftLine {
        DraftLine {
            product_id: self.product_id,
            sku: self.sku.clone(),
            name: self.name.clone(),
            quantity: self.quantity,
            unit_price: self.unit_price,
            discount: self.discount,
            unit_deposit: self.unit_deposit,
            tax_category: self.tax_category.clone(),
            rates: self.rates,
        }
    }

    /// Units that have not come back.
    pub fn kept(&self) -> u32 {
        self.quantity.saturating_sub(self.returned)
    }

    /// As [`pricing::refund`] wants it.
    pub fn returning(&self, units: u32) -> ReturnLine {
        let sold =
            SoldLine { quantity: self.quantity, net: self.net, gst: self.gst, qst: self.qst, deposit: self.deposit };
        ReturnLine { sold, returned_before: self.returned, returning: units }
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
