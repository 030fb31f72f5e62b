//! What a session came to: X while it is open, Z once it is closed. Computed from its rows and from nothing else.

use pricing::{Money, MoneyError, TaxGroup};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Method;

/// What a session came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Sales that were not called off.
    #[schema(example = 12)]
    pub sales: i64,
    /// Sales that were.
    #[schema(example = 1)]
    pub voids: i64,
    #[schema(example = 2)]
    pub returns: i64,
    /// From here to `payable`: of sales that were not called off. Before discounts.
    pub gross: Money,
    pub discount: Money,
    /// `gross - discount`: what the taxes are computed on.
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    /// By tax and rate.
    pub taxes: Vec<TaxGroup>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    pub total: Money,
    /// `payable - total`.
    pub cash_rounding: Money,
    pub payable: Money,
    /// What the sales that were called off had come to.
    pub voided: Money,
    pub returned: Returned,
    /// Handed over, by method.
    pub payments: Vec<MethodTotal>,
    /// Given back, in cash.
    pub change: Money,
    /// Paid back for returns, by method.
    pub refunds: Vec<MethodTotal>,
    pub opening_float: Money,
    pub cash_in: Money,
    pub cash_out: Money,
    /// What should be in the drawer: the float and the cash of sales, less change, less refunds, and what came and
    /// went without a sale.
    pub expected_cash: Money,
    /// Of the sales of the session, those included that were called off.
    #[schema(example = "1-2-000042")]
    pub first_number: Option<String>,
    #[schema(example = "1-2-000054")]
    pub last_number: Option<String>,
}

/// What came back in a session, whenever and wherever it was sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Returned {
    pub net: Money,
    pub gst: Money,
    pub qst: Money,
    pub deposits: Money,
    pub total: Money,
    /// What was paid back less the total.
    pub cash_rounding: Money,
}

/// Payments of one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MethodTotal {
    pub method: Method,
    #[schema(example = 7)]
    pub count: i64,
    pub amount: Money,
}

/// What moves the cash of a drawer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawer {
    pub opening_float: Money,
    /// Handed over for sales that were not called off.
    pub cash_payments: Money,
    pub change: Money,
    pub cash_in: Money,
    pub cash_out: Money,
    pub cash_refunds: Money,
}

impl Drawer {
    /// What should be in it.
    ///
    /// # Errors
    /// Beyond the bound of money.
    pub fn expected(self) -> Result<Money, MoneyError> {
        let came = Money::try_sum([self.opening_float, self.cash_payments, self.cash_in])?;
        let went = Money::try_sum([self.change, self.cash_out, self.cash_refunds])?;
        came.try_sub(went)
    }
}

impl Report {
    /// The cash that it tells of.
    pub fn drawer(&self) -> Drawer {
        let cash = |totals: &[MethodTotal]| {
            totals.iter().find(|total| total.method == Method::Cash).map_or(Money::ZERO, |total| total.amount)
        };
        Drawer {
            opening_float: self.opening_float,
            cash_payments: cash(&self.payments),
            change: self.change,
            cash_in: self.cash_in,
            cash_out: self.cash_out,
            cash_refunds: cash(&self.refunds),
        }
    }
}
