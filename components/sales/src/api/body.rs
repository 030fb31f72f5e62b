//! How a sale looks, to tills and services alike.

use jiff::Timestamp;
use pricing::{Money, TaxGroup, TaxRates};
use sdk::{ETag, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::sale::{Dossier, Line, Payment, Sale};
use crate::domain::{
    Channel, CheckoutId, CustomerId, LocationId, Method, OrderId, PaymentId, ProductId, RegisterId, SaleId, SessionId,
    Status,
};

/// A sale. What was sold and paid never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleBody {
    pub id: SaleId,
    /// As it is printed: store, register, and the register's own number without a gap.
    #[schema(example = "1-2-000042")]
    pub number: String,
    pub channel: Channel,
    pub status: Status,
    #[schema(example = 1)]
    pub store_id: LocationId,
    #[schema(example = 12)]
    pub register_id: RegisterId,
    /// Null of what was bought online, as is the cashier.
    pub session_id: Option<SessionId>,
    #[schema(example = "Julie")]
    pub cashier: Option<String>,
    #[schema(example = 7)]
    pub customer_id: Option<CustomerId>,
    /// Null of what was sold at a till, as are the two below.
    pub order_id: Option<OrderId>,
    pub checkout_id: Option<CheckoutId>,
    pub payment_id: Option<PaymentId>,
    /// Whether it was made while the till could not ask anybody.
    pub offline: bool,
    /// Whether a price was charged that was not the one of the catalogue: the lines say both.
    pub price_differs: bool,
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
    /// `payable - total`: of what was paid in cash.
    pub cash_rounding: Money,
    /// `payments - change`.
    pub payable: Money,
    pub payments: Vec<PaymentBody>,
    /// Given back, in cash.
    pub change: Money,
    /// The total of what came back so far.
    pub refunded: Money,
    #[schema(value_type = String, format = DateTime)]
    pub sold_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub voided_at: Option<Timestamp>,
    #[schema(example = "rung up twice")]
    pub void_reason: Option<String>,
    /// Grows when it is called off or some of it comes back.
    #[schema(example = 1)]
    pub version: i64,
}

/// A line of a sale, with the rates that applied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SaleLine)]
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
    /// Units that came back so far.
    #[schema(example = 0)]
    pub returned: u32,
    /// What was charged.
    pub unit_price: Money,
    /// What the catalogue had for it at that instant.
    pub list_unit_price: Money,
    pub gross: Money,
    pub discount: Money,
    pub net: Money,
    #[schema(example = "standard")]
    pub tax_category: String,
    pub rates: TaxRates,
    /// Its part of the sale's GST; the parts sum to it.
    pub gst: Money,
    /// Its part of the sale's QST; the parts sum to it.
    pub qst: Money,
    /// On one container.
    pub unit_deposit: Money,
    /// On all containers of the line.
    pub deposit: Money,
    pub total: Money,
}

/// Money that was handed over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SalePayment)]
pub struct PaymentBody {
    pub method: Method,
    pub amount: Money,
    #[schema(example = "T-004211")]
    pub reference: Option<String>,
}

/// The version of a sale.
pub fn tag(sale: &Sale) -> ETag {
    ETag::strong(sale.version)
}

impl SaleBody {
    /// # Errors
    /// When the stored lines do not add up, which is a bug.
    pub fn of(dossier: Dossier) -> Result<SaleBody> {
        let taxes = dossier.taxes()?;
        let Dossier { sale, lines, payments } = dossier;
        let Sale { totals, .. } = sale;
        Ok(SaleBody {
            id: sale.id,
            number: sale.number,
            channel: sale.channel,
            status: sale.status,
            store_id: sale.store_id,
            register_id: sale.register_id,
            session_id: sale.session_id,
            cashier: sale.cashier,
            customer_id: sale.customer_id,
            order_id: sale.order_id,
            checkout_id: sale.checkout_id,
            payment_id: sale.payment_id,
            offline: sale.offline,
            price_differs: sale.price_differs,
            lines: lines.into_iter().map(LineBody::from).collect(),
            gross: totals.gross,
            discount: totals.discount,
            subtotal: totals.subtotal,
            gst: totals.gst,
            qst: totals.qst,
            taxes,
            deposits: totals.deposits,
            total: totals.total,
            cash_rounding: sale.cash_rounding,
            payable: sale.payable,
            payments: payments.into_iter().map(PaymentBody::from).collect(),
            change: sale.change,
            refunded: sale.refunded,
            sold_at: sale.sold_at,
            recorded_at: sale.recorded_at,
            voided_at: sale.voided_at,
            void_reason: sale.void_reason,
            version: sale.version,
        })
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
            list_unit_price: line.list_unit_price,
            gross: line.gross,
            discount: line.discount,
            net: line.net,
            tax_category: line.tax_category,
            rates: line.rates,
            gst: line.gst,
            qst: line.qst,
            unit_deposit: line.unit_deposit,
            deposit: line.deposit,
            total: line.total,
        }
    }
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> PaymentBody {
        let Payment { method, amount, reference } = payment;
        PaymentBody { method, amount, reference }
    }
}
