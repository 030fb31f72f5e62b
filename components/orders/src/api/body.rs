//! How an order looks, to customers, staff and services alike.

use jiff::Timestamp;
use pricing::{Money, TaxGroup, TaxRates};
use sdk::{Problem, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::decision::Decision;
use crate::domain::draft::Fulfilment;
use crate::domain::order::{Dossier, Line, Order};
use crate::domain::{
    CheckoutId, CustomerId, LocationId, Number, OrderId, PaymentId, PaymentStatus, ProductId, ReservationId, Status,
};

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderBody {
    pub id: OrderId,
    /// For people.
    #[schema(example = "O-100001")]
    pub number: String,
    pub status: Status,
    pub payment_status: PaymentStatus,
    #[schema(example = 7)]
    pub customer_id: CustomerId,
    /// Whose sale it is.
    #[schema(example = 1)]
    pub store_id: LocationId,
    /// Whose stock it takes.
    #[schema(example = 1)]
    pub location_id: LocationId,
    pub checkout_id: CheckoutId,
    pub reservation_id: ReservationId,
    pub payment_id: PaymentId,
    pub fulfilment: Fulfilment,
    /// What the customer shows at the counter; for their eyes alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "482913")]
    pub pickup_code: Option<String>,
    pub lines: Vec<LineBody>,
    /// Before discounts.
    pub gross: Money,
    pub discount: Money,
    /// `gross - discount`: what the taxes are computed on.
    pub subtotal: Money,
    pub gst: Money,
    pub qst: Money,
    /// By tax and rate; what is taxed at nothing is not among them.
    pub taxes: Vec<TaxGroup>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    pub total: Money,
    pub captured: Money,
    /// Decided so far; when the money went back, the refunds say.
    pub refunded: Money,
    /// Grows with every change.
    #[schema(example = 3)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Since when it is a sale.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
}

/// A product in an order, with the rates that applied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct LineBody {
    #[schema(example = 1)]
    pub line: i32,
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = 2)]
    pub quantity: u32,
    /// Units refunded so far.
    #[schema(example = 0)]
    pub returned: u32,
    pub unit_price: Money,
    pub gross: Money,
    pub discount: Money,
    pub net: Money,
    #[schema(example = "standard")]
    pub tax_category: String,
    pub rates: TaxRates,
    /// Its part of the order's GST; the parts sum to it.
    pub gst: Money,
    /// Its part of the order's QST; the parts sum to it.
    pub qst: Money,
    /// On all containers of the line.
    pub deposit: Money,
    pub total: Money,
}

/// Whether the reader may see the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Customer,
    /// Staff is to be shown the code by the customer; a service has no use for it.
    Other,
}

impl OrderBody {
    /// # Errors
    /// When the stored lines do not add up, which is a bug.
    pub fn of(dossier: Dossier, reader: Reader) -> Result<OrderBody> {
        let taxes = dossier.taxes().map_err(Problem::internal)?;
        let Dossier { order, lines } = dossier;
        let Order { totals, pickup_code, .. } = order;
        Ok(OrderBody {
            id: order.id,
            number: Number(order.number).to_string(),
            status: order.status,
            payment_status: order.payment_status,
            customer_id: order.customer_id,
            store_id: order.store_id,
            location_id: order.location_id,
            checkout_id: order.checkout_id,
            reservation_id: order.reservation_id,
            payment_id: order.payment_id,
            fulfilment: order.fulfilment,
            pickup_code: pickup_code.filter(|_| reader == Reader::Customer),
            lines: lines.into_iter().map(LineBody::from).collect(),
            gross: totals.gross,
            discount: totals.discount,
            subtotal: totals.subtotal,
            gst: totals.gst,
            qst: totals.qst,
            taxes,
            deposits: totals.deposits,
            total: totals.total,
            captured: order.captured,
            refunded: order.refunded,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
            confirmed_at: order.confirmed_at,
        })
    }

    /// As it is after the decision.
    ///
    /// # Errors
    /// As [`OrderBody::of`].
    pub fn after(decision: Decision, reader: Reader) -> Result<OrderBody> {
        OrderBody::of(Dossier { order: decision.order, lines: decision.lines }, reader)
    }
}

impl From<Line> for LineBody {
    fn from(line: Line) -> LineBody {
        LineBody {
            line: line.line,
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            returned: line.returned,
            unit_price: line.unit_price,
            gross: line.gross,
            discount: line.discount,
            net: line.net,
            tax_category: line.tax_category,
            rates: line.rates,
            gst: line.gst,
            qst: line.qst,
            deposit: line.deposit,
            total: line.total,
        }
    }
}
