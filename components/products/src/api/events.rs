//! What the catalogue tells other services: a product as it is, once for each of its versions.

use pricing::Money;
use sdk::outbox::{Event, publish};
use sdk::{Context, Result, Tx};
use serde::Serialize;

use super::products::vanished;
use crate::domain::ProductId;
use crate::domain::product::Status;
use crate::store::products::{self, Product};

pub const CREATED: &str = "product.created";
pub const CHANGED: &str = "product.changed";
pub const ARCHIVED: &str = "product.archived";

/// The payload. Migration 6 has the same, for the products that were there before there were events.
#[derive(Serialize)]
struct Told {
    product_id: ProductId,
    sku: String,
    name: String,
    category: String,
    tax_category: String,
    status: Status,
    deposit: Money,
    /// In force for all stores; what it will be later is no change of the product.
    price: Money,
}

impl From<Product> for Told {
    fn from(product: Product) -> Told {
        Told {
            product_id: product.id,
            sku: product.sku,
            name: product.name,
            category: product.category,
            tax_category: product.tax_category,
            status: product.status,
            deposit: product.deposit,
            price: product.price,
        }
    }
}

/// In the transaction that made the version. Returns the product, at the prices for all stores.
pub(super) async fn tell(tx: &Tx, context: &Context, kind: &'static str, id: ProductId) -> Result<Product> {
    let product = products::get(tx, id, None, context.clock.now()).await?.ok_or_else(vanished)?;
    let event = Event::new(kind, format!("product/{id}"), product.version, &Told::from(product.clone()))?;
    publish(tx, context, vec![event]).await?;
    Ok(product)
}
