//! Customers, and what is forgotten with them.

use jiff::Timestamp;
use sdk::{DbError, Executor, from_row, params};

use crate::domain::profile::{Profile, email_key};
use crate::domain::{CustomerId, Language, Status};

const INSERT: &str = "
    with customer as (
        insert into customers (email, password_hash, name, phone, language, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        returning id, status, email, name, phone, language, version, created_at, updated_at, erased_at
    ), account as (
        insert into loyalty_accounts (customer_id) select id from customer
    )
    select * from customer";

const GET: &str = "
    select id, status, email, name, phone, language, version, created_at, updated_at, erased_at
    from customers where id = $1";

const LOCK: &str = "
    select id, status, email, name, phone, language, version, created_at, updated_at, erased_at
    from customers where id = $1
    for no key update";

const UPDATE: &str = "
    update customers
    set email = $2, name = $3, phone = $4, language = $5, status = $6, version = version + 1, updated_at = $7
    where id = $1
    returning id, status, email, name, phone, language, version, created_at, updated_at, erased_at";

const TOUCH: &str = "
    update customers set version = version + 1, updated_at = $2 where id = $1 returning version";

const SET_PASSWORD: &str = "
    update customers set password_hash = $2, updated_at = $3 where id = $1";

const ERASE: &str = "
    update customers
    set status = 'erased', email = null, password_hash = null, name = null, phone = null, language = null,
        version = version + 1, updated_at = $2, erased_at = $2
    where id = $1
    returning version";

const FORGET_ADDRESSES: &str = "delete from addresses where customer_id = $1";

const FORGET_SESSIONS: &str = "delete from token_families where customer_id = $1";

const FORGET_ATTEMPTS: &str = "delete from login_attempts where account = $1";

// Answers are kept for a day, to be given again: those to the customer, and those about them that were
// given to others: registration was anonymous, and staff may have added an address.
const FORGET_ANSWERS: &str = "
    delete from idempotency_keys k
    where k.principal = 'customer:' || $1::bigint
        or exists (
            select from jsonb_array_elements(k.headers) h
            where h ->> 0 = 'location'
                and h ->> 1 || '/' like '/api/v1/customers/' || $1::bigint || '/%'
        )";

const CREDENTIALS: &str = "
    select id, status, password_hash from customers where email_key = $1";

const CREDENTIALS_OF: &str = "
    select id, status, email, password_hash from customers where id = $1 and status <> 'erased'";

const SHARE: &str = "
    select id, status, password_hash from customers where id = $1 for share";

/// A customer; all `None` where nothing is known any more.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: CustomerId,
    pub status: Status,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub language: Option<Language>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub erased_at: Option<Timestamp>,
}

/// What a password is compared with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub id: CustomerId,
    pub status: Status,
    /// None: erased.
    pub password_hash: Option<String>,
}

from_row!(Customer { id, status, email, name, phone, language, version, created_at, updated_at, erased_at });
from_row!(Credentials { id, status, password_hash });

/// Violates `customers_email_unique` when there is another account with the address.
pub async fn insert(
    db: &impl Executor,
    profile: &Profile,
    password_hash: &str,
    now: Timestamp,
) -> Result<Customer, DbError> {
    let Profile { email, name, phone, language } = profile;
    db.query_one(INSERT, params![email, password_hash, name, phone.as_deref(), language.as_str(), now]).await
}

pub async fn get(db: &impl Executor, id: CustomerId) -> Result<Option<Customer>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// Locks the customer until the transaction ends: the first thing every write about one does.
pub async fn lock(db: &impl Executor, id: CustomerId) -> Result<Option<Customer>, DbError> {
    db.query_opt(LOCK, params![id]).await
}

/// Violates `customers_email_unique` when there is another account with the address. The customer is locked.
pub async fn update(
    db: &impl Executor,
    id: CustomerId,
    profile: &Profile,
    status: Status,
    now: Timestamp,
) -> Result<Customer, DbError> {
    let Profile { email, name, phone, language } = profile;
    let params = params![id, email, name, phone.as_deref(), language.as_str(), status.as_str(), now];
    db.query_one(UPDATE, params).await
}

/// A new version of the customer, whose addresses have changed; its number. The customer is locked.
pub async fn touch(db: &impl Executor, id: CustomerId, now: Timestamp) -> Result<i64, DbError> {
    let (version,) = db.query_one(TOUCH, params![id, now]).await?;
    Ok(version)
}

/// The customer is locked. No new version: nobody is shown a password.
pub async fn set_password(
    db: &impl Executor,
    id: CustomerId,
    password_hash: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    db.execute(SET_PASSWORD, params![id, password_hash, now]).await?;
    Ok(())
}

/// Forgets everything about the person, wherever it is; the version since then. The customer is locked.
pub async fn erase(
    db: &impl Executor,
    customer: &Customer,
    account: Option<&[u8]>,
    now: Timestamp,
) -> Result<i64, DbError> {
    db.execute(FORGET_ADDRESSES, params![customer.id]).await?;
    db.execute(FORGET_SESSIONS, params![customer.id]).await?;
    db.execute(FORGET_ANSWERS, params![customer.id]).await?;
    if let Some(account) = account {
        db.execute(FORGET_ATTEMPTS, params![account]).await?;
    }
    let (version,) = db.query_one(ERASE, params![customer.id, now]).await?;
    Ok(version)
}

/// Who has that e-mail address.
pub async fn credentials(db: &impl Executor, email: &str) -> Result<Option<Credentials>, DbError> {
    db.query_opt(CREDENTIALS, params![email_key(email)]).await
}

/// The e-mail address and the credentials of one that is not erased.
pub async fn credentials_of(
    db: &impl Executor,
    id: CustomerId,
) -> Result<Option<(CustomerId, Status, String, String)>, DbError> {
    db.query_opt(CREDENTIALS_OF, params![id]).await
}

/// Keeps the customer as it is until the transaction ends, and lets others do the same.
pub async fn share(db: &impl Executor, id: CustomerId) -> Result<Option<Credentials>, DbError> {
    db.query_opt(SHARE, params![id]).await
}

impl Customer {
    /// None, once erased.
    pub fn profile(&self) -> Option<Profile> {
        Some(Profile {
            email: self.email.clone()?,
            name: self.name.clone()?,
            phone: self.phone.clone(),
            language: self.language?,
        })
    }
}

/// `Debug` shows no hash.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}
