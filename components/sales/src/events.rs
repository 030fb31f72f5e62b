//! What the world is told: events whose payload has all that reports need, so that nobody has to ask.
//!
//! An event shows its subject as it is after it. Nothing personal but the cashier's name, which is on every receipt.

use jiff::Timestamp;
use pricing::{Money, TaxGroup, TaxRates};
use sdk::outbox::Event;
use sdk::{Problem, Result};
use serde::Serialize;

use crate::domain::report::Report;
use crate::domain::returning::{Back, Refunded, Return};
use crate::domain::sale::{Dossier, Line, Payment};
use crate::domain::session::{Closed, Movement, MovementKind, Session, SessionStatus};
use crate::domain::{
    Channel, CustomerId, Disposition, LocationId, Method, MovementId, OrderId, ProductId, RegisterId, ReturnId, SaleId,
    SessionId, Status, Tender,
};

/// A sale, as an event tells of it.
#[derive(Clone, Debug, Serialize)]
struct Told<'a> {
    sale_id: SaleId,
    number: &'a str,
    channel: Channel,
    status: Status,
    store_id: LocationId,
    /// Null of what was bought online, and so are the two below.
    register_id: Option<RegisterId>,
    session_id: Option<SessionId>,
    cashier: Option<&'a str>,
    order_id: Option<OrderId>,
    customer_id: Option<CustomerId>,
    offline: bool,
    /// Which business day it belongs to.
    sold_at: Timestamp,
    recorded_at: Timestamp,
    lines: Vec<ToldLine<'a>>,
    gross: Money,
    discount: Money,
    subtotal: Money,
    gst: Money,
    qst: Money,
    taxes: Vec<TaxGroup>,
    deposits: Money,
    total: Money,
    cash_rounding: Money,
    payable: Money,
    payments: Vec<ToldPayment>,
    change: Money,
    /// So far.
    refunded: Money,
    /// With `sale.voided`.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided_at: Option<Timestamp>,
    /// With `sale.returned`: what came back this time.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    back: Option<ToldReturn<'a>>,
}

#[derive(Clone, Debug, Serialize)]
struct ToldLine<'a> {
    line: i32,
    product_id: ProductId,
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    /// So far.
    returned: u32,
    unit_price: Money,
    list_unit_price: Money,
    gross: Money,
    discount: Money,
    net: Money,
    tax_category: &'a str,
    rates: TaxRates,
    gst: Money,
    qst: Money,
    unit_deposit: Money,
    deposit: Money,
    total: Money,
}

#[derive(Clone, Debug, Serialize)]
struct ToldPayment {
    method: Method,
    amount: Money,
}

#[derive(Clone, Debug, Serialize)]
struct ToldReturn<'a> {
    return_id: ReturnId,
    number: &'a str,
    /// Where it came back.
    store_id: LocationId,
    register_id: RegisterId,
    session_id: SessionId,
    cashier: &'a str,
    /// Which business day it belongs to.
    returned_at: Timestamp,
    reason: Option<&'a str>,
    lines: Vec<ToldReturnLine>,
    net: Money,
    gst: Money,
    qst: Money,
    deposits: Money,
    total: Money,
    cash_rounding: Money,
    refunds: Vec<ToldRefund>,
}

#[derive(Clone, Debug, Serialize)]
struct ToldReturnLine {
    line: i32,
    product_id: ProductId,
    quantity: u32,
    disposition: Disposition,
    net: Money,
    gst: Money,
    qst: Money,
    deposit: Money,
    total: Money,
}

#[derive(Clone, Debug, Serialize)]
struct ToldRefund {
    method: Tender,
    amount: Money,
}

/// A session, as an event tells of it.
#[derive(Clone, Debug, Serialize)]
struct ToldSession<'a> {
    session_id: SessionId,
    register_id: RegisterId,
    store_id: LocationId,
    cashier: &'a str,
    status: SessionStatus,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    opening_float: Money,
    /// With `session.cash_moved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    movement: Option<ToldMovement<'a>>,
    /// With `session.closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    z: Option<ToldZ<'a>>,
}

#[derive(Clone, Debug, Serialize)]
struct ToldMovement<'a> {
    id: MovementId,
    kind: MovementKind,
    amount: Money,
    reason: &'a str,
    at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
struct ToldZ<'a> {
    number: &'a str,
    counted_cash: Money,
    /// What was counted less what was expected.
    difference: Money,
    #[serde(flatten)]
    report: &'a Report,
}

/// A sale was recorded.
///
/// # Errors
/// When its lines do not add up, which is a bug.
pub fn completed(dossier: &Dossier) -> Result<Event> {
    sale("sale.completed", dossier, None)
}

/// Some of it came back.
///
/// # Errors
/// As [`completed`].
pub fn returned(dossier: &Dossier, back: &Return) -> Result<Event> {
    sale("sale.returned", dossier, Some(back))
}

/// It was called off.
///
/// # Errors
/// As [`completed`].
pub fn voided(dossier: &Dossier) -> Result<Event> {
    sale("sale.voided", dossier, None)
}

/// A session began.
///
/// # Errors
/// When it cannot be written as JSON, which is a bug.
pub fn opened(session: &Session) -> Result<Event> {
    of_session("session.opened", session, None, None)
}

/// Cash came or went without a sale.
///
/// # Errors
/// As [`opened`].
pub fn cash_moved(session: &Session, movement: &Movement) -> Result<Event> {
    of_session("session.cash_moved", session, Some(movement), None)
}

/// A session ended; `number` is that of its Z report.
///
/// # Errors
/// As [`opened`].
pub fn closed(session: &Session, closed: &Closed, number: &str) -> Result<Event> {
    let difference = closed.counted.try_sub(closed.expected)?;
    let z = ToldZ { number, counted_cash: closed.counted, difference, report: &closed.report };
    of_session("session.closed", session, None, Some(z))
}

fn sale(kind: &'static str, dossier: &Dossier, back: Option<&Return>) -> Result<Event> {
    let told = told(dossier, back)?;
    Event::new(kind, format!("sale/{}", dossier.sale.id), dossier.sale.version, &told)
}

fn told<'a>(dossier: &'a Dossier, back: Option<&'a Return>) -> Result<Told<'a>, Problem> {
    let sale = &dossier.sale;
    Ok(Told {
        sale_id: sale.id,
        number: &sale.number,
        channel: sale.channel,
        status: sale.status,
        store_id: sale.store_id,
        register_id: (sale.channel == Channel::Store).then_some(sale.register_id),
        session_id: sale.session_id,
        cashier: sale.cashier.as_deref(),
        order_id: sale.order_id,
        customer_id: sale.customer_id,
        offline: sale.offline,
        sold_at: sale.sold_at,
        recorded_at: sale.recorded_at,
        lines: dossier.lines.iter().map(ToldLine::from).collect(),
        gross: sale.totals.gross,
        discount: sale.totals.discount,
        subtotal: sale.totals.subtotal,
        gst: sale.totals.gst,
        qst: sale.totals.qst,
        taxes: dossier.taxes()?,
        deposits: sale.totals.deposits,
        total: sale.totals.total,
        cash_rounding: sale.cash_rounding,
        payable: sale.payable,
        payments: dossier.payments.iter().map(ToldPayment::from).collect(),
        change: sale.change,
        refunded: sale.refunded,
        voided_at: sale.voided_at,
        back: back.map(ToldReturn::from),
    })
}

fn of_session(
    kind: &'static str,
    session: &Session,
    movement: Option<&Movement>,
    z: Option<ToldZ<'_>>,
) -> Result<Event> {
    let told = ToldSession {
        session_id: session.id,
        register_id: session.register_id,
        store_id: session.store_id,
        cashier: &session.cashier,
        status: session.status,
        opened_at: session.opened_at,
        closed_at: session.closed.as_ref().map(|closed| closed.at),
        opening_float: session.opening_float,
        movement: movement.map(|movement| ToldMovement {
            id: movement.id,
            kind: movement.kind,
            amount: movement.amount,
            reason: &movement.reason,
            at: movement.at,
        }),
        z,
    };
    Event::new(kind, format!("session/{}", session.id), session.version, &told)
}

impl<'a> From<&'a Line> for ToldLine<'a> {
    fn from(line: &'a Line) -> Self {
        ToldLine {
            line: line.line,
            product_id: line.product_id,
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            returned: line.returned,
            unit_price: line.unit_price,
            list_unit_price: line.list_unit_price,
            gross: line.gross,
            discount: line.discount,
            net: line.net,
            tax_category: &line.tax_category,
            rates: line.rates,
            gst: line.gst,
            qst: line.qst,
            unit_deposit: line.unit_deposit,
            deposit: line.deposit,
            total: line.total,
        }
    }
}

impl From<&Payment> for ToldPayment {
    fn from(payment: &Payment) -> Self {
        ToldPayment { method: payment.method, amount: payment.amount }
    }
}

impl<'a> From<&'a Return> for ToldReturn<'a> {
    fn from(back: &'a Return) -> Self {
        ToldReturn {
            return_id: back.id,
            number: &back.number,
            store_id: back.store_id,
            register_id: back.register_id,
            session_id: back.session_id,
            cashier: &back.cashier,
            returned_at: back.returned_at,
            reason: back.reason.as_deref(),
            lines: back.lines.iter().map(ToldReturnLine::from).collect(),
            net: back.net,
            gst: back.gst,
            qst: back.qst,
            deposits: back.deposits,
            total: back.total,
            cash_rounding: back.cash_rounding,
            refunds: back.refunds.iter().map(ToldRefund::from).collect(),
        }
    }
}

impl From<&Back> for ToldReturnLine {
    fn from(back: &Back) -> Self {
        ToldReturnLine {
            line: back.line,
            product_id: back.product_id,
            quantity: back.quantity,
            disposition: back.disposition,
            net: back.net,
            gst: back.gst,
            qst: back.qst,
            deposit: back.deposit,
            total: back.total,
        }
    }
}

impl From<&Refunded> for ToldRefund {
    fn from(refund: &Refunded) -> Self {
        ToldRefund { method: refund.method, amount: refund.amount }
    }
}
