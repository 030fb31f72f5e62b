//! The SQL of sessions and of the cash that comes and goes without a sale.

use jiff::Timestamp;
use pricing::Money;
use sdk::{DbError, Executor, FromRow, Row, Tx, from_row, params};

use super::{parsed, written};
use crate::domain::session::{Closed, Movement, Session, SessionKind, SessionStatus};
use crate::domain::{RegisterId, SessionId};

/// The columns of a [`Session`].
macro_rules! columns {
    () => {
        "id, register_id, store_id, kind, status, cashier, float_cents, opened_by, opened_at, closed_by, closed_at,
         z_seq, counted_cents, expected_cents, denominations, report, version"
    };
}

// One that is open already stays: whoever is just opening one is waited for.
const OPEN: &str = concat!(
    "insert into sessions (id, register_id, store_id, kind, cashier, float_cents, opened_by, opened_at)
     select $1, id, store_id, $3, $4, $5, $6, $7 from registers where id = $2
     on conflict (register_id, kind) where status = 'open' do nothing
     returning ",
    columns!()
);

const GET: &str = concat!("select ", columns!(), " from sessions where id = $1");

const LOCK: &str = concat!("select ", columns!(), " from sessions where id = $1 for no key update");

const LOCK_OPEN: &str = concat!(
    "select ",
    columns!(),
    " from sessions where register_id = $1 and kind = $2 and status = 'open' for no key update"
);

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from sessions
      where register_id = $1 and ($2::text is null or status = $2)
          and ($3::timestamptz is null or (opened_at, id) < ($3, $4))
      order by opened_at desc, id desc
      limit $5"
);

const CLOSE: &str = "
    update sessions
    set status = 'closed', closed_at = $2, closed_by = $3, z_seq = $4, counted_cents = $5, expected_cents = $6,
        denominations = $7, report = $8, version = $9
    where id = $1";

const TOUCH: &str = "update sessions set version = $2 where id = $1";

const MOVE: &str = "
    insert into cash_movements (id, session_id, kind, amount_cents, reason, actor, at)
    values ($1, $2, $3, $4, $5, $6, $7)";

const MOVEMENTS: &str = "
    select id, kind, amount_cents as amount, reason, actor, at from cash_movements where session_id = $1 order by seq";

/// A session that is to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    pub id: SessionId,
    pub register_id: RegisterId,
    pub kind: SessionKind,
    pub cashier: &'a str,
    pub opening_float: Money,
    pub by: &'a str,
    pub at: Timestamp,
}

/// Opens a session; `None` when one of that kind is open at the register.
pub async fn open(tx: &Tx, new: NewSession<'_>) -> Result<Option<Session>, DbError> {
    let NewSession { id, register_id, kind, cashier, opening_float, by, at } = new;
    tx.query_opt(OPEN, params![id, register_id, kind, cashier, opening_float, by, at]).await
}

pub async fn get(db: &impl Executor, id: SessionId) -> Result<Option<Session>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// Locks the session until the transaction ends: the first thing that everything in it does.
pub async fn lock(tx: &Tx, id: SessionId) -> Result<Option<Session>, DbError> {
    tx.query_opt(LOCK, params![id]).await
}

/// Locks the session of that kind that is open at the register, if there is one.
pub async fn lock_open(tx: &Tx, register: RegisterId, kind: SessionKind) -> Result<Option<Session>, DbError> {
    tx.query_opt(LOCK_OPEN, params![register, kind]).await
}

/// Up to `limit` sessions of the register after that place, the latest first.
pub async fn list(
    db: &impl Executor,
    register: RegisterId,
    status: Option<SessionStatus>,
    after: Option<(Timestamp, SessionId)>,
    limit: i64,
) -> Result<Vec<Session>, DbError> {
    let (at, id) = after.unzip();
    db.query(LIST, params![register, status, at, id, limit]).await
}

/// Writes what a session ended with. The session is locked.
pub async fn close(tx: &Tx, session: &Session, closed: &Closed) -> Result<(), DbError> {
    let params = params![
        session.id,
        closed.at,
        closed.by.as_str(),
        closed.z_seq,
        closed.counted,
        closed.expected,
        closed.denominations.as_ref().map(written).transpose()?,
        written(&closed.report)?,
        session.version,
    ];
    tx.execute(CLOSE, params).await.map(|_| ())
}

/// Records that cash came or went. The session is locked, and its version is the next one.
pub async fn move_cash(tx: &Tx, session: &Session, movement: &Movement) -> Result<(), DbError> {
    let Movement { id, kind, amount, reason, actor, at } = movement;
    tx.execute(MOVE, params![*id, session.id, *kind, *amount, reason.as_str(), actor.as_str(), *at]).await?;
    tx.execute(TOUCH, params![session.id, session.version]).await.map(|_| ())
}

/// The cash that came and went, in this order.
pub async fn movements(db: &impl Executor, id: SessionId) -> Result<Vec<Movement>, DbError> {
    db.query(MOVEMENTS, params![id]).await
}

from_row!(Movement { id, kind, amount, reason, actor, at });

impl FromRow for Session {
    fn from_row(row: &Row<'_>) -> Result<Session, DbError> {
        let status = row.get("status")?;
        Ok(Session {
            id: row.get("id")?,
            register_id: row.get("register_id")?,
            store_id: row.get("store_id")?,
            kind: row.get("kind")?,
            status,
            cashier: row.get("cashier")?,
            opening_float: row.get("float_cents")?,
            opened_by: row.get("opened_by")?,
            opened_at: row.get("opened_at")?,
            closed: match status {
                SessionStatus::Open => None,
                SessionStatus::Closed => Some(Box::new(closed(row)?)),
            },
            version: row.get("version")?,
        })
    }
}

/// All of it is there, by constraint.
fn closed(row: &Row<'_>) -> Result<Closed, DbError> {
    Ok(Closed {
        at: row.get("closed_at")?,
        by: row.get("closed_by")?,
        z_seq: row.get("z_seq")?,
        counted: row.get("counted_cents")?,
        expected: row.get("expected_cents")?,
        denominations: parsed(row, "denominations")?,
        report: parsed(row, "report")?,
    })
}
