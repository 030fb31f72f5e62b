//! Restock requests and transfers: asked for, approved, shipped, received. Each in a transaction of its
//! caller's.
//!
//! Units are conserved: what is shipped leaves what is on hand at the source and is in transit to the
//! destination, until it arrives there or is recorded as lost.

use sdk::outbox::{Event, publish};
use sdk::problem::FieldError;
use sdk::{Context, Problem, Result, Tx, new_uuid_v7};
use serde::Serialize;

use crate::domain::lines::{Line, Lines};
use crate::domain::shipment::{self, Arrival, Mistake, Moved, Shipment, ShipmentKind, ShipmentLine, Status, Verb};
use crate::domain::{Change, DiscrepancyKind, Kind, LocationId, LocationKind, Place, ProductId, ShipmentId};
use crate::ledger::{self, no_such_location};
use crate::store::discrepancies::Missing;
use crate::store::locations;
use crate::store::shipments::{self, NewShipment};
use crate::store::stock::Cause;
use crate::vouching;

/// A shipment with its lines.
pub type Loaded = (Shipment, Vec<ShipmentLine>);

/// What is asked of a shipment.
#[derive(Clone, Debug)]
pub enum Order {
    Approve,
    Reject {
        reason: Option<String>,
    },
    /// Everything, or these quantities and nothing else.
    Ship(Option<Vec<(ProductId, i64)>>),
    /// Everything that is under way, or what is named.
    Receive(Option<Vec<Arrival>>),
    Cancel,
}

/// Who wants how much from where.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub kind: ShipmentKind,
    pub source: Named,
    pub destination: Named,
    pub note: Option<&'a str>,
    pub lines: &'a Lines,
}

/// A location, and where in the body it stands.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    pub location: LocationId,
    pub pointer: &'static str,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    id: ShipmentId,
    number: String,
    status: Status,
    source_id: LocationId,
    destination_id: LocationId,
    lines: Vec<ToldLine>,
    reference: &'a str,
}

#[derive(Debug, Serialize)]
struct ToldLine {
    line: i64,
    product_id: ProductId,
    requested: i64,
    shipped: i64,
    received: i64,
    lost: i64,
}

impl Order {
    pub const fn verb(&self) -> Verb {
        match self {
            Order::Approve => Verb::Approve,
            Order::Reject { .. } => Verb::Reject,
            Order::Ship(_) => Verb::Ship,
            Order::Receive(_) => Verb::Receive,
            Order::Cancel => Verb::Cancel,
        }
    }
}

/// Asks for units; nothing moves yet.
///
/// # Errors
/// 422 for locations that do not exist, are the same, or of the wrong kind.
pub async fn request(tx: &Tx, context: &Context, request: &Request<'_>, actor: &str) -> Result<Loaded> {
    check_locations(tx, request).await?;
    let new = NewShipment {
        id: ShipmentId(new_uuid_v7(&context.clock)),
        kind: request.kind,
        source: request.source.location,
        destination: request.destination.location,
        note: request.note,
        requested_by: actor,
        lines: request.lines.as_slice(),
    };
    let shipment = shipments::insert(tx, new, context.clock.now()).await?;
    let lines: Vec<ShipmentLine> = request.lines.iter().map(asked).collect();
    let event = event(&shipment, &lines)?;
    publish(tx, context, vec![event]).await?;
    Ok((shipment, lines))
}

fn asked(line: &Line) -> ShipmentLine {
    let (product_id, requested) = (line.place.product, line.amount);
    ShipmentLine { line: line.number, product_id, requested, shipped: 0, received: 0, lost: 0 }
}

async fn check_locations(tx: &Tx, request: &Request<'_>) -> Result<()> {
    let (source, destination) = (request.source, request.destination);
    if source.location == destination.location {
        let detail = "must be another location than the source";
        return Err(invalid(destination.pointer, "location-same", detail));
    }
    let known = locations::those_of(tx, &[source.location, destination.location]).await?;
    for (named, kind, detail) in [
        (source, LocationKind::Warehouse, "must be a warehouse"),
        (destination, LocationKind::Store, "must be a store"),
    ] {
        let found = known.iter().find(|location| location.id == named.location);
        let found = found.ok_or_else(|| no_such_location(named.pointer, named.location))?;
        if request.kind == ShipmentKind::Restock && found.kind != kind {
            return Err(invalid(named.pointer, "location-unfit", detail));
        }
    }
    Ok(())
}

/// Does what is asked, if the state allows it.
///
/// # Errors
/// 404 `shipment-not-found`; 409 `shipment-state` with what is `allowed`, `insufficient-stock`,
/// `more-than-outstanding`; 422 for products that are not in it.
pub async fn turn(
    tx: &Tx,
    context: &Context,
    kind: ShipmentKind,
    id: ShipmentId,
    order: &Order,
    actor: &str,
) -> Result<Loaded> {
    let shipment = shipments::lock(tx, kind, id).await?.ok_or_else(not_found)?;
    let Some(next) = shipment.status.on(order.verb()) else {
        let (status, verb) = (shipment.status.as_str(), order.verb().as_str());
        return Err(Problem::conflict("shipment-state")
            .detail(format!("what is {status} cannot be asked to {verb}"))
            .with("state", status)
            .with("allowed", shipment.status.allowed()));
    };
    let mut lines = lines(tx, id).await?;
    let now = context.clock.now();
    let (moved, next) = match order {
        Order::Approve | Order::Reject { .. } | Order::Cancel => (Vec::new(), next),
        Order::Ship(named) => (shipped(&lines, named.as_deref())?, next),
        Order::Receive(named) => received(&lines, named.as_deref())?,
    };
    let reason = match order {
        Order::Reject { reason } => reason.as_deref(),
        _ => None,
    };
    let reference = reference(&shipment, order.verb());
    let shipment = shipments::turn(tx, id, next, reason, now).await?;
    for moved in &moved {
        if let Some(line) = lines.iter_mut().find(|line| line.line == moved.after.line) {
            *line = moved.after;
        }
    }
    if !moved.is_empty() {
        let after: Vec<ShipmentLine> = moved.iter().map(|moved| moved.after).collect();
        shipments::set_lines(tx, id, &after).await?;
    }
    let changes = changes(&shipment, &moved);
    let places: Vec<Place> = changes.iter().map(|change| change.place).collect();
    let cause = Cause { reference: Some(&reference), reason: None, actor, at: now };
    let also = vec![event(&shipment, &lines)?];
    let locked = ledger::lock_or_make(tx, context, &places).await?;
    ledger::change(tx, context, &locked, &changes, cause, also).await?;
    let lost = lost(&shipment, &moved);
    vouching::account_for(tx, context, DiscrepancyKind::LostInTransit, &reference, &lost).await?;
    Ok((shipment, lines))
}

/// `restock/0190../ship`; a receipt has the version that it found, because there may be several.
fn reference(shipment: &Shipment, verb: Verb) -> String {
    match verb {
        Verb::Receive => format!("{}/receive/{}", shipment.subject(), shipment.version),
        other => format!("{}/{}", shipment.subject(), other.as_str()),
    }
}

fn shipped(lines: &[ShipmentLine], named: Option<&[(ProductId, i64)]>) -> Result<Vec<Moved>> {
    let moved = shipment::ship(lines, named).map_err(|mistakes| mistaken(&mistakes, "quantity"))?;
    match moved.is_empty() {
        true => Err(invalid("/lines", "nothing-shipped", "must be more than nothing: cancel it instead")),
        false => Ok(moved),
    }
}

fn received(lines: &[ShipmentLine], named: Option<&[Arrival]>) -> Result<(Vec<Moved>, Status)> {
    let (moved, next) = shipment::receive(lines, named).map_err(|mistakes| mistaken(&mistakes, "received"))?;
    match moved.is_empty() {
        true => Err(invalid("/lines", "nothing-received", "must be more than nothing")),
        false => Ok((moved, next)),
    }
}

/// 409 when only the state of the shipment is against it, 422 when no state could be for it.
fn mistaken(mistakes: &[Mistake], member: &str) -> Problem {
    let error = |mistake: &Mistake| match *mistake {
        Mistake::Unknown(index) => {
            let detail = "this product is not in the shipment";
            FieldError::at_pointer(format!("/lines/{index}/product_id"), "product-not-in-shipment", detail)
        }
        Mistake::Repeated(index) => {
            let detail = "each product must be named once";
            FieldError::at_pointer(format!("/lines/{index}/product_id"), "line-repeated", detail)
        }
        Mistake::TooMuch(index, most) => {
            let detail = format!("must be at most {most} in all");
            FieldError::at_pointer(format!("/lines/{index}/{member}"), "more-than-outstanding", detail)
        }
    };
    let of_state = mistakes.iter().all(|mistake| matches!(mistake, Mistake::TooMuch(..)));
    let problem = match of_state {
        true => Problem::conflict("more-than-outstanding").detail("that is more than there is of it"),
        false => Problem::unprocessable("validation-failed"),
    };
    mistakes.iter().map(error).fold(problem, Problem::error)
}

/// What was shipped leaves the source and is under way; what has arrived or is lost is not under way any
/// more.
fn changes(shipment: &Shipment, moved: &[Moved]) -> Vec<Change> {
    let mut changes = Vec::with_capacity(2 * moved.len());
    for Moved { before, after } in moved {
        let (product, line) = (after.product_id, after.line);
        let destination = shipment.at_destination(product);
        let (shipped, arrived) = (after.shipped - before.shipped, after.received - before.received);
        if shipped > 0 {
            let source = shipment.at_source(product);
            changes.push(Change::none(source, Kind::Dispatch, line).on_hand(-shipped));
            changes.push(Change::none(destination, Kind::Transit, line).in_transit(shipped));
        } else {
            let under_way = after.outstanding() - before.outstanding();
            changes.push(Change::none(destination, Kind::Arrival, line).on_hand(arrived).in_transit(under_way));
        }
    }
    changes.sort_by_key(|change| change.place);
    changes
}

fn lost(shipment: &Shipment, moved: &[Moved]) -> Vec<Missing> {
    let missing = |Moved { before, after }: &Moved| Missing {
        place: shipment.at_destination(after.product_id),
        line: after.line,
        quantity: after.lost - before.lost,
    };
    moved.iter().map(missing).filter(|missing| missing.quantity > 0).collect()
}

async fn lines(tx: &Tx, id: ShipmentId) -> Result<Vec<ShipmentLine>> {
    let lines = shipments::lines(tx, &[id]).await?;
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

pub fn not_found() -> Problem {
    Problem::not_found("shipment-not-found").detail("there is no such request or transfer")
}

fn invalid(pointer: &str, code: &'static str, detail: &str) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

fn event(shipment: &Shipment, lines: &[ShipmentLine]) -> Result<Event> {
    let subject = shipment.subject();
    let line = |line: &ShipmentLine| ToldLine {
        line: line.line,
        product_id: line.product_id,
        requested: line.requested,
        shipped: line.shipped,
        received: line.received,
        lost: line.lost,
    };
    let payload = Told {
        id: shipment.id,
        number: shipment.kind.number(shipment.number),
        status: shipment.status,
        source_id: shipment.source_id,
        destination_id: shipment.destination_id,
        lines: lines.iter().map(line).collect(),
        reference: &subject,
    };
    Event::new(shipment.kind.event(shipment.status), &subject, shipment.version, &payload)
}
