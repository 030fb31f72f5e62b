//! What is bought, and for how much: as products quoted it, as orders takes it.

use pricing::{Money, TaxRates};
use sdk::fulfilment::{Fulfilment, Method};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CartId, CustomerId, LocationId, ProductId, WAREHOUSE};

/// The cents of a point: one for each whole dollar of goods, before taxes and deposits.
const CENTS_OF_A_POINT: i64 = 100;
/// The most points of an entry, as customers has it.
const POINTS_MAX: i64 = 1_000_000;

/// The lines of a cart at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Cart {
    pub id: CartId,
    pub customer_id: Option<CustomerId>,
    /// Whose prices count.
    pub store_id: Option<LocationId>,
    pub version: i64,
    pub lines: Vec<CartLine>,
}

/// Units of a product in a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CartLine {
    pub product_id: ProductId,
    pub quantity: u32,
}

/// What products says that it costs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Quote {
    /// In the order of the cart.
    pub lines: Vec<Line>,
    /// Before discounts.
    pub gross: Money,
    pub discount: Money,
    /// After discounts, before taxes.
    pub subtotal: Money,
    /// By tax and rate.
    pub taxes: Vec<TaxAmount>,
    /// Container deposits, untaxed.
    pub deposits: Money,
    pub total: Money,
}

/// A line, as it was quoted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Line {
    #[schema(example = 1)]
    pub product_id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = 2)]
    pub quantity: u32,
    pub unit_price: Money,
    pub discount: Money,
    /// On one container.
    pub unit_deposit: Money,
    #[schema(example = "standard")]
    pub tax_category: String,
    /// In thousandths of a percent.
    pub rates: TaxRates,
    /// With its taxes and deposits.
    pub total: Money,
}

/// A tax, rounded once on the sum of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TaxAmount {
    /// `GST` or `QST`.
    #[schema(example = "QST")]
    pub code: String,
    /// In percent.
    #[schema(example = "9.975")]
    pub rate: String,
    /// The sum of the lines that it is on.
    pub taxable: Money,
    pub amount: Money,
}

/// What is bought, where it is taken from, and whose sale it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Basket {
    pub store_id: LocationId,
    pub location_id: LocationId,
    pub quote: Quote,
}

impl Basket {
    /// What is collected is a sale of that store, from its shelves; what is delivered leaves the warehouse.
    pub fn of(cart: &Cart, quote: Quote, fulfilment: &Fulfilment) -> Basket {
        let (store_id, location_id) = match (fulfilment.method, fulfilment.store_id) {
            (Method::Pickup, Some(store)) => (store, store),
            _ => (cart.store_id.unwrap_or(WAREHOUSE), WAREHOUSE),
        };
        Basket { store_id, location_id, quote }
    }

    pub fn total(&self) -> Money {
        self.quote.total
    }

    /// Units of each product.
    pub fn units(&self) -> Vec<CartLine> {
        let units = |line: &Line| CartLine { product_id: line.product_id, quantity: line.quantity };
        self.quote.lines.iter().map(units).collect()
    }

    /// What the customer earns by it.
    pub fn points(&self) -> i64 {
        (self.quote.subtotal.cents() / CENTS_OF_A_POINT).min(POINTS_MAX)
    }
}
