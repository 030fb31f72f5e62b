//! What a quote needs to know about its products: one statement, however many lines.

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use sdk::{DbError, Executor, FromRow, Row, params};

use super::{price_in_force, tax_categories};
use crate::domain::price::PriceKind;
use crate::domain::product::Status;
use crate::domain::{ProductId, StoreId};

/// A product at the price and the tax rates of an instant.
#[derive(Clone, Debug)]
pub struct Offer {
    pub id: ProductId,
    pub sku: String,
    pub name: String,
    pub status: Status,
    pub tax_category: String,
    pub unit_deposit: Money,
    pub price_kind: PriceKind,
    pub unit_price: Money,
    pub rates: TaxRates,
}

impl FromRow for Offer {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            sku: row.get("sku")?,
            name: row.get("name")?,
            status: row.get("status")?,
            tax_category: row.get("tax_category")?,
            unit_deposit: row.get("unit_deposit")?,
            price_kind: row.get("price_kind")?,
            unit_price: row.get("unit_price")?,
            rates: TaxRates {
                gst: tax_categories::rate(row.get("gst")?)?,
                qst: tax_categories::rate(row.get("qst")?)?,
            },
        })
    }
}

/// The two rates are found by their day, the business day of the instant. A product that had no price
/// then is not among the rows.
const OFFERS: &str = concat!(
    "select
       p.id, p.sku, p.name, p.status, p.tax_category_code as tax_category,
       p.deposit_cents as unit_deposit, e.kind as price_kind, e.amount_cents as unit_price,
       gst.rate_thousandths as gst, qst.rate_thousandths as qst
     from products p
     ",
    price_in_force!(at: "$2::timestamptz", store: "$3"),
    "
     cross join lateral (select ($2::timestamptz at time zone 'America/Toronto')::date as day) business
     join tax_rates gst
       on gst.tax_category_code = p.tax_category_code
       and gst.tax = 'gst'
       and gst.valid @> business.day
     join tax_rates qst
       on qst.tax_category_code = p.tax_category_code
       and qst.tax = 'qst'
       and qst.valid @> business.day
     where p.id = any ($1)"
);

/// Those of the products that exist and had a price at that instant, in no order.
pub async fn offers(
    db: &impl Executor,
    ids: Vec<i64>,
    at: Timestamp,
    store: Option<StoreId>,
) -> Result<Vec<Offer>, DbError> {
    db.query(OFFERS, params![ids, at, store]).await
}
