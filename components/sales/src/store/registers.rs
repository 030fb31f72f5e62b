//! The SQL of stores and registers, and of the numbers that a register gives.

use jiff::Timestamp;
use sdk::{DbError, Executor, Tx, from_row, params};

use crate::domain::session::{Register, RegisterKind};
use crate::domain::{LocationId, Number, Paper, RegisterId};

/// The columns of a [`Register`].
macro_rules! columns {
    () => {
        "id, store_id, code, name, kind, created_at"
    };
}

const INSERT: &str = concat!(
    "insert into registers (store_id, code, name, kind, created_at) values ($1, $2, $3, $4, $5) returning ",
    columns!()
);

const GET: &str = concat!("select ", columns!(), " from registers where id = $1");

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from registers
      where ($1::bigint is null or store_id = $1) and ($2::text is null or kind = $2) and id > $3
      order by id
      limit $4"
);

// The lock that this takes is what makes the numbers gapless: whoever rolls back gives the number back before
// anybody else can have the next one.
const NEXT_SALE: &str = "
    update registers set last_sale = last_sale + 1 where id = $1 returning store_id, code, last_sale as seq";

const NEXT_RETURN: &str = "
    update registers set last_return = last_return + 1 where id = $1 returning store_id, code, last_return as seq";

const NEXT_Z: &str = "
    update registers set last_z = last_z + 1 where id = $1 returning store_id, code, last_z as seq";

// A store that has no register of its own for it has the central one.
const ONLINE: &str = "
    select id from registers where kind = 'online' and store_id in ($1, $2) order by store_id <> $1 limit 1";

const STORE: &str = "
    select id, name, street, city, gst_number, qst_number from stores where id = $1";

/// Whose sale it is that is no store's.
const CENTRAL: LocationId = LocationId(100);

/// Where a receipt comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub id: LocationId,
    pub name: String,
    pub street: String,
    pub city: String,
    pub gst_number: String,
    pub qst_number: String,
}

/// A number that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    pub store_id: LocationId,
    pub code: String,
    pub seq: i64,
}

/// What a list of registers is restricted to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub store: Option<LocationId>,
    pub kind: Option<RegisterKind>,
}

from_row!(Register { id, store_id, code, name, kind, created_at });
from_row!(Store { id, name, street, city, gst_number, qst_number });
from_row!(Numbered { store_id, code, seq });

impl Numbered {
    pub fn text(&self, paper: Paper) -> String {
        Number { store: self.store_id, code: &self.code, paper, seq: self.seq }.to_string()
    }
}

/// Another till. One of that code violates `registers_code_key`, a store that is not there
/// `registers_store_id_fkey`.
pub async fn insert(tx: &Tx, store: LocationId, code: &str, name: &str, now: Timestamp) -> Result<Register, DbError> {
    tx.query_one(INSERT, params![store, code, name, RegisterKind::Till, now]).await
}

pub async fn get(db: &impl Executor, id: RegisterId) -> Result<Option<Register>, DbError> {
    db.query_opt(GET, params![id]).await
}

/// Up to `limit` registers after that one.
pub async fn list(db: &impl Executor, filter: Filter, after: RegisterId, limit: i64) -> Result<Vec<Register>, DbError> {
    db.query(LIST, params![filter.store, filter.kind, after, limit]).await
}

/// The next number of the register. Its row is locked until the transaction ends.
pub async fn number(tx: &Tx, id: RegisterId, paper: Paper) -> Result<Numbered, DbError> {
    let sql = match paper {
        Paper::Sale => NEXT_SALE,
        Paper::Return => NEXT_RETURN,
        Paper::Z => NEXT_Z,
    };
    tx.query_one(sql, params![id]).await
}

/// The register that numbers what is bought online of that store.
pub async fn online(db: &impl Executor, store: LocationId) -> Result<RegisterId, DbError> {
    let (id,): (RegisterId,) = db.query_one(ONLINE, params![store, CENTRAL]).await?;
    Ok(id)
}

/// The store of a register.
pub async fn store(db: &impl Executor, id: LocationId) -> Result<Option<Store>, DbError> {
    db.query_opt(STORE, params![id]).await
}
