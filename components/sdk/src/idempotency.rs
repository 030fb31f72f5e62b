//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that is sent again has its
//! effect once. The answer is stored in the very transaction of the effect, so there is no moment
//! at which one of them exists without the other.

mod reply;

pub use reply::{IDEMPOTENT_REPLAYED, Reply, Stored};

use crate::{Context, Db, DbError, Executor, Principal, Problem, TaskError, Tx, params};
use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::SignedDuration;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The table that a service which takes keys has: one of its migrations, as it is here.
pub const MIGRATION_SQL: &str = "\
create table idempotency_keys (
    principal text not null,
    key text not null,
    -- SHA-256 of the method, the path and the canonical body.
    fingerprint bytea not null,
    status integer not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pk primary key (principal, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
";

/// How long an answer is kept at least.
pub const KEPT_H: i64 = 24;

/// How many rows one statement of [`purge`] deletes at most.
const PURGE_BATCH: i64 = 1_000;

/// The draft leaves it open; its examples are UUIDs.
const KEY_BYTES_MAX: usize = 255;

/// Never waits: whoever holds the lock works for the same key at this moment.
const LOCK: &str = "\
select pg_try_advisory_xact_lock(hashtextextended($1 || chr(31) || $2, 0))";

const FIND: &str = "\
select fingerprint, status, headers, body from idempotency_keys where principal = $1 and key = $2";

const STORE: &str = "\
insert into idempotency_keys (principal, key, fingerprint, status, headers, body)
values ($1, $2, $3, $4, $5, $6)";

const PURGE: &str = "\
delete from idempotency_keys where (principal, key) in (
    select principal, key from idempotency_keys where created_at < $1 limit $2
)";

/// A key, whose it is, and what it was used for: for a service that stores a key with an effect whose answer
/// comes later, as a row of its own and not in [`MIGRATION_SQL`]'s table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub principal: String,
    pub key: String,
    /// SHA-256 of the method, the path and the canonical body.
    pub fingerprint: Vec<u8>,
}

/// The request's key, if it has one, and whose it is. Anonymous clients share one space of keys: there
/// a key is worth as much as it is hard to guess, and a UUID is.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: Option<String>,
    principal: String,
    /// Method and path: a key that is used for something else is used wrongly.
    operation: String,
}

impl Idempotency {
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The key as something to be stored; `fingerprint_of` is the request's body, parsed.
    ///
    /// # Errors
    /// 400 `idempotency-key-required` without one.
    pub fn claim<B: Serialize + ?Sized>(&self, fingerprint_of: &B) -> Result<Claim, Problem> {
        let key = self.key.clone().ok_or_else(|| {
            Problem::bad_request("idempotency-key-required")
                .detail("this request must have an Idempotency-Key, so that sending it again does no harm")
        })?;
        Ok(Claim { principal: self.principal.clone(), key, fingerprint: self.fingerprint(fingerprint_of)? })
    }

    /// Runs `f` in a transaction, once for each key: a repetition is answered with what the first
    /// one was, and `Idempotent-Replayed: true`. `fingerprint_of` is the request's body, parsed.
    /// Without a key it just runs `f` in a transaction. What `f` fails with rolls back and is not
    /// stored.
    ///
    /// # Errors
    /// 409 `idempotency-in-progress` while another request with the key runs, 422
    /// `idempotency-key-reused` when the key stands for another request; what `f` fails with; and
    /// what a transaction fails with.
    pub async fn run<B, F, Fut>(&self, db: &Db, fingerprint_of: &B, f: F) -> Result<Reply, Problem>
    where
        B: Serialize + ?Sized,
        F: Fn(Tx) -> Fut + Sync,
        Fut: Future<Output = Result<Reply, Problem>> + Send,
    {
        let Some(key) = self.key.as_deref() else {
            return db.transaction(f).await;
        };
        let fingerprint = self.fingerprint(fingerprint_of)?;
        let attempt = &Attempt { principal: &self.principal, key, fingerprint };
        let f = &f;
        db.transaction(|tx| async move {
            if let Some(reply) = attempt.find(&tx).await? {
                return Ok(reply);
            }
            let reply = f(tx.clone()).await?;
            attempt.store(&tx, &reply).await?;
            Ok(reply)
        })
        .await
    }

    /// Canonical, because the members of a `serde_json` object are sorted: a client that writes the
    /// same body in another order, or with other white space, asks for the same.
    fn fingerprint<B: Serialize + ?Sized>(&self, body: &B) -> Result<Vec<u8>, Problem> {
        let body = serde_json::to_value(body).map_err(Problem::internal)?;
        let mut hash = Sha256::new();
        hash.update(self.operation.as_bytes());
        hash.update([0]);
        hash.update(body.to_string().as_bytes());
        Ok(hash.finalize().to_vec())
    }
}

/// One key in one transaction.
struct Attempt<'a> {
    principal: &'a str,
    key: &'a str,
    fingerprint: Vec<u8>,
}

impl Attempt<'_> {
    /// The answer that is to be repeated. Locks the key until the transaction ends; the look-up is a
    /// statement of its own because it must see what the last holder of the lock committed.
    async fn find(&self, tx: &Tx) -> Result<Option<Reply>, Problem> {
        let (locked,): (bool,) = tx.query_one(LOCK, params![self.principal, self.key]).await?;
        if !locked {
            return Err(Problem::conflict("idempotency-in-progress")
                .detail("a request with this Idempotency-Key is still running")
                .retry_after(1));
        }
        let found: Option<(Vec<u8>, i32, serde_json::Value, Vec<u8>)> =
            tx.query_opt(FIND, params![self.principal, self.key]).await?;
        let Some((fingerprint, status, headers, body)) = found else {
            return Ok(None);
        };
        if fingerprint != self.fingerprint {
            return Err(reused());
        }
        Ok(Some(Reply::restore(status, headers, body)?))
    }

    async fn store(&self, tx: &Tx, reply: &Reply) -> Result<(), Problem> {
        let (status, headers, body) = reply.stored()?;
        let fingerprint = self.fingerprint.as_slice();
        let params = params![self.principal, self.key, fingerprint, status, headers, body];
        tx.execute(STORE, params).await?;
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let key = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => match value.to_str() {
                Ok(key) if is_key(key) => Some(key.to_owned()),
                _ => return Err(key_invalid()),
            },
            (Some(_), Some(_)) => return Err(key_invalid()),
        };
        Ok(Idempotency {
            key,
            principal: Principal::from_headers(&parts.headers).key(),
            operation: format!("{} {}", parts.method, parts.uri.path()),
        })
    }
}

/// 422 for a key that stands for another request.
#[must_use]
pub fn reused() -> Problem {
    Problem::unprocessable("idempotency-key-reused").detail("this Idempotency-Key was used for another request")
}

fn is_key(key: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn key_invalid() -> Problem {
    let detail = format!("Idempotency-Key must be one value of 1 to {KEY_BYTES_MAX} visible ASCII characters");
    Problem::bad_request("idempotency-key-invalid").detail(detail)
}

/// Deletes answers that were kept long enough; a service's task, every hour or so.
///
/// # Errors
/// When the database says no.
pub async fn purge(context: Context) -> Result<(), TaskError> {
    let kept = SignedDuration::from_hours(KEPT_H);
    let now = context.clock.now();
    let before = now.checked_sub(kept).map_err(|err| DbError::Unexpected(err.to_string()))?;
    loop {
        let purged = context.db.execute(PURGE, params![before, PURGE_BATCH]).await?;
        if purged < PURGE_BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}
