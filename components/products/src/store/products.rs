//! Products, each with the price in force.

pub mod list;

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, OnConstraint, Problem, Result, from_row, params};

use super::price_in_force;
use crate::domain::price::PriceKind;
use crate::domain::product::{Draft, Revision, Status};
use crate::domain::{PriceId, ProductId, StoreId};

/// A product as it is shown at an instant and in a store.
#[derive(Clone, Debug)]
pub struct Product {
    pub id: ProductId,
    pub sku: String,
    pub name: String,
    pub name_en: Option<String>,
    pub name_fr: Option<String>,
    pub description: Option<String>,
    pub barcode: Option<String>,
    pub category: String,
    pub tax_category: String,
    pub deposit: Money,
    pub status: Status,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub price_id: PriceId,
    pub price_kind: PriceKind,
    pub price: Money,
}

from_row!(Product {
    id,
    sku,
    name,
    name_en,
    name_fr,
    description,
    barcode,
    category,
    tax_category,
    deposit,
    status,
    version,
    created_at,
    updated_at,
    price_id,
    price_kind,
    price,
});

impl Product {
    /// What the ETag is made of.
    pub fn revision(&self) -> Revision {
        Revision { version: self.version, price: self.price_id }
    }

    /// What a write could have asked for to make it so.
    pub fn draft(&self) -> Draft {
        Draft {
            sku: self.sku.clone(),
            name: self.name.clone(),
            name_en: self.name_en.clone(),
            name_fr: self.name_fr.clone(),
            description: self.description.clone(),
            barcode: self.barcode.clone(),
            category: self.category.clone(),
            tax_category: self.tax_category.clone(),
            deposit: self.deposit,
            status: self.status,
        }
    }
}

/// The columns of [`Product`], in its order.
macro_rules! columns {
    () => {
        "p.id, p.sku, p.name, p.name_en, p.name_fr, p.description, p.barcode,
         p.category_code as category, p.tax_category_code as tax_category,
         p.deposit_cents as deposit, p.status, p.version, p.created_at, p.updated_at,
         e.id as price_id, e.kind as price_kind, e.amount_cents as price"
    };
}
use columns;

/// A replica's clock may run behind the one that created the product: its first price holds from
/// then on, and so a product is never without a price.
pub const GET: &str = concat!(
    "select ",
    columns!(),
    "
     from products p
     ",
    price_in_force!(at: "greatest($2::timestamptz, p.created_at)", store: "$3"),
    "
     where p.id = $1"
);

const EXISTS: &str = "select id from products where id = $1";

const LOCK: &str = "select id from products where id = $1 for update";

const LOCK_BY_SKU: &str = "select id from products where sku = $1 for update";

const INSERT: &str = "
    insert into products (
      sku, name, name_en, name_fr, description, barcode, category_code, tax_category_code,
      deposit_cents, status, created_at, updated_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
    returning id";

const UPDATE: &str = "
    update products
    set sku = $2, name = $3, name_en = $4, name_fr = $5, description = $6, barcode = $7,
        category_code = $8, tax_category_code = $9, deposit_cents = $10, status = $11,
        version = version + 1, updated_at = $12
    where id = $1";

const TOUCH: &str = "
    update products
    set version = version + 1, updated_at = $2
    where id = $1";

/// One statement, one round trip.
pub async fn get(
    db: &impl Executor,
    id: ProductId,
    store: Option<StoreId>,
    now: Timestamp,
) -> Result<Option<Product>, DbError> {
    db.query_opt(GET, params![id, now, store]).await
}

/// Whether there is such a product.
pub async fn exists(db: &impl Executor, id: ProductId) -> Result<bool, DbError> {
    Ok(db.query_opt::<(ProductId,)>(EXISTS, params![id]).await?.is_some())
}

/// The product as the last write left it, kept from other writes until the transaction ends. Two
/// statements: one that waited for a lock would show prices as they were before it waited.
pub async fn lock(
    tx: &impl Executor,
    id: ProductId,
    store: Option<StoreId>,
    now: Timestamp,
) -> Result<Option<Product>, DbError> {
    match tx.query_opt::<(ProductId,)>(LOCK, params![id]).await? {
        Some(_) => get(tx, id, store, now).await,
        None => Ok(None),
    }
}

/// As [`lock`], by the other key, at the prices for all stores.
pub async fn lock_by_sku(tx: &impl Executor, sku: &str, now: Timestamp) -> Result<Option<Product>, DbError> {
    match tx.query_opt::<(ProductId,)>(LOCK_BY_SKU, params![sku]).await? {
        Some((id,)) => get(tx, id, None, now).await,
        None => Ok(None),
    }
}

/// A product without a price: the transaction must add one, or its commit fails.
pub async fn insert(tx: &impl Executor, draft: &Draft, now: Timestamp) -> Result<ProductId> {
    let values = params![
        draft.sku.as_str(),
        draft.name.as_str(),
        draft.name_en.clone(),
        draft.name_fr.clone(),
        draft.description.clone(),
        draft.barcode.clone(),
        draft.category.as_str(),
        draft.tax_category.as_str(),
        draft.deposit,
        draft.status.as_str(),
        now,
    ];
    let (id,) = refusals(tx.query_one::<(ProductId,)>(INSERT, values).await)?;
    Ok(id)
}

/// Replaces every field, and makes a new version.
pub async fn update(tx: &impl Executor, id: ProductId, draft: &Draft, now: Timestamp) -> Result<()> {
    let values = params![
        id,
        draft.sku.as_str(),
        draft.name.as_str(),
        draft.name_en.clone(),
        draft.name_fr.clone(),
        draft.description.clone(),
        draft.barcode.clone(),
        draft.category.as_str(),
        draft.tax_category.as_str(),
        draft.deposit,
        draft.status.as_str(),
        now,
    ];
    refusals(tx.execute(UPDATE, values).await)?;
    Ok(())
}

/// Makes a new version for something written about the product, and keeps other writes away until
/// the transaction ends. Whether there is such a product.
pub async fn touch(tx: &impl Executor, id: ProductId, now: Timestamp) -> Result<bool, DbError> {
    Ok(tx.execute(TOUCH, params![id, now]).await? == 1)
}

fn refusals<T>(result: Result<T, DbError>) -> Result<T> {
    result
        .on_constraint("products_sku", || {
            let detail = "another product has this SKU";
            Problem::conflict("sku-taken").detail(detail).field("/sku", "sku-taken", detail)
        })
        .on_constraint("products_barcode", || {
            let detail = "another product has this barcode";
            Problem::conflict("barcode-taken").detail(detail).field("/barcode", "barcode-taken", detail)
        })
        .on_constraint("products_category", || unknown("/category", "category-not-found", "there is no such category"))
        .on_constraint("products_tax_category", || {
            unknown("/tax_category", "tax-category-not-found", "there is no such tax category")
        })
}

fn unknown(pointer: &str, code: &'static str, detail: &str) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}
