//! The SQL of cached product data: the rows that let every replica show a cart while products is
//! down. Owns nothing about when products is asked again.

use pricing::{TaxRate, TaxRates};
use sdk::{DbError, Executor, FromValue, Row, Value, params};

use crate::domain::{Availability, Snapshot, StoreId};

// In the order of the key, so that two refreshes never wait for each other in a circle. What was
// fetched later wins, whichever is written first.
const SAVE: &str = "
    insert into product_snapshots as p (store_id, product_id, sku, name, status, price_cents,
        deposit_cents, tax_category, gst_rate, qst_rate, fetched_at)
    select coalesce($1, 0), product_id, sku, name, status, price_cents, deposit_cents, tax_category,
        gst_rate::integer, qst_rate::integer, $2
    from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
            $9::text[], $10::bigint[], $11::bigint[])
        as s (product_id, sku, name, status, price_cents, deposit_cents, tax_category, gst_rate,
            qst_rate)
    order by product_id
    on conflict on constraint product_snapshots_pkey do update
    set sku = excluded.sku, name = excluded.name, status = excluded.status,
        price_cents = excluded.price_cents, deposit_cents = excluded.deposit_cents,
        tax_category = excluded.tax_category, gst_rate = excluded.gst_rate,
        qst_rate = excluded.qst_rate, fetched_at = excluded.fetched_at
    where p.fetched_at < excluded.fetched_at";

/// Keeps what products said about these products in one answer, each at most once.
pub async fn save_snapshots(db: &impl Executor, store: Option<StoreId>, products: &[Snapshot]) -> Result<(), DbError> {
    let Some(fetched_at) = products.first().map(|product| product.fetched_at) else {
        return Ok(());
    };
    let text =
        |column: fn(&Snapshot) -> &str| -> Vec<String> { products.iter().map(|p| column(p).to_owned()).collect() };
    let int = |column: fn(&Snapshot) -> i64| -> Vec<i64> { products.iter().map(column).collect() };
    let params = params![
        store,
        fetched_at,
        int(|p| p.product_id.0),
        text(|p| &p.sku),
        text(|p| &p.name),
        text(|p| p.availability.as_str()),
        int(|p| p.price.cents()),
        int(|p| p.deposit.cents()),
        text(|p| &p.tax_category),
        int(|p| i64::from(p.rates.gst.thousandths())),
        int(|p| i64::from(p.rates.qst.thousandths())),
    ];
    db.execute(SAVE, params).await.map(|_| ())
}

/// The snapshot that a `left join` found, or that there is none.
pub(super) fn joined(row: &Row<'_>) -> Result<Option<Snapshot>, DbError> {
    match row.get("product_id")? {
        None => Ok(None),
        Some(product_id) => Ok(Some(Snapshot {
            product_id,
            sku: row.get("sku")?,
            name: row.get("name")?,
            availability: row.get("availability")?,
            price: row.get("price_cents")?,
            deposit: row.get("deposit_cents")?,
            tax_category: row.get("tax_category")?,
            rates: TaxRates { gst: rate(row, "gst_rate")?, qst: rate(row, "qst_rate")? },
            fetched_at: row.get("fetched_at")?,
        })),
    }
}

fn rate(row: &Row<'_>, column: &str) -> Result<TaxRate, DbError> {
    let thousandths: i32 = row.get(column)?;
    TaxRate::from_thousandths(i64::from(thousandths)).map_err(|error| DbError::Conversion(format!("{column}: {error}")))
}

impl FromValue for Availability {
    fn from_value(value: Value) -> Result<Availability, DbError> {
        let text = String::from_value(value)?;
        Availability::parse(&text).ok_or_else(|| DbError::Conversion(format!("no product status: {text}")))
    }
}
