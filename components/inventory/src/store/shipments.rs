//! Restock requests and transfers, and their lines.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, from_row, params};
use uuid::Uuid;

use super::Conditions;
use crate::domain::lines::Line;
use crate::domain::shipment::{Shipment, ShipmentKind, ShipmentLine, Status};
use crate::domain::{LocationId, ShipmentId};

/// The columns of [`Shipment`], in its order.
macro_rules! shipment {
    () => {
        "id, kind, number, source_id, destination_id, status, note, reason, requested_by, version,
         created_at, updated_at"
    };
}

const INSERT: &str = concat!(
    "with made as (
        insert into shipments (id, kind, source_id, destination_id, note, requested_by, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        returning ",
    shipment!(),
    "
    ), lines as (
        insert into shipment_lines (shipment_id, line, product_id, requested)
        select $1, l.line, l.product_id, l.requested
        from unnest($8::bigint[], $9::bigint[], $10::bigint[]) as l (line, product_id, requested)
    )
    select ",
    shipment!(),
    " from made"
);

const LIST: &str = concat!("select ", shipment!(), " from shipments");

const GET: &str = concat!("select ", shipment!(), " from shipments where kind = $1 and id = $2");

const LOCK: &str = concat!("select ", shipment!(), " from shipments where kind = $1 and id = $2 for no key update");

const LINES: &str = "
    select shipment_id, line, product_id, requested, shipped, received, lost
    from shipment_lines
    where shipment_id = any ($1)
    order by shipment_id, line";

const TURN: &str = concat!(
    "update shipments
    set status = $2, reason = coalesce($3, reason), version = version + 1, updated_at = $4
    where id = $1
    returning ",
    shipment!()
);

const MOVE: &str = "
    update shipment_lines l
    set shipped = m.shipped, received = m.received, lost = m.lost
    from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as m (line, shipped, received, lost)
    where l.shipment_id = $1 and l.line = m.line";

from_row!(Shipment {
    id,
    kind,
    number,
    source_id,
    destination_id,
    status,
    note,
    reason,
    requested_by,
    version,
    created_at,
    updated_at,
});
from_row!(ShipmentLine { line, product_id, requested, shipped, received, lost });

struct Of(ShipmentId, ShipmentLine);

impl FromRow for Of {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Of(row.get("shipment_id")?, ShipmentLine::from_row(row)?))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewShipment<'a> {
    pub id: ShipmentId,
    pub kind: ShipmentKind,
    pub source: LocationId,
    pub destination: LocationId,
    pub note: Option<&'a str>,
    pub requested_by: &'a str,
    pub lines: &'a [Line],
}

/// What a list is restricted to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub source: Option<LocationId>,
    pub destination: Option<LocationId>,
}

pub async fn insert(db: &impl Executor, new: NewShipment<'_>, now: Timestamp) -> Result<Shipment, DbError> {
    let numbers: Vec<i64> = new.lines.iter().map(|line| line.number).collect();
    let products: Vec<i64> = new.lines.iter().map(|line| line.place.product.0).collect();
    let requested: Vec<i64> = new.lines.iter().map(|line| line.amount).collect();
    let params = params![
        new.id,
        new.kind,
        new.source,
        new.destination,
        new.note,
        new.requested_by,
        now,
        numbers,
        products,
        requested,
    ];
    db.query_one(INSERT, params).await
}

/// The newest first.
pub async fn list(
    db: &impl Executor,
    kind: ShipmentKind,
    filter: Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Shipment>, DbError> {
    let mut conditions = Conditions::new();
    conditions.and("kind = $?", Some(kind));
    conditions.and("status = $?", filter.status);
    conditions.and("source_id = $?", filter.source);
    conditions.and("destination_id = $?", filter.destination);
    conditions.and("number < $?", before);
    let (sql, params) = conditions.statement(LIST, " order by number desc", limit);
    db.query(&sql, params).await
}

pub async fn get(db: &impl Executor, kind: ShipmentKind, id: ShipmentId) -> Result<Option<Shipment>, DbError> {
    db.query_opt(GET, params![kind, id]).await
}

/// Until the transaction ends.
pub async fn lock(db: &impl Executor, kind: ShipmentKind, id: ShipmentId) -> Result<Option<Shipment>, DbError> {
    db.query_opt(LOCK, params![kind, id]).await
}

/// Of several shipments, by their ids.
pub async fn lines(db: &impl Executor, ids: &[ShipmentId]) -> Result<Vec<(ShipmentId, ShipmentLine)>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let lines: Vec<Of> = db.query(LINES, params![ids]).await?;
    Ok(lines.into_iter().map(|Of(id, line)| (id, line)).collect())
}

pub async fn turn(
    db: &impl Executor,
    id: ShipmentId,
    status: Status,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Shipment, DbError> {
    db.query_one(TURN, params![id, status, reason, now]).await
}

/// Writes how much of these lines was shipped, received and lost.
pub async fn set_lines(db: &impl Executor, id: ShipmentId, lines: &[ShipmentLine]) -> Result<(), DbError> {
    let column = |get: fn(&ShipmentLine) -> i64| lines.iter().map(get).collect::<Vec<i64>>();
    let (numbers, shipped) = (column(|line| line.line), column(|line| line.shipped));
    let (received, lost) = (column(|line| line.received), column(|line| line.lost));
    db.execute(MOVE, params![id, numbers, shipped, received, lost]).await?;
    Ok(())
}
