//! The rows that events become: a struct for each table, whose fields have the names of the columns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use uuid::Uuid;

use super::Channel;

/// The rows of a page. A state is kept once for each key: the latest.
#[derive(Debug, Default)]
pub struct Rows {
    pub products: BTreeMap<i64, ProductRow>,
    pub stock: BTreeMap<(i64, i64), StockRow>,
    pub movements: Vec<MovementRow>,
    pub reservations: BTreeMap<Uuid, ReservationRow>,
    pub reservation_lines: Vec<ReservationLineRow>,
    pub checkouts: BTreeMap<Uuid, CheckoutRow>,
    pub orders: BTreeMap<Uuid, OrderRow>,
    pub sales: BTreeMap<Uuid, SaleRow>,
    pub stores: BTreeSet<i64>,
    pub documents: Vec<DocumentRow>,
    pub entries: Vec<EntryRow>,
    pub tenders: Vec<TenderRow>,
}

/// A state of something, by its version.
pub trait Versioned {
    fn version(&self) -> i64;
}

macro_rules! versioned {
    ($($row:ident),*) => {$(
        impl Versioned for $row {
            fn version(&self) -> i64 {
                self.version
            }
        }
    )*};
}

versioned!(ProductRow, StockRow, ReservationRow, CheckoutRow, OrderRow, SaleRow);

#[derive(Clone, Debug, Serialize)]
pub struct ProductRow {
    pub product_id: i64,
    pub version: i64,
    pub sku: String,
    pub name: String,
    pub category: String,
    pub status: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct StockRow {
    pub location_id: i64,
    pub product_id: i64,
    pub version: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub in_transit: i64,
    pub level: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct MovementRow {
    pub location_id: i64,
    pub product_id: i64,
    pub version: i64,
    pub kind: String,
    pub delta: i64,
    pub reference: Option<String>,
    pub occurred_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct ReservationRow {
    pub reservation_id: Uuid,
    pub version: i64,
    pub status: String,
    pub changed_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct ReservationLineRow {
    pub reservation_id: Uuid,
    pub line: i64,
    pub location_id: i64,
    pub product_id: i64,
    pub quantity: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct CheckoutRow {
    pub checkout_id: Uuid,
    pub version: i64,
    pub state: String,
    pub order_id: Uuid,
    pub reservation_id: Uuid,
    pub expected_cents: i64,
    pub total_cents: Option<i64>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    pub order_id: Uuid,
    pub version: i64,
    pub number: String,
    pub status: String,
    pub payment_status: String,
    pub checkout_id: Uuid,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub changed_at: Timestamp,
    pub total_cents: i64,
    pub captured_cents: i64,
    pub refunded_cents: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct SaleRow {
    pub sale_id: Uuid,
    pub version: i64,
    pub number: String,
    pub channel: Channel,
    pub status: String,
    pub order_id: Option<Uuid>,
    pub recorded_at: Timestamp,
    pub total_cents: i64,
    pub refunded_cents: i64,
}

sdk::text_enum!(
    /// What moves revenue.
    Kind {
        /// It was sold.
        Sale = "sale",
        /// The sale was called off, on the day of the sale.
        Void = "void",
        /// Brought back to a till.
        Return = "return",
        /// Given back of an order.
        Refund = "refund",
        /// Given back of an order that never was a sale.
        Giveback = "giveback",
    }
);

/// What all rows of a document have in common.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    pub kind: Kind,
    pub document: Uuid,
    pub at: Timestamp,
    pub store_id: i64,
    pub channel: Channel,
    pub cashier: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DocumentRow {
    #[serde(flatten)]
    pub head: Head,
    pub origin: Uuid,
    pub goods: Option<String>,
    #[serde(flatten)]
    pub amounts: Amounts,
    pub rounding_cents: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct EntryRow {
    #[serde(flatten)]
    pub head: Head,
    pub line: i32,
    pub product_id: i64,
    pub quantity: i64,
    #[serde(flatten)]
    pub amounts: Amounts,
    pub gst_rate: u32,
    pub qst_rate: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct TenderRow {
    #[serde(flatten)]
    pub head: Head,
    pub method: String,
    pub amount_cents: i64,
}

/// In cents, signed: what adds to revenue is above zero.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Amounts {
    pub gross_cents: i64,
    pub discount_cents: i64,
    pub net_cents: i64,
    pub gst_cents: i64,
    pub qst_cents: i64,
    pub deposit_cents: i64,
    pub total_cents: i64,
}

impl Amounts {
    #[must_use]
    pub fn negated(self) -> Amounts {
        Amounts {
            gross_cents: -self.gross_cents,
            discount_cents: -self.discount_cents,
            net_cents: -self.net_cents,
            gst_cents: -self.gst_cents,
            qst_cents: -self.qst_cents,
            deposit_cents: -self.deposit_cents,
            total_cents: -self.total_cents,
        }
    }

    /// What goes back: it has no gross and no discount of its own.
    #[must_use]
    pub fn back([net, gst, qst, deposit, total]: [Money; 5]) -> Amounts {
        let [net_cents, gst_cents, qst_cents, deposit_cents, total_cents] =
            [net, gst, qst, deposit, total].map(|amount| -amount.cents());
        Amounts { gross_cents: 0, discount_cents: 0, net_cents, gst_cents, qst_cents, deposit_cents, total_cents }
    }
}
