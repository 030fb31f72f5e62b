//! Tax categories and their dated rates. A day is a business day, America/Toronto; PostgreSQL knows
//! when it begins.

use jiff::Timestamp;
use jiff::civil::Date;
use pricing::{Tax, TaxRate};
use sdk::{DbError, Executor, FromRow, OnConstraint, Problem, Result, Row, from_row, params};

use super::parsed;
use crate::domain::tax::{parse_tax, tax_as_str};

/// How products are taxed.
#[derive(Clone, Debug)]
pub struct TaxCategory {
    pub code: String,
    pub name_en: String,
    pub name_fr: String,
    pub created_at: Timestamp,
}

from_row!(TaxCategory { code, name_en, name_fr, created_at });

/// The rate of one tax, in a period of days.
#[derive(Clone, Debug)]
pub struct DatedRate {
    pub tax_category: String,
    pub tax: Tax,
    pub rate: TaxRate,
    /// Inclusive; none: ever since.
    pub from: Option<Date>,
    /// Exclusive; none: until further notice.
    pub until: Option<Date>,
    /// Whether today is in the period.
    pub in_force: bool,
}

impl FromRow for DatedRate {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self {
            tax_category: row.get("tax_category")?,
            tax: parsed(row.get("tax")?, parse_tax)?,
            rate: rate(row.get("rate")?)?,
            from: row.get("from")?,
            until: row.get("until")?,
            in_force: row.get("in_force")?,
        })
    }
}

/// Thousandths of a percent, as stored.
pub(super) fn rate(thousandths: i64) -> Result<TaxRate, DbError> {
    TaxRate::from_thousandths(thousandths).map_err(|err| DbError::Conversion(err.to_string()))
}

const GET: &str = "
    select code, name_en, name_fr, created_at
    from tax_categories
    where code = $1";

const LIST: &str = "
    select code, name_en, name_fr, created_at
    from tax_categories
    where ($1::text is null or code collate \"C\" > $1)
    order by code collate \"C\"
    limit $2";

const RATES: &str = "
    select
      tax_category_code as tax_category,
      tax,
      rate_thousandths as rate,
      lower(valid) as from,
      upper(valid) as until,
      valid @> ($2::timestamptz at time zone 'America/Toronto')::date as in_force
    from tax_rates
    where tax_category_code = any ($1)
    order by tax_category_code, tax, valid";

const INSERT: &str = "
    insert into tax_categories (code, name_en, name_fr, created_at)
    values ($1, $2, $3, $4)";

const INSERT_RATE: &str = "
    insert into tax_rates (tax_category_code, tax, rate_thousandths, valid, created_at)
    values ($1, $2, $3, daterange($4, null), $5)";

const LOCK: &str = "select code from tax_categories where code = $1 for update";

/// The last rate ends where the next one starts. One that starts no earlier is left as it is, for the
/// exclusion constraint to meet.
const CLOSE_RATE: &str = "
    update tax_rates
    set valid = daterange(lower(valid), $3)
    where tax_category_code = $1
      and tax = $2
      and upper_inf(valid)
      and (lower_inf(valid) or lower(valid) < $3)";

const BUSINESS_DAY: &str = "select ($1::timestamptz at time zone 'America/Toronto')::date as business_day";

pub async fn get(db: &impl Executor, code: &str) -> Result<Option<TaxCategory>, DbError> {
    db.query_opt(GET, params![code]).await
}

/// At most `rows` tax categories by code.
pub async fn list(db: &impl Executor, after: Option<&str>, rows: i64) -> Result<Vec<TaxCategory>, DbError> {
    db.query(LIST, params![after, rows]).await
}

/// Every rate of those categories, by category, tax and day.
pub async fn rates(db: &impl Executor, codes: Vec<&str>, now: Timestamp) -> Result<Vec<DatedRate>, DbError> {
    db.query(RATES, params![codes, now]).await
}

/// A category with a rate of each tax that holds for all time, until another one is added.
pub async fn insert(tx: &impl Executor, category: &TaxCategory, gst: TaxRate, qst: TaxRate) -> Result<()> {
    let values =
        params![category.code.as_str(), category.name_en.as_str(), category.name_fr.as_str(), category.created_at,];
    tx.execute(INSERT, values).await.on_constraint("tax_categories_pkey", || {
        let detail = "another tax category has this code";
        let code = "tax-category-exists";
        Problem::conflict(code).detail(detail).field("/code", code, detail)
    })?;
    for (tax, rate) in [(Tax::Gst, gst), (Tax::Qst, qst)] {
        insert_rate(tx, &category.code, tax, rate, None, category.created_at).await?;
    }
    Ok(())
}

/// Changes a rate from a day on. Whether there is such a category.
pub async fn change_rate(
    tx: &impl Executor,
    code: &str,
    tax: Tax,
    rate: TaxRate,
    from: Date,
    now: Timestamp,
) -> Result<bool> {
    if tx.query_opt::<(String,)>(LOCK, params![code]).await?.is_none() {
        return Ok(false);
    }
    tx.execute(CLOSE_RATE, params![code, tax_as_str(tax), from]).await?;
    insert_rate(tx, code, tax, rate, Some(from), now).await?;
    Ok(true)
}

async fn insert_rate(
    tx: &impl Executor,
    code: &str,
    tax: Tax,
    rate: TaxRate,
    from: Option<Date>,
    now: Timestamp,
) -> Result<()> {
    let values = params![code, tax_as_str(tax), rate.thousandths(), from, now];
    tx.execute(INSERT_RATE, values).await.on_constraint("tax_rates_no_overlap", || {
        Problem::conflict("rate-overlap").detail("a change of this tax is already set for this day or a later one")
    })?;
    Ok(())
}

/// The business day of an instant.
pub async fn business_day(db: &impl Executor, now: Timestamp) -> Result<Date, DbError> {
    let (day,) = db.query_one(BUSINESS_DAY, params![now]).await?;
    Ok(day)
}
