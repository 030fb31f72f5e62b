//! Families of refresh tokens, and wrong passwords.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, from_row, params};

use crate::domain::session::{FAILURES_MAX, Shown};
use crate::domain::{CustomerId, FamilyId};
use crate::tokens::RefreshHash;

// Sign-ins of one account take turns once their password is checked: so no more than the allowed number
// of wrong ones is ever answered as such, however many are tried at once.
const LOCK_ACCOUNT: &str = "
    select pg_advisory_xact_lock(hashtextextended('sign-in ' || encode($1, 'hex'), 0))::text";

const FAILURES: &str = "
    select failed_at from login_attempts
    where account = $1 and failed_at > $2
    order by failed_at desc
    limit $3";

const FAIL: &str = "insert into login_attempts (account, failed_at) values ($1, $2)";

const FORGIVE: &str = "delete from login_attempts where account = $1";

const BEGIN: &str = "
    insert into token_families (id, customer_id, created_at, expires_at) values ($1, $2, $3, $4)";

const ADD_TOKEN: &str = "
    insert into refresh_tokens (hash, family_id, issued_at, expires_at) values ($1, $2, $3, $4)";

const USE_TOKEN: &str = "update refresh_tokens set used_at = $2 where hash = $1";

const OWNER: &str = "
    select f.customer_id from refresh_tokens t join token_families f on f.id = t.family_id
    where t.hash = $1";

const LOCK_TOKEN: &str = "
    select f.id, f.expires_at as family_expires_at, f.revoked_at is not null as revoked, t.expires_at, t.used_at
    from refresh_tokens t join token_families f on f.id = t.family_id
    where t.hash = $1
    for no key update of f, t";

const REVOKE: &str = "
    update token_families set revoked_at = $2, reason = $3 where id = $1 and revoked_at is null";

const REVOKE_BY_TOKEN: &str = "
    update token_families set revoked_at = $2, reason = 'logout'
    where id = (select family_id from refresh_tokens where hash = $1) and revoked_at is null";

const REVOKE_ALL: &str = "
    update token_families set revoked_at = $2, reason = $3 where customer_id = $1 and revoked_at is null";

const LIST: &str = "
    select f.created_at, max(t.issued_at) as refreshed_at, f.expires_at, f.revoked_at, f.reason
    from token_families f left join refresh_tokens t on t.family_id = f.id
    where f.customer_id = $1
    group by f.id
    order by f.created_at, f.id
    limit $2";

// In batches, so that no row is locked for long. A family goes when no token of it is left.
const PURGE_TOKENS: &str = "
    delete from refresh_tokens where hash in (
        select hash from refresh_tokens where expires_at <= $1 limit $2 for update skip locked
    )";

const PURGE_FAMILIES: &str = "
    delete from token_families where id in (
        select id from token_families f
        where f.expires_at <= $1
            or not exists (select from refresh_tokens t where t.family_id = f.id)
        limit $2 for update skip locked
    )";

const PURGE_ATTEMPTS: &str = "
    delete from login_attempts where id in (
        select id from login_attempts where failed_at <= $1 limit $2 for update skip locked
    )";

/// Why a family ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Reuse,
    PasswordChanged,
    Suspended,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Reason::Reuse => "reuse",
            Reason::PasswordChanged => "password-changed",
            Reason::Suspended => "suspended",
        }
    }
}

/// A refresh token, locked with its family.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub family: FamilyId,
    pub family_expires_at: Timestamp,
    pub revoked: bool,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl FromRow for Token {
    fn from_row(row: &Row<'_>) -> Result<Token, DbError> {
        Ok(Token {
            family: row.get("id")?,
            family_expires_at: row.get("family_expires_at")?,
            revoked: row.get("revoked")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
        })
    }
}

impl Token {
    pub fn shown_by(&self, owner: crate::domain::Status) -> Shown {
        Shown { owner, revoked: self.revoked, expires_at: self.expires_at, used_at: self.used_at }
    }
}

/// A family, as its owner may see it.
#[derive(Clone, Debug)]
pub struct Session {
    pub created_at: Timestamp,
    pub refreshed_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub reason: Option<String>,
}

from_row!(Session { created_at, refreshed_at, expires_at, revoked_at, reason });

/// Waits until nobody else decides on a sign-in to this account.
pub async fn lock_account(db: &impl Executor, account: &[u8]) -> Result<(), DbError> {
    let _: (String,) = db.query_one(LOCK_ACCOUNT, params![account]).await?;
    Ok(())
}

/// The latest wrong passwords that count, at most as many as lock an account.
pub async fn failures(db: &impl Executor, account: &[u8], since: Timestamp) -> Result<Vec<Timestamp>, DbError> {
    let rows: Vec<(Timestamp,)> = db.query(FAILURES, params![account, since, FAILURES_MAX as i64]).await?;
    Ok(rows.into_iter().map(|(failed_at,)| failed_at).collect())
}

pub async fn fail(db: &impl Executor, account: &[u8], now: Timestamp) -> Result<(), DbError> {
    db.execute(FAIL, params![account, now]).await?;
    Ok(())
}

pub async fn forgive(db: &impl Executor, account: &[u8]) -> Result<(), DbError> {
    db.execute(FORGIVE, params![account]).await?;
    Ok(())
}

/// A family without a token.
pub async fn begin(
    db: &impl Executor,
    family: FamilyId,
    customer: CustomerId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    db.execute(BEGIN, params![family, customer, now, expires_at]).await?;
    Ok(())
}

/// The family has no other token that may be used.
pub async fn add_token(
    db: &impl Executor,
    hash: RefreshHash,
    family: FamilyId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    db.execute(ADD_TOKEN, params![hash.0, family, now, expires_at]).await?;
    Ok(())
}

pub async fn use_token(db: &impl Executor, hash: &RefreshHash, now: Timestamp) -> Result<(), DbError> {
    db.execute(USE_TOKEN, params![hash.0.as_slice(), now]).await?;
    Ok(())
}

/// Whose token it is; nobody's, if it was never given out or is forgotten.
pub async fn owner(db: &impl Executor, hash: &RefreshHash) -> Result<Option<CustomerId>, DbError> {
    let row: Option<(CustomerId,)> = db.query_opt(OWNER, params![hash.0.as_slice()]).await?;
    Ok(row.map(|(customer,)| customer))
}

/// Locks the token and its family: of those who show it at once, one is first.
pub async fn lock_token(db: &impl Executor, hash: &RefreshHash) -> Result<Option<Token>, DbError> {
    db.query_opt(LOCK_TOKEN, params![hash.0.as_slice()]).await
}

pub async fn revoke(db: &impl Executor, family: FamilyId, reason: Reason, now: Timestamp) -> Result<(), DbError> {
    db.execute(REVOKE, params![family, now, reason.as_str()]).await?;
    Ok(())
}

/// Ends the family of that token, used or not.
pub async fn revoke_by_token(db: &impl Executor, hash: &RefreshHash, now: Timestamp) -> Result<(), DbError> {
    db.execute(REVOKE_BY_TOKEN, params![hash.0.as_slice(), now]).await?;
    Ok(())
}

/// Ends every family of a customer, who is locked.
pub async fn revoke_all(
    db: &impl Executor,
    customer: CustomerId,
    reason: Reason,
    now: Timestamp,
) -> Result<(), DbError> {
    db.execute(REVOKE_ALL, params![customer, now, reason.as_str()]).await?;
    Ok(())
}

/// What a customer has begun and is not yet forgotten, at most so many.
pub async fn list(db: &impl Executor, customer: CustomerId, limit: i64) -> Result<Vec<Session>, DbError> {
    db.query(LIST, params![customer, limit]).await
}

/// Deletes some tokens that have expired; how many.
pub async fn purge_tokens(db: &impl Executor, now: Timestamp, batch: i64) -> Result<u64, DbError> {
    db.execute(PURGE_TOKENS, params![now, batch]).await
}

/// Deletes some families of which nothing can come any more; how many.
pub async fn purge_families(db: &impl Executor, now: Timestamp, batch: i64) -> Result<u64, DbError> {
    db.execute(PURGE_FAMILIES, params![now, batch]).await
}

/// Deletes some wrong passwords that count no longer; how many.
pub async fn purge_attempts(db: &impl Executor, before: Timestamp, batch: i64) -> Result<u64, DbError> {
    db.execute(PURGE_ATTEMPTS, params![before, batch]).await
}
