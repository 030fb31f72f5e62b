//! Reservations and their lines.

use jiff::Timestamp;
use sdk::{DbError, Executor, FromRow, Row, params};
use uuid::Uuid;

use super::columns;
use crate::domain::lines::Line;
use crate::domain::reservation::{Reservation, Status};
use crate::domain::{LocationId, Place, ProductId, ReservationId, Shortage};

// What is short is seen by the snapshot, without a lock and before anything is written: of many who want the
// last unit, those who come too late cost a read. If nothing is short this is no promise yet. A repetition is
// not told that its own units are gone: what took them, the same snapshot shows. Another request that is just
// making the same one is waited for.
const INSERT: &str = "
    with wanted as (
        select *
        from unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
            as w (line, location_id, product_id, quantity)
    ), short as (
        select w.location_id, w.product_id, w.quantity as requested,
            coalesce(s.on_hand - s.reserved, 0) as available, s.location_id is null as without_row
        from wanted w
        left join stock s on s.location_id = w.location_id and s.product_id = w.product_id
        where coalesce(s.on_hand - s.reserved, 0) < w.quantity
            and not exists (select from reservations r where r.id = $1)
    ), made as (
        insert into reservations (id, ttl_s, expires_at, made_by, created_at, updated_at)
        select $1, $2, $3, $4, $5, $5
        where not exists (select from short)
        on conflict on constraint reservations_pkey do nothing
        returning id
    ), lines as (
        insert into reservation_lines (reservation_id, line, location_id, product_id, quantity)
        select made.id, w.line, w.location_id, w.product_id, w.quantity
        from made
        cross join wanted w
    )
    select null::bigint as location_id, null::bigint as product_id, 0 as requested, 0 as available,
        false as without_row
    from made
    union all
    select location_id, product_id, requested, available, without_row from short
    order by location_id, product_id";

macro_rules! find {
    ($lock:literal) => {
        concat!(
            "select r.id, r.status, r.ttl_s, r.expires_at, r.version, r.created_at, r.updated_at,
                l.line, l.location_id, l.product_id, l.quantity
            from reservations r
            left join reservation_lines l on l.reservation_id = r.id
            where r.id = any ($1)
            order by r.id, l.line ",
            $lock
        )
    };
}

const FIND: &str = find!("");

const LOCK: &str = find!("for no key update of r");

// Whoever is making it at this moment is waited for.
const BAR: &str = "
    insert into reservations (id, status, ttl_s, expires_at, made_by, created_at, updated_at)
    values ($1, 'released', 0, $2, $3, $2, $2)
    on conflict on constraint reservations_pkey do nothing";

const TURN: &str = "
    update reservations set status = $2, version = version + 1, updated_at = $3
    where id = $1
    returning version";

// Whoever is working with a reservation at this moment decides about it.
const EXPIRE: &str = "
    with old as materialized (
        select id
        from reservations
        where status = 'active' and expires_at <= $1
        order by expires_at, id
        limit $2
        for no key update skip locked
    )
    update reservations r
    set status = 'expired', version = r.version + 1, updated_at = $1
    from old
    where r.id = old.id
    returning r.id";

/// What became of a reservation that was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// There is one of that id.
    Before,
    /// Nothing was made: there is not enough. And where there is not even a row of stock.
    Short {
        shortages: Vec<Shortage>,
        without_row: Vec<LocationId>,
    },
}

/// A shortage, or that there is none.
struct Verdict {
    shortage: Option<Shortage>,
    without_row: bool,
}

impl FromRow for Verdict {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        let (location, product): (Option<LocationId>, Option<ProductId>) =
            (row.get("location_id")?, row.get("product_id")?);
        let (requested, available) = (row.get("requested")?, row.get("available")?);
        let shortage = location.zip(product).map(|(location_id, product_id)| Shortage {
            location_id,
            product_id,
            requested,
            available,
        });
        Ok(Verdict { shortage, without_row: row.get("without_row")? })
    }
}

/// One line, with what it is a line of; none of a reservation that was released before it was made.
struct Joined(Reservation, Option<Line>);

impl FromRow for Joined {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        let reservation = Reservation {
            id: row.get("id")?,
            status: row.get("status")?,
            ttl_s: row.get("ttl_s")?,
            expires_at: row.get("expires_at")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            lines: Vec::new(),
        };
        let Some(number) = row.get("line")? else {
            return Ok(Joined(reservation, None));
        };
        let place = Place { location: row.get("location_id")?, product: row.get("product_id")? };
        Ok(Joined(reservation, Some(Line { number, place, amount: row.get("quantity")? })))
    }
}

/// Writes it down, unless something is short already.
pub async fn insert(db: &impl Executor, reservation: &Reservation, made_by: &str) -> Result<Inserted, DbError> {
    let lines = &reservation.lines;
    let (locations, products) = columns(lines.iter().map(|line| line.place));
    let numbers: Vec<i64> = lines.iter().map(|line| line.number).collect();
    let quantities: Vec<i64> = lines.iter().map(|line| line.amount).collect();
    let params = params![
        reservation.id,
        reservation.ttl_s,
        reservation.expires_at,
        made_by,
        reservation.created_at,
        numbers,
        locations,
        products,
        quantities,
    ];
    let verdicts: Vec<Verdict> = db.query(INSERT, params).await?;
    if verdicts.is_empty() {
        return Ok(Inserted::Before);
    }
    let (mut shortages, mut without_row) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        let Some(shortage) = verdict.shortage else {
            return Ok(Inserted::New);
        };
        if verdict.without_row {
            without_row.push(shortage.location_id);
        }
        shortages.push(shortage);
    }
    Ok(Inserted::Short { shortages, without_row })
}

pub async fn find(db: &impl Executor, id: ReservationId) -> Result<Option<Reservation>, DbError> {
    Ok(grouped(db.query(FIND, params![vec![id.0]]).await?).pop())
}

/// Until the transaction ends.
pub async fn lock(db: &impl Executor, id: ReservationId) -> Result<Option<Reservation>, DbError> {
    Ok(grouped(db.query(LOCK, params![vec![id.0]]).await?).pop())
}

/// Writes down that there will be none of that id; false when there is one.
pub async fn bar(db: &impl Executor, id: ReservationId, by: &str, now: Timestamp) -> Result<bool, DbError> {
    Ok(db.execute(BAR, params![id, now, by]).await? == 1)
}

/// The version that it has since.
pub async fn turn(db: &impl Executor, id: ReservationId, status: Status, now: Timestamp) -> Result<i64, DbError> {
    let (version,) = db.query_one(TURN, params![id, status, now]).await?;
    Ok(version)
}

/// Ends active reservations that are past their expiry and that nobody works with; those it ended.
pub async fn expire(db: &impl Executor, now: Timestamp, limit: i64) -> Result<Vec<Reservation>, DbError> {
    let ids: Vec<(Uuid,)> = db.query(EXPIRE, params![now, limit]).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.into_iter().map(|(id,)| id).collect();
    Ok(grouped(db.query(FIND, params![ids]).await?))
}

fn grouped(rows: Vec<Joined>) -> Vec<Reservation> {
    let mut reservations: Vec<Reservation> = Vec::new();
    for Joined(reservation, line) in rows {
        match reservations.last_mut().filter(|last| last.id == reservation.id) {
            Some(last) => last.lines.extend(line),
            None => reservations.push(Reservation { lines: line.into_iter().collect(), ..reservation }),
        }
    }
    reservations
}
