//! Addresses. Every write comes after the lock of the customer, so that one of them is the default.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use crate::domain::address::{Draft, Province};
use crate::domain::{AddressId, CustomerId};

const LIST: &str = "
    select id, recipient, line1, line2, city, province, postal_code, is_default, version, created_at, updated_at
    from addresses where customer_id = $1
    order by id";

const GET: &str = "
    select id, recipient, line1, line2, city, province, postal_code, is_default, version, created_at, updated_at
    from addresses where customer_id = $1 and id = $2";

const COUNT: &str = "select count(*) from addresses where customer_id = $1";

const INSERT: &str = "
    insert into addresses (
        customer_id, recipient, line1, line2, city, province, postal_code, is_default, created_at, updated_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    returning id, recipient, line1, line2, city, province, postal_code, is_default, version, created_at, updated_at";

const UPDATE: &str = "
    update addresses
    set recipient = $3, line1 = $4, line2 = $5, city = $6, province = $7, postal_code = $8, is_default = $9,
        version = version + 1, updated_at = $10
    where customer_id = $1 and id = $2
    returning id, recipient, line1, line2, city, province, postal_code, is_default, version, created_at, updated_at";

const DELETE: &str = "delete from addresses where customer_id = $1 and id = $2";

// A new version of it, since it is another representation.
const UNSET_DEFAULT: &str = "
    update addresses set is_default = false, version = version + 1, updated_at = $2
    where customer_id = $1 and is_default";

const OLDEST_AS_DEFAULT: &str = "
    update addresses set is_default = true, version = version + 1, updated_at = $2
    where id = (select min(id) from addresses where customer_id = $1)
        and not exists (select from addresses where customer_id = $1 and is_default)";

/// An address of a customer.
#[derive(Clone, Debug)]
pub struct Address {
    pub id: AddressId,
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub province: Province,
    pub postal_code: String,
    pub is_default: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

from_row!(Address {
    id,
    recipient,
    line1,
    line2,
    city,
    province,
    postal_code,
    is_default,
    version,
    created_at,
    updated_at,
});

/// In the order in which they were added.
pub async fn list(db: &impl Executor, customer: CustomerId) -> Result<Vec<Address>, DbError> {
    db.query(LIST, params![customer]).await
}

pub async fn get(db: &impl Executor, customer: CustomerId, id: AddressId) -> Result<Option<Address>, DbError> {
    db.query_opt(GET, params![customer, id]).await
}

pub async fn count(db: &impl Executor, customer: CustomerId) -> Result<i64, DbError> {
    let (count,) = db.query_one(COUNT, params![customer]).await?;
    Ok(count)
}

/// No other is the default, if this one is.
pub async fn insert(
    db: &impl Executor,
    customer: CustomerId,
    draft: &Draft,
    is_default: bool,
    now: Timestamp,
) -> Result<Address, DbError> {
    let Draft { recipient, line1, line2, city, province, postal_code } = draft;
    let (line2, province) = (line2.as_deref(), province.as_str());
    let params = params![customer, recipient, line1, line2, city, province, postal_code, is_default, now];
    db.query_one(INSERT, params).await
}

/// No other is the default, if this one is.
pub async fn update(
    db: &impl Executor,
    customer: CustomerId,
    id: AddressId,
    draft: &Draft,
    is_default: bool,
    now: Timestamp,
) -> Result<Address, DbError> {
    let Draft { recipient, line1, line2, city, province, postal_code } = draft;
    let (line2, province) = (line2.as_deref(), province.as_str());
    let params = params![customer, id, recipient, line1, line2, city, province, postal_code, is_default, now];
    db.query_one(UPDATE, params).await
}

/// Removes one; if it was the default, the oldest that is left is the default now.
pub async fn delete(db: &impl Executor, customer: CustomerId, id: AddressId, now: Timestamp) -> Result<(), DbError> {
    db.execute(DELETE, params![customer, id]).await?;
    db.execute(OLDEST_AS_DEFAULT, params![customer, now]).await?;
    Ok(())
}

/// Makes room for another default.
pub async fn unset_default(db: &impl Executor, customer: CustomerId, now: Timestamp) -> Result<(), DbError> {
    db.execute(UNSET_DEFAULT, params![customer, now]).await?;
    Ok(())
}

impl Address {
    pub fn draft(&self) -> Draft {
        Draft {
            recipient: self.recipient.clone(),
            line1: self.line1.clone(),
            line2: self.line2.clone(),
            city: self.city.clone(),
            province: self.province,
            postal_code: self.postal_code.clone(),
        }
    }
}
