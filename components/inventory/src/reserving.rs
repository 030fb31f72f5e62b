//! Reservations: made, pinned, committed, released, expired. Each in a transaction of its caller's.

use std::collections::BTreeMap;

use sdk::outbox::{Event, publish};
use sdk::{Context, Problem, Result, Tx};
use serde::Serialize;

use crate::domain::lines::{Line, Lines};
use crate::domain::reservation::{Reservation, Status, Step, Verb, expiry};
use crate::domain::{Change, LocationId, Made, Place, ProductId, ReservationId};
use crate::ledger::{self, Refused};
use crate::store::reservations::{self, Inserted};
use crate::store::stock::Cause;

#[derive(Debug, Serialize)]
struct Told<'a> {
    id: ReservationId,
    status: Status,
    expires_at: jiff::Timestamp,
    lines: Vec<ToldLine>,
    reference: &'a str,
}

#[derive(Debug, Serialize)]
struct ToldLine {
    line: i64,
    location_id: LocationId,
    product_id: ProductId,
    quantity: i64,
}

/// Promises the units of all lines, or none.
///
/// # Errors
/// 409 `insufficient-stock`, `reservation-differs`, or `reservation-ended` when this reservation was
/// released or has expired: its units are not promised any more, and a second life it has not.
pub async fn reserve(
    tx: &Tx,
    context: &Context,
    id: ReservationId,
    ttl_s: i64,
    lines: &Lines,
    actor: &str,
) -> Result<(Reservation, Made)> {
    let now = context.clock.now();
    let reservation = Reservation {
        id,
        status: Status::Active,
        ttl_s,
        expires_at: expiry(now, ttl_s),
        version: 1,
        created_at: now,
        updated_at: now,
        lines: lines.as_slice().to_vec(),
    };
    match reservations::insert(tx, &reservation, actor).await? {
        Inserted::New => {}
        Inserted::Before => {
            let before = reservations::find(tx, id).await?.ok_or_else(|| not_found(id))?;
            return repeated(before, ttl_s, lines.as_slice());
        }
        Inserted::Short { shortages, without_row } => {
            // Of a place that does not exist there is nothing either, but that is another answer.
            let known = ledger::known(tx, &without_row).await;
            return Err(known.err().unwrap_or(Refused::Short(shortages)).about(lines));
        }
    }
    let changes = reservation.changes(Status::Active);
    let places: Vec<Place> = lines.iter().map(|line| line.place).collect();
    let reference = reference(id);
    let cause = Cause { reference: Some(&reference), reason: None, actor, at: now };
    let also = vec![event(&reservation)?];
    let made = async {
        let locked = ledger::lock(tx, &places).await?;
        ledger::change(tx, context, &locked, &changes, cause, also).await
    };
    made.await.map_err(|refused| refused.about(lines))?;
    Ok((reservation, Made::Now))
}

fn repeated(before: Reservation, ttl_s: i64, lines: &[Line]) -> Result<(Reservation, Made)> {
    if !before.was_barred() && !before.is_of(ttl_s, lines) {
        return Err(Problem::conflict("reservation-differs")
            .detail("this reservation was made before, with other lines or another time to live"));
    }
    match before.status {
        Status::Active | Status::Pinned | Status::Committed => Ok((before, Made::Before)),
        Status::Released | Status::Expired => Err(Problem::conflict("reservation-ended")
            .detail("this reservation was released or has expired: its units are not promised any more")
            .with("state", before.status.as_str())),
    }
}

/// Does what the verb says, once: a repetition is answered alike.
///
/// What is released before it was made will not be made: whoever wanted to make it may be slow, and nobody
/// would release it a second time.
///
/// # Errors
/// 404 `reservation-not-found`, 409 `reservation-state` with what is `allowed`.
pub async fn turn(tx: &Tx, context: &Context, id: ReservationId, verb: Verb, actor: &str) -> Result<Reservation> {
    if verb == Verb::Release && reservations::bar(tx, id, actor, context.clock.now()).await? {
        let barred = reservations::find(tx, id).await?.ok_or_else(|| not_found(id))?;
        publish(tx, context, vec![event(&barred)?]).await?;
        return Ok(barred);
    }
    let mut reservation = reservations::lock(tx, id).await?.ok_or_else(|| not_found(id))?;
    let next = match reservation.status.on(verb) {
        Step::Go(next) => next,
        Step::Done => return Ok(reservation),
        Step::Refused => {
            let status = reservation.status.as_str();
            return Err(Problem::conflict("reservation-state")
                .detail(format!("a reservation that is {status} cannot be asked to {}", verb.as_str()))
                .with("state", status)
                .with("allowed", reservation.status.allowed()));
        }
    };
    let now = context.clock.now();
    reservation.version = reservations::turn(tx, id, next, now).await?;
    (reservation.status, reservation.updated_at) = (next, now);
    let changes = reservation.changes(next);
    let places: Vec<Place> = changes.iter().map(|change| change.place).collect();
    let reference = reference(id);
    let cause = Cause { reference: Some(&reference), reason: None, actor, at: now };
    let also = vec![event(&reservation)?];
    let locked = ledger::lock(tx, &places).await?;
    ledger::change(tx, context, &locked, &changes, cause, also).await?;
    Ok(reservation)
}

/// Ends up to `limit` reservations that are past their expiry; how many. A row that several of them
/// have units of is changed once.
///
/// # Errors
/// When the database says no.
pub async fn expire(context: &Context, tx: &Tx, limit: i64) -> Result<usize> {
    let now = context.clock.now();
    let expired = reservations::expire(tx, now, limit).await?;
    let mut changes: BTreeMap<Place, Change> = BTreeMap::new();
    let mut also = Vec::with_capacity(expired.len());
    for reservation in &expired {
        also.push(event(reservation)?);
        for change in reservation.changes(Status::Expired) {
            changes
                .entry(change.place)
                .and_modify(|sum| sum.reserved += change.reserved)
                .or_insert(Change { line: 0, ..change });
        }
    }
    let only = match expired.as_slice() {
        [one] => Some(reference(one.id)),
        _ => None,
    };
    let places: Vec<Place> = changes.keys().copied().collect();
    let changes: Vec<Change> = changes.into_values().collect();
    let cause = Cause { reference: only.as_deref(), reason: None, actor: "task:expire-reservations", at: now };
    let locked = ledger::lock(tx, &places).await?;
    ledger::change(tx, context, &locked, &changes, cause, also).await?;
    Ok(expired.len())
}

/// What the ledger refers to it by.
pub fn reference(id: ReservationId) -> String {
    format!("reservation/{id}")
}

pub fn not_found(id: ReservationId) -> Problem {
    Problem::not_found("reservation-not-found").detail(format!("there is no reservation {id}"))
}

fn event(reservation: &Reservation) -> Result<Event> {
    let kind = match reservation.status {
        Status::Active => "reservation.made",
        Status::Pinned => "reservation.pinned",
        Status::Committed => "reservation.committed",
        Status::Released => "reservation.released",
        Status::Expired => "reservation.expired",
    };
    let reference = reference(reservation.id);
    let line = |line: &Line| ToldLine {
        line: line.number,
        location_id: line.place.location,
        product_id: line.place.product,
        quantity: line.amount,
    };
    let payload = Told {
        id: reservation.id,
        status: reservation.status,
        expires_at: reservation.expires_at,
        lines: reservation.lines.iter().map(line).collect(),
        reference: &reference,
    };
    Event::new(kind, &reference, reservation.version, &payload)
}
