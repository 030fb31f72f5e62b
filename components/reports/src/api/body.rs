//! What several reports say in the same words.

use jiff::civil::Date;
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ProductId;
use crate::domain::period::Period;
use crate::domain::rating::average;
use crate::store::figures::{Sold, Taxed, Totals};

/// Days, both ends included, as they are in Toronto.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodBody {
    #[schema(value_type = String, format = Date, example = "2026-11-01")]
    pub from: Date,
    #[schema(value_type = String, format = Date, example = "2026-11-30")]
    pub to: Date,
}

impl From<Period> for PeriodBody {
    fn from(Period { from, to }: Period) -> PeriodBody {
        PeriodBody { from, to }
    }
}

/// What was sold, and what became of it. A void takes a sale back on the day of the sale, and is in no sum but
/// `voided`; what was brought back or refunded counts on the day on which it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// Sales that were not called off.
    #[schema(example = 120)]
    pub sales: i64,
    /// Returns at tills, and refunds of orders.
    pub returns: i64,
    pub voids: i64,
    /// At full prices.
    pub gross: Money,
    pub discounts: Money,
    /// Of what came back, before taxes.
    pub returned: Money,
    /// `gross - discounts - returned`.
    pub net: Money,
    /// Less what went back, as are the next ones.
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    /// `net + gst + qst + deposits`.
    pub total: Money,
    /// What went back with returns and refunds, taxes and deposits included.
    pub refunded: Money,
    /// The totals of the sales that were called off.
    pub voided: Money,
    /// What was paid beyond `total`, because there are no cents.
    pub cash_rounding: Money,
    /// `gross - discounts` over `sales`, to the cent, half up.
    pub average_basket: Money,
}

impl From<Totals> for Figures {
    fn from(totals: Totals) -> Figures {
        // Far within the range of money; were it not, the net is the better answer.
        let sold = totals.gross.try_sub(totals.discounts).unwrap_or(totals.net);
        Figures {
            sales: totals.sales,
            returns: totals.returns,
            voids: totals.voids,
            gross: totals.gross,
            discounts: totals.discounts,
            returned: totals.returned,
            net: totals.net,
            gst: totals.gst,
            qst: totals.qst,
            deposits: totals.deposits,
            total: totals.total,
            refunded: totals.refunded,
            voided: totals.voided,
            cash_rounding: totals.rounding,
            average_basket: average(sold, totals.sales),
        }
    }
}

/// A tax at a rate.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaxBody {
    /// `gst` or `qst`.
    #[schema(example = "gst")]
    pub tax: String,
    /// In thousandths of a percent.
    #[schema(example = 5_000)]
    pub rate: i32,
    pub sold: TaxedBody,
    /// What went back with returns and refunds.
    pub returned: TaxedBody,
    /// What is owed.
    pub net: TaxedBody,
}

/// A taxable amount, and the tax on it as it was charged.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaxedBody {
    pub base: Money,
    pub tax: Money,
}

impl TryFrom<Taxed> for TaxBody {
    type Error = pricing::MoneyError;

    fn try_from(taxed: Taxed) -> Result<TaxBody, pricing::MoneyError> {
        let Taxed { tax, rate, base_sold, tax_sold, base_returned, tax_returned } = taxed;
        Ok(TaxBody {
            tax,
            rate,
            sold: TaxedBody { base: base_sold, tax: tax_sold },
            returned: TaxedBody { base: base_returned, tax: tax_returned },
            net: TaxedBody { base: base_sold.try_sub(base_returned)?, tax: tax_sold.try_sub(tax_returned)? },
        })
    }
}

/// A product, and what was sold of it less what came back.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductFigures {
    #[schema(example = 42)]
    pub product_id: ProductId,
    /// Null: the catalogue has not told of it yet.
    #[schema(example = "COKE-355")]
    pub sku: Option<String>,
    #[schema(example = "Coke 355 ml")]
    pub name: Option<String>,
    #[schema(example = 12)]
    pub units: i64,
    pub net: Money,
}

impl From<Sold> for ProductFigures {
    fn from(Sold { product_id, sku, name, units, net }: Sold) -> ProductFigures {
        ProductFigures { product_id, sku, name, units, net }
    }
}
