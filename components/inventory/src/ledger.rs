//! The one way in which stock changes: rows are locked in the order of places, looked at, changed by
//! one guarded statement that writes the ledger as well, and told of in the same transaction.
//!
//! A caller locks its own document before, if it has one, and changes a row once.

use std::collections::BTreeMap;

use sdk::outbox::{Event, publish};
use sdk::{Context, DbError, Problem, Tx};
use serde::Serialize;

use crate::domain::lines::Lines;
use crate::domain::{Change, Holding, Impossible, Kind, Level, LocationId, Place, ProductId, Shortage};
use crate::store::stock::{Cause, Stock};
use crate::store::{locations, stock};

/// What others learn of a change of stock: subject `stock/{location}/{product}`, of the row's version.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    location_id: LocationId,
    product_id: ProductId,
    kind: Kind,
    /// Of what is on hand; 0 when only what is promised or under way has changed.
    delta: i64,
    on_hand: i64,
    reserved: i64,
    in_transit: i64,
    level: Level,
    /// What changed it; none when several expired at once.
    reference: Option<&'a str>,
}

/// Why stock was not changed.
#[derive(Debug)]
pub enum Refused {
    Short(Vec<Shortage>),
    NoSuchLocation(LocationId),
    Failed(Problem),
}

impl From<DbError> for Refused {
    fn from(err: DbError) -> Self {
        Refused::Failed(err.into())
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Refused::Failed(problem)
    }
}

impl Refused {
    /// What a client is told about the lines it sent.
    pub fn about(self, lines: &Lines) -> Problem {
        match self {
            Refused::NoSuchLocation(location) => no_such_location(lines.pointer_of(location), location),
            other => other.into(),
        }
    }
}

/// Where no line is a client's: only what is short is their business.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        match refused {
            Refused::Short(shortages) => insufficient(&shortages),
            Refused::NoSuchLocation(location) => Problem::internal(format!("there is no location {location}")),
            Refused::Failed(problem) => problem,
        }
    }
}

/// 422 for a location in a body.
pub fn no_such_location(pointer: &str, location: LocationId) -> Problem {
    let detail = format!("there is no location {location}");
    Problem::unprocessable("validation-failed").field(pointer, "location-not-found", detail)
}

fn insufficient(shortages: &[Shortage]) -> Problem {
    let problem = Problem::conflict("insufficient-stock").detail("there is not enough of every product");
    match serde_json::to_value(shortages) {
        Ok(shortages) => problem.with("shortages", shortages),
        Err(err) => Problem::internal(err),
    }
}

/// Rows that are this transaction's until it ends.
#[derive(Debug)]
pub struct Locked(BTreeMap<Place, Holding>);

impl Locked {
    /// What it holds; nothing, without a row.
    pub fn holding(&self, place: Place) -> Holding {
        self.0.get(&place).copied().unwrap_or_default()
    }
}

/// Locks the rows of these places.
///
/// # Errors
/// [`Refused::NoSuchLocation`] when one has no row because its location does not exist.
pub async fn lock(tx: &Tx, places: &[Place]) -> Result<Locked, Refused> {
    let locked: BTreeMap<Place, Holding> = stock::lock(tx, places.iter().copied()).await?.into_iter().collect();
    let without: Vec<LocationId> =
        places.iter().filter(|place| !locked.contains_key(place)).map(|place| place.location).collect();
    known(tx, &without).await?;
    Ok(Locked(locked))
}

/// That these locations exist.
///
/// # Errors
/// [`Refused::NoSuchLocation`] with the first that does not.
pub async fn known(tx: &Tx, ids: &[LocationId]) -> Result<(), Refused> {
    if ids.is_empty() {
        return Ok(());
    }
    let known = locations::those_of(tx, ids).await?;
    match ids.iter().find(|id| known.iter().all(|location| location.id != **id)) {
        Some(unknown) => Err(Refused::NoSuchLocation(*unknown)),
        None => Ok(()),
    }
}

/// Makes the rows that are missing, and locks all: something comes to where it never was before. Made
/// before anything is locked, because a row that somebody else is just making is waited for.
///
/// # Errors
/// As [`lock`].
pub async fn lock_or_make(tx: &Tx, context: &Context, places: &[Place]) -> Result<Locked, Refused> {
    stock::ensure(tx, places.iter().copied(), context.clock.now()).await?;
    lock(tx, places).await
}

/// Changes locked rows, all or nothing, and publishes that and `also`. The rows as they are now, in the
/// order of places.
///
/// # Errors
/// [`Refused::Short`] with every shortage.
pub async fn change(
    tx: &Tx,
    context: &Context,
    locked: &Locked,
    changes: &[Change],
    cause: Cause<'_>,
    also: Vec<Event>,
) -> Result<Vec<Stock>, Refused> {
    let mut short = Vec::new();
    for change in changes {
        match locked.holding(change.place).after(change) {
            Ok(_) => {}
            Err(Impossible::Short(shortage)) => short.push(shortage),
            Err(Impossible::Unfounded) => {
                return Err(Problem::internal(format!("{change:?} gives back what was not taken")).into());
            }
        }
    }
    if !short.is_empty() {
        return Err(Refused::Short(short));
    }
    let rows = if changes.is_empty() { Vec::new() } else { stock::change(tx, changes, cause).await? };
    if rows.len() != changes.len() {
        return Err(Problem::internal(format!("{} of {} rows were changed", rows.len(), changes.len())).into());
    }
    let mut events = also;
    for row in &rows {
        events.push(event(row, changes, cause.reference)?);
    }
    publish(tx, context, events).await?;
    Ok(rows)
}

fn event(row: &Stock, changes: &[Change], reference: Option<&str>) -> Result<Event, Problem> {
    let change = changes.iter().find(|change| change.place == row.place());
    let change = change.ok_or_else(|| Problem::internal("a row was changed that no change is of"))?;
    let payload = Changed {
        location_id: row.location_id,
        product_id: row.product_id,
        kind: change.kind,
        delta: change.on_hand,
        on_hand: row.on_hand,
        reserved: row.reserved,
        in_transit: row.in_transit,
        level: row.level,
        reference,
    };
    let subject = format!("stock/{}/{}", row.location_id, row.product_id);
    Event::new("stock.changed", subject, row.version, &payload)
}
