//! What the world is told: events whose payload has all that reports need, so that nobody has to ask.
//!
//! An event shows the order as it is after it. No address and no code: events are kept for good and
//! personal data is not.

use jiff::Timestamp;
use pricing::{Money, TaxGroup, TaxRates};
use sdk::outbox::Event;
use sdk::{Problem, Result};
use serde::Serialize;

use crate::domain::decision::{Decision, Happening};
use crate::domain::draft::Method;
use crate::domain::order::Line;
use crate::domain::refund::{Goods, Refund, RefundLine};
use crate::domain::{
    CheckoutId, CustomerId, LocationId, Number, OrderId, PaymentId, PaymentStatus, ProductId, RefundId, Status,
};

/// How goods are sold here; the tills have another.
const CHANNEL: &str = "online";

/// An order, as an event tells of it.
#[derive(Clone, Debug, Serialize)]
struct Told<'a> {
    order_id: OrderId,
    number: String,
    channel: &'static str,
    status: Status,
    payment_status: PaymentStatus,
    customer_id: CustomerId,
    checkout_id: CheckoutId,
    payment_id: PaymentId,
    store_id: LocationId,
    location_id: LocationId,
    method: Method,
    created_at: Timestamp,
    /// Since when it is a sale. Null: it never was, and a refund of it is no return.
    confirmed_at: Option<Timestamp>,
    lines: Vec<ToldLine<'a>>,
    gross: Money,
    discount: Money,
    subtotal: Money,
    gst: Money,
    qst: Money,
    taxes: Vec<TaxGroup>,
    deposits: Money,
    total: Money,
    captured: Money,
    /// So far.
    refunded: Money,
    /// With `order.refunded`: what came back this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<ToldRefund<'a>>,
}

#[derive(Clone, Debug, Serialize)]
struct ToldLine<'a> {
    product_id: ProductId,
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    /// So far.
    returned: u32,
    unit_price: Money,
    gross: Money,
    discount: Money,
    net: Money,
    tax_category: &'a str,
    rates: TaxRates,
    gst: Money,
    qst: Money,
    deposit: Money,
    total: Money,
}

#[derive(Clone, Debug, Serialize)]
struct ToldRefund<'a> {
    refund_id: RefundId,
    goods: Goods,
    reason: Option<&'a str>,
    lines: Vec<ToldRefundLine>,
    net: Money,
    gst: Money,
    qst: Money,
    deposits: Money,
    total: Money,
}

#[derive(Clone, Debug, Serialize)]
struct ToldRefundLine {
    product_id: ProductId,
    quantity: u32,
    net: Money,
    gst: Money,
    qst: Money,
    deposit: Money,
    total: Money,
}

/// The events of a decision.
///
/// # Errors
/// When the stored lines do not add up, which is a bug.
pub fn of(decision: &Decision) -> Result<Vec<Event>> {
    let subject = format!("order/{}", decision.order.id);
    let event = |happening: &Happening| {
        let refund = decision.refunds.iter().find(|refund| Some(refund.id) == happening.refund);
        Event::new(happening.kind, subject.clone(), happening.version, &told(decision, refund)?)
    };
    decision.happenings.iter().map(event).collect()
}

fn told<'a>(decision: &'a Decision, refund: Option<&'a Refund>) -> Result<Told<'a>, Problem> {
    let order = &decision.order;
    let taxes = pricing::breakdown(decision.lines.iter().map(|line| (line.net, line.rates)))?;
    Ok(Told {
        order_id: order.id,
        number: Number(order.number).to_string(),
        channel: CHANNEL,
        status: order.status,
        payment_status: order.payment_status,
        customer_id: order.customer_id,
        checkout_id: order.checkout_id,
        payment_id: order.payment_id,
        store_id: order.store_id,
        location_id: order.location_id,
        method: order.fulfilment.method,
        created_at: order.created_at,
        confirmed_at: order.confirmed_at,
        lines: decision.lines.iter().map(ToldLine::from).collect(),
        gross: order.totals.gross,
        discount: order.totals.discount,
        subtotal: order.totals.subtotal,
        gst: order.totals.gst,
        qst: order.totals.qst,
        taxes,
        deposits: order.totals.deposits,
        total: order.totals.total,
        captured: order.captured,
        refunded: order.refunded,
        refund: refund.map(ToldRefund::from),
    })
}

impl<'a> From<&'a Line> for ToldLine<'a> {
    fn from(line: &'a Line) -> Self {
        ToldLine {
            product_id: line.product_id,
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            returned: line.returned,
            unit_price: line.unit_price,
            gross: line.gross,
            discount: line.discount,
            net: line.net,
            tax_category: &line.tax_category,
            rates: line.rates,
            gst: line.gst,
            qst: line.qst,
            deposit: line.deposit,
            total: line.total,
        }
    }
}

impl<'a> From<&'a Refund> for ToldRefund<'a> {
    fn from(refund: &'a Refund) -> Self {
        let line = |line: &RefundLine| ToldRefundLine {
            product_id: line.product_id,
            quantity: line.quantity,
            net: line.net,
            gst: line.gst,
            qst: line.qst,
            deposit: line.deposit,
            total: line.total,
        };
        ToldRefund {
            refund_id: refund.id,
            goods: refund.goods,
            reason: refund.reason.as_deref(),
            lines: refund.lines.iter().map(line).collect(),
            net: refund.net,
            gst: refund.gst,
            qst: refund.qst,
            deposits: refund.deposit,
            total: refund.total,
        }
    }
}
