//! What is read of the others' events: the members that reports need, and no other.

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Channel;

/// An event of a feed, whatever it is about.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    pub event_id: Uuid,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: String,
    pub subject_version: i64,
    pub occurred_at: Timestamp,
    pub payload: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
pub struct Product {
    pub product_id: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub struct Stock {
    pub location_id: i64,
    pub product_id: i64,
    pub kind: String,
    pub delta: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
    pub level: String,
    pub reference: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Reservation {
    pub id: Uuid,
    pub status: String,
    pub lines: Vec<ReservationLine>,
}

#[derive(Debug, Deserialize)]
pub struct ReservationLine {
    pub line: i64,
    pub location_id: i64,
    pub product_id: i64,
    pub quantity: i64,
}

#[derive(Debug, Deserialize)]
pub struct Checkout {
    pub checkout_id: Uuid,
    pub state: String,
    pub order_id: Uuid,
    pub reservation_id: Uuid,
    pub expected: Money,
    pub total: Option<Money>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct Order {
    pub order_id: Uuid,
    pub number: String,
    pub channel: Channel,
    pub status: String,
    pub payment_status: String,
    pub checkout_id: Uuid,
    pub store_id: i64,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub lines: Vec<OrderLine>,
    pub total: Money,
    pub captured: Money,
    pub refunded: Money,
    pub refund: Option<Refund>,
}

/// An order has one line of a product.
#[derive(Debug, Deserialize)]
pub struct OrderLine {
    pub product_id: i64,
    pub rates: TaxRates,
}

#[derive(Debug, Deserialize)]
pub struct Refund {
    pub refund_id: Uuid,
    pub goods: String,
    pub lines: Vec<RefundLine>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
}

#[derive(Debug, Deserialize)]
pub struct RefundLine {
    pub product_id: i64,
    pub quantity: u32,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

#[derive(Debug, Deserialize)]
pub struct Sale {
    pub sale_id: Uuid,
    pub number: String,
    pub channel: Channel,
    pub status: String,
    pub store_id: i64,
    pub cashier: Option<String>,
    pub order_id: Option<Uuid>,
    pub sold_at: Timestamp,
    pub recorded_at: Timestamp,
    pub lines: Vec<SaleLine>,
    pub gross: Money,
    pub discount: Money,
    pub subtotal: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    pub cash_rounding: Money,
    pub payments: Vec<Payment>,
    pub change: Money,
    pub refunded: Money,
    #[serde(rename = "return")]
    pub returned: Option<Return>,
}

#[derive(Debug, Deserialize)]
pub struct SaleLine {
    pub line: i32,
    pub product_id: i64,
    pub quantity: u32,
    pub gross: Money,
    pub discount: Money,
    pub net: Money,
    pub rates: TaxRates,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

/// What was handed over, or given back.
#[derive(Debug, Deserialize)]
pub struct Payment {
    pub method: String,
    pub amount: Money,
}

#[derive(Debug, Deserialize)]
pub struct Return {
    pub return_id: Uuid,
    pub store_id: i64,
    pub cashier: Option<String>,
    pub returned_at: Timestamp,
    pub lines: Vec<ReturnLine>,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    pub cash_rounding: Money,
    pub refunds: Vec<Payment>,
}

#[derive(Debug, Deserialize)]
pub struct ReturnLine {
    pub line: i32,
    pub product_id: i64,
    pub quantity: u32,
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposit: Money,
    pub total: Money,
}

#[derive(Debug, Deserialize)]
pub struct Session {
    pub store_id: i64,
}
